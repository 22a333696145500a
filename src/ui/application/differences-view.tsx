/** All objects that differ from Git, with their fields. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ApplicationDetail, ObjectView } from '../../server/api/schema.ts';
import { keyOf, nameOf } from '../logic/object-key.ts';
import { count, toneOfObject, wordOfObject } from '../logic/words.ts';
import { Notice } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { useQuery } from '../parts/use-query.ts';
import { Fields } from './difference.tsx';

/** Objects that are shown at first; a person may ask for more. */
const STEP = 30;

export function DifferencesView({ detail }: { readonly detail: ApplicationDetail }): VNode {
  const [limit, setLimit] = useState(STEP);
  const differing = detail.objects.filter(({ sync }) => sync === 'OutOfSync');
  if (differing.length === 0) {
    const isKnown = detail.sync.status === 'Synced';
    return (
      <Notice
        title={isKnown ? 'The cluster is as Git has it' : 'No difference is known'}
        tone={isKnown ? 'ok' : 'unknown'}
      />
    );
  }
  // Deletions come first: they are what a person should see before all else.
  const sorted = [...differing.filter(({ pruning }) => pruning), ...differing.filter(({ pruning }) => !pruning)];
  return (
    <>
      <ul class="differences">
        {sorted.slice(0, limit).map((object) => (
          <Differing key={keyOf(object)} object={object} />
        ))}
      </ul>
      {sorted.length > limit && (
        <button type="button" onClick={() => setLimit(limit + STEP)}>
          {`Show more: ${count(sorted.length - limit, 'object')} left`}
        </button>
      )}
    </>
  );
}

function Differing({ object }: { readonly object: ObjectView }): VNode {
  const { hrefWith } = useQuery();
  return (
    <li class={`card difference ${object.pruning ? 'deletion' : ''}`}>
      <div class="difference-head">
        <a href={hrefWith({ object: keyOf(object), tab: undefined })}>{nameOf(object)}</a>
        <State look="plain" tone={object.pruning ? 'error' : toneOfObject(object)} word={wordOfObject(object)} />
      </div>
      {object.message !== undefined && <p class="muted">{object.message}</p>}
      <Fields object={object} />
    </li>
  );
}
