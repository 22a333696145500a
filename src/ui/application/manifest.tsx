/** The manifest of an object: as Git has it, as it is in the cluster, and both compared. */
import type { VNode } from 'preact';
import type { ObjectDetail } from '../../server/api/schema.ts';
import { compareObjects } from '../logic/compare.ts';
import { yamlOf } from '../logic/yaml-text.ts';
import { Code, CompareLines } from '../parts/code-lines.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { useQuery } from '../parts/use-query.ts';

const FORMS = { compare: 'Compared', git: 'Git', live: 'Live' } as const;
type Form = keyof typeof FORMS;

export function ManifestOf({ object }: { readonly object: ObjectDetail }): VNode {
  const { query, change } = useQuery();
  const form = (Object.keys(FORMS) as Form[]).find((one) => one === query['form']) ?? 'compare';
  return (
    <>
      <div class="segments" role="group" aria-label="Manifest">
        {(Object.keys(FORMS) as Form[]).map((one) => (
          <button key={one} type="button" aria-pressed={one === form} onClick={() => change({ form: one }, true)}>
            {FORMS[one]}
          </button>
        ))}
      </div>
      {form === 'compare' && <Compared object={object} />}
      {form === 'git' && <Manifest value={object.desired} isLive={false} />}
      {form === 'live' && <Manifest value={object.live} isLive refusal={object.liveRefusal} />}
    </>
  );
}

function Compared({ object: { live, desired, liveRefusal } }: { readonly object: ObjectDetail }): VNode {
  if (liveRefusal !== undefined) {
    return (
      <Notice title="The live object is not shown" tone="unknown">
        <p>{liveRefusal}</p>
      </Notice>
    );
  }
  const lines = compareObjects(live, desired);
  if (lines.length === 0) return <Notice title="Every field that Git sets is the same in the cluster" tone="ok" />;
  return (
    <>
      <p class="muted">From the cluster (−) to Git (+). Fields that Git does not set are left out.</p>
      <CompareLines lines={lines} label="Cluster and Git compared" />
    </>
  );
}

interface ManifestProps {
  readonly value: Readonly<Record<string, unknown>> | undefined;
  readonly isLive: boolean;
  readonly refusal?: string | undefined;
}

function Manifest({ value, isLive, refusal }: ManifestProps): VNode {
  if (!value) {
    return (
      <Notice title={isLive ? 'There is no live object to show' : 'Git does not have it'} tone="unknown">
        {refusal !== undefined && <p>{refusal}</p>}
      </Notice>
    );
  }
  const text = yamlOf(value);
  return (
    <>
      <div class="copies">
        <CopyButton label="Copy the manifest" text={text} />
      </div>
      <Code text={text} label={isLive ? 'Live manifest' : 'Manifest in Git'} />
    </>
  );
}
