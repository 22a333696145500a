/** The interface of source/ for the rest of the agent: revisions are polled, commits are fetched as snapshots. */
import type { Credential } from './credential.ts';
import type { ResolvedRevision } from './revision.ts';
import type { Snapshot } from './snapshot.ts';

/** Every method throws StageError. */
export interface SourcePort {
  /** Finds the commit that a revision names now: one request (two the first time), none for a commit. */
  poll(request: PollRequest): Promise<PolledRevision>;
  /** Brings the snapshot of a commit. Costs no request when the commit is on disk, so call it before every render. */
  fetch(request: FetchRequest): Promise<Snapshot>;
  /** Answers the snapshot of a commit that was fetched before with the same credential. Costs no request. */
  recall(request: FetchRequest): Promise<Snapshot | undefined>;
  /** Answers the same snapshot if it is still on disk. Needs no credential and costs no request. */
  find(snapshot: Snapshot): Promise<Snapshot | undefined>;
  /** Drops a snapshot whose objects turned out to be damaged, so that it is fetched again. */
  discard(snapshot: Snapshot): Promise<void>;
}

export interface PolledRevision extends ResolvedRevision {
  /** `Snapshot.id` of the snapshot that a fetch with the same credential brings. */
  readonly id: string;
}

export interface SourceRequest {
  readonly repoUrl: string;
  /** Snapshots are shared only between requests with the same credential. */
  readonly credential?: Credential | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PollRequest extends SourceRequest {
  /** 40 hex digits, `refs/…`, a branch or a tag; absent: the default branch. */
  readonly revision?: string | undefined;
  /** Monotonic; a poll that began earlier is not shared, since a later push is not in its answer. */
  readonly notBeforeMs?: number | undefined;
}

export interface FetchRequest extends SourceRequest {
  /** As `poll` answered it, or as `readRevision` finds it in a status. */
  readonly resolved: ResolvedRevision;
  /** The namespace of the Application; its share of processor time pays for the check. Absent on a person's machine. */
  readonly tenant?: string | undefined;
}
