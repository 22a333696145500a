/** The plan of a sync: deletions first and in red. */
import type { VNode } from 'preact';
import { nameOf, keyOf } from '../logic/object-key.ts';
import { planGroups, planSummary, type PlanGroup } from '../logic/plan-groups.ts';
import { readRevision } from '../logic/revision.ts';
import { Icon } from '../parts/icon.tsx';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import type { Planning } from './use-plan.ts';

/** Objects of one group that are shown. */
const MAX_SHOWN = 200;

export function PlanOf({ planning: { plan, refusal, replace } }: { readonly planning: Planning }): VNode {
  if (refusal) {
    return (
      <div class="plan">
        <Refused refusal={refusal} />
        {replace && (
          <button type="button" onClick={replace}>
            Plan in place of that request
          </button>
        )}
      </div>
    );
  }
  if (!plan) return <Loading what="the plan" />;
  const { digest, name } = readRevision(plan.revision);
  return (
    <section class="plan" aria-label="Plan">
      <p>
        <b>{planSummary(plan)}</b>
        {plan.revision !== undefined && (
          <>
            {' At '}
            <code>{digest || name}</code>.
          </>
        )}
      </p>
      {plan.outcome !== 'Succeeded' && <Notice title={plan.message} tone="error" />}
      {plan.held !== undefined && (
        <Notice title="The deletions will wait for a confirmation" tone="warning">
          <p>{plan.held}</p>
        </Notice>
      )}
      {planGroups(plan.objects).map((group) => (
        <Group key={group.action} group={group} />
      ))}
    </section>
  );
}

function Group({ group: { title, isDeletion, objects } }: { readonly group: PlanGroup }): VNode {
  return (
    <div class={`plan-group ${isDeletion ? 'deletion' : ''}`}>
      <h3>
        {isDeletion && <Icon name="error" />}
        {title}
        <span class="size">{objects.length.toLocaleString('en')}</span>
      </h3>
      <ul>
        {objects.slice(0, MAX_SHOWN).map((object) => (
          <li key={keyOf(object)}>
            <span>{nameOf(object)}</span>
            {object.detail !== undefined && <span class="muted">{object.detail}</span>}
          </li>
        ))}
      </ul>
      {objects.length > MAX_SHOWN && <p class="muted">{`and ${objects.length - MAX_SHOWN} more`}</p>}
    </div>
  );
}
