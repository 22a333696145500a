/** Problems of the manifests, each with its file, its line, and the line itself. */
import type { VNode } from 'preact';
import type { ApplicationDetail, ProblemView } from '../../server/api/schema.ts';
import { nameOf } from '../logic/object-key.ts';
import { Code } from '../parts/code-lines.tsx';
import { Notice } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';

export function ProblemsView({ detail }: { readonly detail: ApplicationDetail }): VNode {
  const { problems } = detail;
  if (problems.length === 0) return <Notice title="The manifests have no problem" tone="ok" />;
  return (
    <ul class="problems">
      {problems.map((problem, index) => (
        <Problem key={index} problem={problem} />
      ))}
    </ul>
  );
}

function Problem({ problem }: { readonly problem: ProblemView }): VNode {
  const { code, message, file, line, column, excerpt, object, hint } = problem;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return (
    <li class="card">
      <div class="difference-head">
        <State look="plain" tone="error" word={code} />
        {place !== '' && <code>{place}</code>}
      </div>
      <p>{message}</p>
      {object && <p class="muted">{nameOf(object)}</p>}
      {excerpt !== undefined && <Code text={excerpt} label={`Lines of ${place}`} lastLine={line} />}
      {hint !== undefined && (
        <p class="hint">
          <b>To do: </b>
          {hint}
        </p>
      )}
    </li>
  );
}
