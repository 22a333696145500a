/** The job `indexPack` of the sandbox. Its result crosses as one buffer: a line of JSON, then the index. */
import type { IndexedSnapshot, IndexPackInput } from './pack-index.ts';

/** The part of the sandbox that source/ uses. */
export interface JobRunner {
  run(
    job: { readonly name: string; readonly stage: 'source'; readonly input: unknown },
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;
}

export interface IndexJobOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Rejects with the StageErrors of `indexPack` and those of the sandbox. */
export async function runIndexJob(
  sandbox: JobRunner,
  input: IndexPackInput,
  options: IndexJobOptions,
): Promise<IndexedSnapshot> {
  const bytes = await sandbox.run({ name: 'indexPack', stage: 'source', input }, options);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const newline = buffer.indexOf('\n');
  const head = JSON.parse(buffer.toString('utf8', 0, newline)) as Omit<IndexedSnapshot, 'index'>;
  return { ...head, index: buffer.subarray(newline + 1) };
}

export function encodeIndexedSnapshot({ index, ...head }: IndexedSnapshot): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), index]);
}
