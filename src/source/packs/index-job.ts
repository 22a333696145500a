/** The job `indexPack` of the sandbox. Its result crosses as one buffer: a line of JSON, then the index. */
import { dirname } from 'node:path';
import type { IndexedSnapshot, IndexPackInput } from './pack-index.ts';

/** The part of the sandbox that source/ uses. */
export interface JobRunner {
  run(
    job: {
      readonly name: string;
      readonly stage: 'source';
      readonly input: unknown;
      readonly tenant: string;
      readonly dataFolders: readonly string[];
    },
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;
}

export interface IndexJobOptions {
  /** The namespace that asked for the fetch. */
  readonly tenant: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Starts a child for an `indexPack` that follows, so that it loads its code while the pack is fetched. */
export function prepareIndexJob(
  sandbox: JobRunner,
  { gitDir }: Pick<IndexPackInput, 'gitDir'>,
  { tenant, ...options }: IndexJobOptions,
): void {
  const job = { name: 'prepare', stage: 'source', input: null, tenant, dataFolders: [dirname(gitDir)] } as const;
  // If it fails, the job that follows says why.
  sandbox.run(job, options).catch(() => undefined);
}

/** Rejects with the StageErrors of `indexPack` and those of the sandbox. */
export async function runIndexJob(
  sandbox: JobRunner,
  input: IndexPackInput,
  { tenant, ...options }: IndexJobOptions,
): Promise<IndexedSnapshot> {
  const job = { name: 'indexPack', stage: 'source', input, tenant, dataFolders: [dirname(input.gitDir)] } as const;
  const bytes = await sandbox.run(job, options);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const newline = buffer.indexOf('\n');
  const head = JSON.parse(buffer.toString('utf8', 0, newline)) as Omit<IndexedSnapshot, 'index'>;
  return { ...head, index: buffer.subarray(newline + 1) };
}

export function encodeIndexedSnapshot({ index, ...head }: IndexedSnapshot): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), index]);
}
