/**
 * The interface of a kind of source: Git repositories, and archives of registries and Helm repositories. Everything
 * that they share stands in source.ts: who shares an answer, which snapshots are on disk, and what is kept out of
 * messages.
 */
import type { Credential } from './credential.ts';
import type { StoredSnapshot } from './packs/snapshot-folder.ts';
import type { SourcePlace } from './ports.ts';
import type { ResolvedRevision } from './revision.ts';

export interface Origin {
  /** Throws StageError if the address is none of this kind. */
  at(place: SourcePlace): SourceAt;
  /** Resolves when nothing is under way, and nothing begins any more. */
  close(): Promise<void>;
}

/** One source as one credential sees it. */
export interface SourceAt {
  /** See repository.ts. */
  readonly key: string;
  /** For messages. */
  readonly label: string;
  readonly credential: Credential | undefined;
  /** Throws StageError if the revision is none of this kind of source. */
  lookup(revision: string | undefined): Lookup;
  /** Throws StageError. Costs no request when the snapshot is on disk. */
  fetch(request: SnapshotRequest): Promise<StoredSnapshot>;
  /**
   * Answers a snapshot from the disk if it has the signatures that its place asks for, and throws a StageError if it
   * has not. Absent: the place asks for none, or a snapshot with its key has them.
   */
  readonly verify?: (stored: StoredSnapshot, request: VerifyRequest) => Promise<StoredSnapshot>;
}

export interface VerifyRequest extends Omit<SnapshotRequest, 'signal'> {
  readonly signal?: AbortSignal | undefined;
  /** Whether a tag that is not on disk may be fetched. */
  readonly mayAsk: boolean;
}

export interface Lookup {
  /** Equal texts ask the same of one source. */
  readonly key: string;
  /** Throws StageError. */
  run(options: LookupOptions): Promise<ResolvedRevision>;
}

export interface LookupOptions {
  /** The namespace that asked first. */
  readonly tenant: string;
  /** Monotonic; an answer that was asked for earlier is not used. */
  readonly notBeforeMs: number | undefined;
  readonly signal: AbortSignal;
}

export interface SnapshotRequest {
  readonly resolved: ResolvedRevision;
  /** The namespace that asked first. */
  readonly tenant: string;
  readonly signal: AbortSignal;
}
