/**
 * The interface of source/ for the rest of the agent: revisions are polled, commits are fetched as snapshots. For a
 * chart or an OCI artifact, its digest stands where a commit stands.
 */
import type { Verification } from '../registry/cosign.ts';
import type { Credential } from './credential.ts';
import type { ResolvedRevision } from './revision.ts';
import type { ChartVerification } from './signatures/chart-verification.ts';
import type { GitVerification } from './signatures/git-verification.ts';
import type { Snapshot } from './snapshot.ts';

/** The keys that a source must be signed with. */
export type SourceVerification = Verification | ChartVerification | GitVerification;

/** Every method throws StageError. A snapshot is handed out only if its place asks for no signature that it lacks. */
export interface SourcePort {
  /** Finds the commit that a revision names now: one request (two the first time), none for a commit. */
  poll(request: PollRequest): Promise<PolledRevision>;
  /** Brings the snapshot of a commit. Costs no request when the commit is on disk, so call it before every render. */
  fetch(request: FetchRequest): Promise<Snapshot>;
  /**
   * Answers the snapshot of a commit that was fetched before with the same credential. Costs no request, and asks for
   * the same signatures as `fetch`.
   */
  recall(request: FetchRequest): Promise<Snapshot | undefined>;
  /** Answers the same snapshot if it is still on disk. Needs no credential and costs no request. */
  find(snapshot: Snapshot): Promise<Snapshot | undefined>;
  /** Drops a snapshot whose objects turned out to be damaged, so that it is fetched again. */
  discard(snapshot: Snapshot): Promise<void>;
}

/** Names the files of a source; with the same fields they are the same files. */
export interface SourcePlace {
  /** http(s) of a Git repository, or of a Helm repository if there is a chart; oci:// of a registry. */
  readonly repoUrl: string;
  /** Name of a chart of the Helm repository or registry. Absent: the source is no chart, or the address names it. */
  readonly chart?: string | undefined;
  /** An object of Git LFS of the repository, whose SHA-256 stands where a commit stands. Absent: the source is none. */
  readonly lfsObject?: { readonly sizeBytes: number } | undefined;
  /** Snapshots are shared only between requests with the same credential. */
  readonly credential?: Credential | undefined;
  /** The commit, tag, chart or artifact must be signed with one of these keys. Absent: it need not be signed. */
  readonly verification?: SourceVerification | undefined;
}

export interface PolledRevision extends ResolvedRevision {
  /** `Snapshot.id` of the snapshot that a fetch with the same credential brings. */
  readonly id: string;
}

export interface SourceRequest extends SourcePlace {
  readonly signal?: AbortSignal | undefined;
}

export interface PollRequest extends SourceRequest {
  /**
   * For a Git repository 40 hex digits, `refs/…`, a branch or a tag; absent: the default branch. For a chart or
   * artifact see application/artifact-revision.ts.
   */
  readonly revision?: string | undefined;
  /** See `FetchRequest`. */
  readonly tenant?: string | undefined;
  /** Monotonic; a poll that began earlier is not shared, since a later push is not in its answer. */
  readonly notBeforeMs?: number | undefined;
}

export interface FetchRequest extends SourceRequest {
  /** As `poll` answered it, or as `readRevision` finds it in a status. */
  readonly resolved: ResolvedRevision;
  /** The namespace of the Application; its share of processor time pays for the check. Absent on a person's machine. */
  readonly tenant?: string | undefined;
}
