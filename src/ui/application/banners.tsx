/** Banners tell the present work, and all that waits for a person: a held prune, a hold, a request, a refusal. */
import type { VNode } from 'preact';
import type { ApplicationDetail } from '../../server/api/schema.ts';
import { stepsOf, type Step } from '../logic/progress.ts';
import { readRevision } from '../logic/revision.ts';
import { count } from '../logic/words.ts';
import { Icon } from '../parts/icon.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../parts/use-query.ts';
import { titleOf } from '../logic/request-words.ts';
import type { Actions } from './use-actions.ts';

export interface BannersProps {
  readonly detail: ApplicationDetail;
  readonly actions: Actions;
}

export function Banners({ detail, actions }: BannersProps): VNode {
  return (
    <div class="banners">
      <RefusedAction actions={actions} />
      <HeldPrune detail={detail} />
      <HoldInForce detail={detail} actions={actions} />
      <LastRequest detail={detail} actions={actions} />
      <Progress detail={detail} />
    </div>
  );
}

function RefusedAction({ actions: { refusal, replace, forget } }: Pick<BannersProps, 'actions'>): VNode | null {
  if (!refusal) return null;
  return (
    <div class="banner tone-error" role="alert">
      <Icon name="error" />
      <p>
        <b>{titleOf(refusal)}</b> {refusal.detail}
      </p>
      {refusal.code === 'RequestPending' && (
        <button type="button" onClick={() => void replace()}>
          Replace that request
        </button>
      )}
      <button type="button" class="quiet" onClick={forget}>
        Dismiss
      </button>
    </div>
  );
}

function HeldPrune({ detail }: Pick<BannersProps, 'detail'>): VNode | null {
  const { hrefWith } = useQuery();
  const held = detail.pruneGuard?.held;
  if (!held || held.confirmedBy !== undefined) return null;
  const before = detail.pruneGuard?.objectsBefore;
  return (
    <div class="banner tone-error">
      <Icon name="warning" />
      <p>
        <b>A prune waits for you.</b>
        {` ${count(held.objects, 'object')}${before === undefined ? '' : ` of ${before}`} would be deleted.`}
      </p>
      <a class="button danger" href={hrefWith({ do: 'confirm-prune' })}>
        Review the prune…
      </a>
    </div>
  );
}

function HoldInForce({ detail: { hold }, actions }: BannersProps): VNode | null {
  if (!hold) return null;
  const { digest, name } = readRevision(hold.revision);
  return (
    <div class="banner tone-suspended">
      <Icon name="suspended" />
      <p>
        <b>
          {'Held at '}
          <code>{digest || name}</code>
        </b>
        {hold.by !== undefined && ` by ${hold.by}`} <Time at={hold.since} />
        {hold.message !== undefined && `: ${hold.message}`}
      </p>
      <button type="button" disabled={actions.pending !== undefined} onClick={() => void actions.run('release', {})}>
        Release
      </button>
    </div>
  );
}

const OUTCOME_TONES = { InProgress: 'progressing', Succeeded: 'ok', Failed: 'error', Refused: 'error' } as const;

const PENDING_WORDS: Readonly<Record<NonNullable<Actions['pending']>, string>> = {
  refresh: 'The agent fetches and compares…',
  sync: 'The agent has been asked to sync…',
  plan: 'The agent makes a plan…',
  'confirm-prune': 'The agent has been asked to carry out the prune…',
  rollback: 'The agent has been asked to roll back…',
  release: 'The agent has been asked to end the hold…',
  suspend: 'The Application is being suspended…',
  resume: 'The Application is being resumed…',
};

function LastRequest({ detail: { lastRequest }, actions }: BannersProps): VNode | null {
  const { pending } = actions;
  if (pending !== undefined && lastRequest?.outcome !== 'InProgress') {
    return (
      <div class="banner tone-progressing" role="status">
        <Icon name="progressing" />
        <p>{PENDING_WORDS[pending]}</p>
      </div>
    );
  }
  if (!lastRequest || lastRequest.action === 'refresh') return null;
  const { action = 'request', outcome, message, finishedAt } = lastRequest;
  const tone = OUTCOME_TONES[outcome];
  return (
    <div class={`banner slim tone-${tone}`} role="status">
      <Icon name={tone} />
      <p>
        <b>{`Last request: ${action}, ${outcome === 'InProgress' ? 'in progress' : outcome.toLowerCase()}`}</b>
        {finishedAt !== undefined && (
          <>
            {' '}
            <Time at={finishedAt} />
          </>
        )}
        {message !== undefined && `: ${message}`}
      </p>
    </div>
  );
}

/** Shown while objects are on their way, or wait for others. */
function Progress({ detail }: Pick<BannersProps, 'detail'>): VNode | null {
  const { objects, health, conditions, lastRequest } = detail;
  const isReconciling = conditions.some(({ type, status }) => type === 'Reconciling' && status === 'True');
  if (!isReconciling && health.status !== 'Progressing' && lastRequest?.outcome !== 'InProgress') return null;
  if (objects.length === 0) return null;
  return (
    <ol class="steps" aria-label="Progress of the sync">
      {stepsOf(objects).map((step) => (
        <StepView key={step.title} step={step} />
      ))}
    </ol>
  );
}

function StepView({ step: { title, total, done, waiting, tone, message } }: { readonly step: Step }): VNode {
  const isWaiting = waiting > 0 && waiting + done === total;
  return (
    <li class={`step tone-${tone}`}>
      <Icon name={tone} />
      <span class="step-title">{title}</span>
      <progress max={total} value={done} aria-label={`${title}: ${done} of ${total} done`} />
      <span class="muted">{`${done} of ${total}${isWaiting ? ', waiting' : ''}`}</span>
      {message !== '' && <span class="step-message">{message}</span>}
    </li>
  );
}
