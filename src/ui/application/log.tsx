/** The last lines of the log of a Pod. */
import type { VNode } from 'preact';
import { useLoad } from '../data/use-load.ts';
import { Code } from '../parts/code-lines.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import { useQuery } from '../parts/use-query.ts';
import type { OfObject } from './events.tsx';

const LINES = ['100', '500', '1000'];

export function LogOf({ application, object: { namespace, name } }: OfObject): VNode {
  const { query, change } = useQuery();
  const lines = LINES.find((number) => number === query['lines']) ?? '100';
  const { container = '', previous = '' } = query;
  const asked = new URLSearchParams({ namespace, pod: name, lines });
  if (container !== '') asked.set('container', container);
  if (previous === 'true') asked.set('previous', 'true');
  const { data, refusal, reload } = useLoad<{ lines: readonly string[] }>(
    `/applications/${application}/log?${asked.toString()}`,
  );
  return (
    <>
      <div class="log-choices">
        <label class="choice">
          <span>Lines</span>
          <select value={lines} onChange={({ currentTarget }) => change({ lines: currentTarget.value }, true)}>
            {LINES.map((number) => (
              <option key={number}>{number}</option>
            ))}
          </select>
        </label>
        <label class="choice">
          <span>Container</span>
          <input
            value={container}
            placeholder="the first one"
            onChange={({ currentTarget }) => change({ container: currentTarget.value.trim() }, true)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={previous === 'true'}
            onChange={({ currentTarget }) => change({ previous: currentTarget.checked ? 'true' : '' }, true)}
          />
          before the restart
        </label>
        <button type="button" onClick={reload}>
          Read again
        </button>
      </div>
      {refusal && <Refused refusal={refusal} />}
      {!data && !refusal && <Loading what="the log" />}
      {data && data.lines.join('') === '' && <Notice title="The log is empty" />}
      {data && data.lines.join('') !== '' && (
        <>
          <div class="copies">
            <CopyButton label="Copy the lines" text={data.lines.join('\n')} />
          </div>
          <Code text={data.lines.join('\n')} label={`Log of ${name}`} />
        </>
      )}
    </>
  );
}
