/**
 * The jobs of the sandbox about signatures. `readTag` finds the bytes of an annotated tag in a fetched pack;
 * `verifySignatures` verifies a commit of a snapshot, and the tags beside it. Only public keys go in.
 */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sourceError } from '../../object/source-error.ts';
import type { Signer } from '../signatures/ssh-signature.ts';
import { verifyRevision, type VerifyOptions } from '../signatures/verify-signature.ts';
import type { JobRunner } from './index-job.ts';
import { readObjectOfPack, type IndexLimits } from './pack-index.ts';
import { hashObject, openPackStore } from './pack-store.ts';
import { temporaryName } from './snapshot-folder.ts';

export interface ReadTagInput {
  /** Folder of the snapshot of the commit, on whose objects the pack may build. */
  readonly gitDir: string;
  readonly packPath: string;
  /** 40 hex digits. */
  readonly oid: string;
  readonly limits: IndexLimits;
}

export interface VerifySignaturesInput extends VerifyOptions {
  /** Folder of the snapshot, which also holds the tags. */
  readonly gitDir: string;
  /** 40 hex digits. */
  readonly commit: string;
  readonly tags: readonly TagFile[];
  readonly limits: IndexLimits;
}

export interface TagFile {
  /** The name of the reference, without refs/tags/. undefined: the commit was not found by a name. */
  readonly name: string | undefined;
  /** 40 hex digits. */
  readonly oid: string;
}

interface JobOptions {
  readonly tenant: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Stores a tag of the pack beside the snapshot. Rejects with StageErrors, and errors of the file system. */
export async function storeTag(sandbox: JobRunner, input: ReadTagInput, { tenant, ...options }: JobOptions) {
  const { gitDir, oid } = input;
  const dataFolders = [dirname(gitDir)];
  const data = await sandbox.run({ name: 'readTag', stage: 'source', input, tenant, dataFolders }, options);
  // A file with its final name is complete, whenever the process was killed.
  const draft = join(gitDir, temporaryName());
  await writeFile(draft, data, { mode: 0o600 });
  await rename(draft, tagPath(gitDir, oid));
}

/** Rejects with the StageErrors of `verifyRevision`, and those of the sandbox. */
export async function runVerifySignatures(
  sandbox: JobRunner,
  input: VerifySignaturesInput,
  { tenant, ...options }: JobOptions,
): Promise<Signer> {
  const dataFolders = [dirname(input.gitDir)];
  const job = { name: 'verifySignatures', stage: 'source', input, tenant, dataFolders } as const;
  return decodeSigner(await sandbox.run(job, options));
}

/** JSON, which has no Infinity. */
export function encodeSigner(signer: Signer): Uint8Array {
  return Buffer.from(JSON.stringify(signer));
}

export function decodeSigner(bytes: Uint8Array): Signer {
  const { name, validUntilMs } = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
    readonly name: string;
    readonly validUntilMs: number | null;
  };
  return { name, validUntilMs: validUntilMs ?? Infinity };
}

const TAG_FILE = /^tag-([0-9a-f]{40})$/;

/** The ids of the tags that are stored beside a snapshot. Rejects with errors of the file system. */
export async function storedTags(gitDir: string): Promise<readonly string[]> {
  return (await readdir(gitDir)).flatMap((name) => TAG_FILE.exec(name)?.[1] ?? []);
}

/** Rejects with errors of the file system. */
export async function removeTags(gitDir: string): Promise<void> {
  for (const oid of await storedTags(gitDir)) await rm(tagPath(gitDir, oid), { force: true });
}

function tagPath(gitDir: string, oid: string): string {
  return join(gitDir, `tag-${oid}`);
}

/** In the sandbox. Throws StageError IncompletePack and those of an index. */
export function readTag({ packPath, gitDir, oid, limits }: ReadTagInput): Uint8Array {
  const found = readObjectOfPack({ packPath, gitDir, oid, limits });
  if (found?.type === 'tag') return found.data;
  throw sourceError('IncompletePack', `The fetched pack lacks the tag ${oid}. Tautline fetches it again.`);
}

/** In the sandbox. */
export async function verifySignatures(input: VerifySignaturesInput): Promise<Uint8Array> {
  const { gitDir, commit, tags, limits } = input;
  const store = openPackStore(gitDir, limits);
  try {
    const commitData = store.read(commit);
    const named = tags.map(({ name, oid }) => ({ name, data: readTagFile(gitDir, oid) }));
    const signer = await verifyRevision({ commit, commitData, tags: named }, input);
    return encodeSigner(signer);
  } finally {
    store.close();
  }
}

function readTagFile(gitDir: string, oid: string): Buffer {
  const data = readFileSync(tagPath(gitDir, oid));
  if (hashObject('tag', data).toString('hex') === oid) return data;
  throw sourceError('CorruptPack', `The tag ${oid} has changed on disk. Tautline fetches it again.`);
}
