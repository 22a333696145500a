/** The head of an Application: its state in one sentence, the facts, and the actions. */
import type { ComponentChildren, VNode } from 'preact';
import type { ApplicationDetail } from '../../server/api/schema.ts';
import { readRevision, shortRepository } from '../logic/revision.ts';
import { sentenceOf, severityOf, stateWordOf, TONE_OF_HEALTH, TONE_OF_SYNC } from '../logic/words.ts';
import { Icon } from '../parts/icon.tsx';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../parts/use-query.ts';
import type { Actions } from './use-actions.ts';

export interface HeaderProps {
  readonly detail: ApplicationDetail;
  readonly actions: Actions;
}

export function Header({ detail, actions }: HeaderProps): VNode {
  const severity = severityOf(detail);
  return (
    <header class="application-head">
      <div class="title">
        <h1>{detail.name}</h1>
        <State tone={severity} word={stateWordOf(detail)} />
        <span class="stretch" />
        <ActionBar detail={detail} actions={actions} />
      </div>
      <p class={`why tone-${severity}`}>{sentenceOf(detail)}</p>
      <Facts detail={detail} />
    </header>
  );
}

function ActionBar({ detail, actions }: HeaderProps): VNode {
  const { change } = useQuery();
  const { pending, run } = actions;
  const isBusy = pending !== undefined;
  const toggle = detail.suspended ? 'resume' : 'suspend';
  return (
    <div class="actions" role="group" aria-label="Actions">
      <button type="button" disabled={isBusy} onClick={() => void run('refresh', {})}>
        <Icon name="refresh" />
        {pending === 'refresh' ? 'Refreshing…' : 'Refresh'}
      </button>
      <button type="button" class="primary" disabled={isBusy} onClick={() => change({ do: 'sync' })}>
        {pending === 'sync' ? 'Syncing…' : 'Sync…'}
      </button>
      <button type="button" disabled={isBusy} onClick={() => void run(toggle, {})}>
        {detail.suspended ? 'Resume' : 'Suspend'}
      </button>
    </div>
  );
}

function Facts({ detail }: { readonly detail: ApplicationDetail }): VNode {
  const { sync, health, mode, repoURL = '', path = '', revision = '', nextAttemptAt } = detail;
  const waitsFor = detail.conditions.find(({ type, status }) => type === 'Reconciling' && status === 'True');
  return (
    <dl class="facts-grid">
      <Fact name="Sync">
        <State look="plain" tone={TONE_OF_SYNC[sync.status] ?? 'unknown'} word={sync.status} />
        {mode !== undefined && mode !== 'auto' && <span class="muted">{`mode ${mode}`}</span>}
      </Fact>
      <Fact name="Health">
        <State look="plain" tone={TONE_OF_HEALTH[health.status] ?? 'unknown'} word={health.status} />
      </Fact>
      <Fact name="Commit" isWide>
        <Commit detail={detail} />
      </Fact>
      <Fact name="Last sync">{sync.lastSyncedAt === undefined ? 'never' : <Time at={sync.lastSyncedAt} />}</Fact>
      {nextAttemptAt !== undefined && (
        <Fact name="Next attempt">
          <Time at={nextAttemptAt} />
        </Fact>
      )}
      <Fact name="Source" isWide>
        <code>{`${shortRepository(repoURL)}${path === '' || path === '.' ? '' : `//${path}`}`}</code>
        {revision !== '' && <span class="muted">{`follows ${revision}`}</span>}
      </Fact>
      {waitsFor && (
        <Fact name="Waits for" isWide>
          {waitsFor.message}
        </Fact>
      )}
    </dl>
  );
}

/** The compared commit, with the author and the message that the history knows of it. */
function Commit({ detail: { sync, history } }: { readonly detail: ApplicationDetail }): VNode {
  const { name, digest } = readRevision(sync.revision);
  const entry = history.find(
    ({ commit, revision }) => (digest !== '' && commit === digest) || revision === sync.revision,
  );
  if (sync.revision === undefined) return <span class="muted">none yet</span>;
  return (
    <>
      <code>{digest || name}</code>
      {entry?.subject !== undefined && <span class="subject">{entry.subject}</span>}
      {entry?.author !== undefined && <span class="muted">{entry.author}</span>}
    </>
  );
}

interface FactProps {
  readonly name: string;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

function Fact({ name, isWide = false, children }: FactProps): VNode {
  return (
    <div class={isWide ? 'wide' : ''}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
