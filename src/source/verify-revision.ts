/**
 * Verifies the signatures of a commit of a Git repository, and of the tag that names it, before its files are used.
 *
 * Invariants: the bytes that are verified are read by id from the snapshot that is handed out. Only a success is
 * remembered, for exactly these keys and until the first of them expires. The keys are public; nothing else crosses to
 * the sandbox.
 */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestValue } from '../object/digest.ts';
import type { CommitFetcherOptions } from './fetch-commit.ts';
import { temporaryName, type StoredSnapshot } from './packs/snapshot-folder.ts';
import { runVerifySignatures, removeTags, storedTags, storeTag, type TagFile } from './packs/signature-job.ts';
import type { Repository } from './repository.ts';
import { nameOfRevision, TAGS, type ResolvedRevision } from './revision.ts';
import { createSignerMemory, withSigner } from './signer-memory.ts';
import type { GitVerification } from './signatures/git-verification.ts';
import type { Signer } from './signatures/ssh-signature.ts';
import { fetchPack } from './transport/fetch-pack.ts';

export interface RevisionQuestion {
  readonly repository: Repository;
  readonly stored: StoredSnapshot;
  readonly resolved: ResolvedRevision;
  readonly verification: GitVerification;
  readonly tenant: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether a tag that is not on disk may be fetched. */
  readonly mayAsk: boolean;
}

export interface RevisionVerifier {
  /** The same snapshot with its signer. Rejects with StageErrors. */
  verify(question: RevisionQuestion): Promise<StoredSnapshot>;
}

/** Tags that are tried for one commit. */
const MAX_TAGS = 10;
/** Tags that are kept beside one snapshot. */
const MAX_STORED_TAGS = 32;

export function createRevisionVerifier(options: CommitFetcherOptions): RevisionVerifier {
  const signers = createSignerMemory(options.clock);
  return {
    async verify(question) {
      const { repository, stored, resolved, verification, mayAsk, signal } = question;
      const { mode, keys } = verification;
      // One tag may stand under several names, and is valid under its own alone.
      const { tag, revision } = resolved;
      const named = mode === 'head' ? [] : tag ? [tag.name, tag.oid] : [revision];
      const key = digestValue([repository.key, stored.commit, mode, named, [...keys]]);
      const work = (joined: AbortSignal) => verifyNow(options, { ...question, signal: joined });
      const signer = await signers.find({ key, mayAsk, label: repository.label, signal, work });
      return withSigner(stored, signer);
    },
  };
}

async function verifyNow(options: CommitFetcherOptions, question: RevisionQuestion): Promise<Signer> {
  const { sandbox, limits, clock } = options;
  const { repository, stored, verification, tenant, signal } = question;
  const tags = verification.mode === 'head' ? [] : await bringTags(options, question);
  const { gitDir, commit } = stored;
  const input = { gitDir, commit, tags, limits, verification, label: repository.label, nowMs: clock.now() };
  return runVerifySignatures(sandbox, input, { tenant, deadlineMs: limits.indexTimeoutMs, signal });
}

/** The tags that may name the commit, each of them on disk. */
async function bringTags(options: CommitFetcherOptions, question: RevisionQuestion): Promise<readonly TagFile[]> {
  const { stored, resolved } = question;
  const onDisk = new Set(await storedTags(stored.gitDir));
  const name = tagNameOf(resolved);
  const known = resolved.tag ? [resolved.tag] : undefined;
  if (!question.mayAsk) {
    if (known) return known.filter(({ oid }) => onDisk.has(oid));
    return Array.from(onDisk, (oid) => ({ name, oid }));
  }
  const tags = known ?? (await tagsOnServer(options, question, name));
  for (const { oid } of tags) if (!onDisk.has(oid)) await fetchTag(options, question, oid, onDisk.size);
  return tags;
}

/** undefined: the revision is a commit. */
function tagNameOf({ tag, revision, commit }: ResolvedRevision): string | undefined {
  if (tag) return tag.name;
  const name = nameOfRevision(revision);
  if (name === revision || name === commit) return undefined;
  return name.startsWith(TAGS) ? name.slice(TAGS.length) : name;
}

/** `name` undefined: any tag of the commit, as a commit that a person asks for has no other name. */
async function tagsOnServer(
  { remote }: CommitFetcherOptions,
  { repository, stored, signal }: RevisionQuestion,
  name: string | undefined,
): Promise<readonly TagFile[]> {
  const tags = await remote.tagsOf(repository, { commit: stored.commit, name }, signal);
  return tags.slice(0, MAX_TAGS);
}

/** The server sends the tag alone: its commit is on disk. */
async function fetchTag(
  { transport, remote, limits, sandbox }: CommitFetcherOptions,
  { repository, stored, tenant, signal }: RevisionQuestion,
  oid: string,
  storedCount: number,
): Promise<void> {
  const { gitDir, commit } = stored;
  if (storedCount >= MAX_STORED_TAGS) await removeTags(gitDir);
  const packPath = join(dirname(gitDir), temporaryName());
  try {
    await fetchPack({ transport, remote, limits, repository, commit: oid, have: commit, packPath, signal });
    const input = { gitDir, packPath, oid, limits };
    await storeTag(sandbox, input, { tenant, deadlineMs: limits.indexTimeoutMs, signal });
  } finally {
    await rm(packPath, { force: true });
  }
}
