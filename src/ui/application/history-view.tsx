/** The last syncs, each with its commit, and the way back to it. */
import type { VNode } from 'preact';
import type { ApplicationDetail } from '../../server/api/schema.ts';
import { readRevision } from '../logic/revision.ts';
import { duration } from '../logic/time.ts';
import type { Tone } from '../logic/words.ts';
import { Notice } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import { useQuery } from '../parts/use-query.ts';

type Entry = ApplicationDetail['history'][number];

const TONES: Readonly<Record<Entry['outcome'], Tone>> = { Succeeded: 'ok', Failed: 'error', Superseded: 'suspended' };

export function HistoryView({ detail }: { readonly detail: ApplicationDetail }): VNode {
  const { history, sync } = detail;
  if (history.length === 0) return <Notice title="No sync has ended yet" />;
  return (
    <ol class="history">
      {history.map((entry, index) => (
        <HistoryEntry key={index} entry={entry} isCurrent={entry.revision === sync.revision} />
      ))}
    </ol>
  );
}

function HistoryEntry({ entry, isCurrent }: { readonly entry: Entry; readonly isCurrent: boolean }): VNode {
  const { hrefWith } = useQuery();
  const { subject, author, committedAt, startedAt, finishedAt, outcome, message, signer, revision } = entry;
  const { digest, full, name } = readRevision(revision);
  const tookMs = finishedAt === undefined ? 0 : Date.parse(finishedAt) - Date.parse(startedAt);
  return (
    <li class="card history-entry">
      <div class="difference-head">
        <State look="plain" tone={TONES[outcome]} word={outcome} />
        <code>{digest || name}</code>
        <strong class="subject">{subject ?? 'no message is known'}</strong>
        <span class="stretch" />
        {isCurrent && <span class="chip">compared now</span>}
        {!isCurrent && full !== '' && (
          <a class="button small" href={hrefWith({ do: 'rollback', to: full })}>
            Roll back…
            <span class="visually-hidden">{` to ${digest}`}</span>
          </a>
        )}
      </div>
      <p class="muted">
        {author !== undefined && `${author}, `}
        {committedAt !== undefined && <Time at={committedAt} />}
        {committedAt !== undefined && ' · '}
        {'synced '}
        <Time at={finishedAt ?? startedAt} />
        {duration(tookMs) !== '' && ` in ${duration(tookMs)}`}
        {signer !== undefined && ` · signed by ${signer}`}
      </p>
      {message !== undefined && <p>{message}</p>}
    </li>
  );
}
