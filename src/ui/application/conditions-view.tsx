/** The conditions of an Application, and the warnings of the render and of the API server. */
import type { VNode } from 'preact';
import type { ApplicationDetail } from '../../server/api/schema.ts';
import type { Tone } from '../logic/words.ts';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';

type Condition = ApplicationDetail['conditions'][number];

/** Conditions that are good news where they are True; all others are bad news. */
const GOOD = ['Ready', 'Healthy', 'Synced'];

export function ConditionsView({ detail }: { readonly detail: ApplicationDetail }): VNode {
  return (
    <>
      <ul class="conditions">
        {detail.conditions.map((condition) => (
          <li key={condition.type} class="card">
            <div class="difference-head">
              <State look="plain" tone={toneOf(condition)} word={`${condition.type}: ${condition.status}`} />
              <code>{condition.reason}</code>
              <span class="stretch" />
              <span class="muted">
                <Time at={condition.lastTransitionTime} />
              </span>
            </div>
            <p>{condition.message}</p>
          </li>
        ))}
      </ul>
      {detail.warnings.length > 0 && (
        <section>
          <h2>Warnings</h2>
          <ul class="conditions">
            {detail.warnings.map(({ object, message }, index) => (
              <li key={index} class="card">
                {object !== undefined && <code>{object}</code>}
                <p>{message}</p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function toneOf({ type, status }: Condition): Tone {
  if (status === 'Unknown') return 'unknown';
  if (type === 'Reconciling') return 'progressing';
  return GOOD.includes(type) === (status === 'True') ? 'ok' : 'error';
}
