/**
 * The jobs of the sandbox on archives and indexes. The result of `packArchive` crosses as one buffer: a line of JSON,
 * then the pack; that of `readChartIndex` is JSON.
 */
import { dirname } from 'node:path';
import type { ListedVersion, ReadIndexInput } from '../../registry/chart-index.ts';
import type { IndexJobOptions, JobRunner } from './index-job.ts';
import type { PackArchiveInput, PackedArchive } from './pack-archive.ts';

/** Rejects with the StageErrors of `packArchive` and those of the sandbox. */
export async function runArchiveJob(
  sandbox: JobRunner,
  input: PackArchiveInput,
  { tenant, ...options }: IndexJobOptions,
): Promise<PackedArchive> {
  // The folder of all snapshots of the artifact, as for the check of the pack that follows in the same child.
  const dataFolders = [dirname(dirname(input.archivePath))];
  const job = { name: 'packArchive', stage: 'source', input, tenant, dataFolders } as const;
  const bytes = await sandbox.run(job, options);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const newline = buffer.indexOf('\n');
  const head = JSON.parse(buffer.toString('utf8', 0, newline)) as Omit<PackedArchive, 'pack'>;
  return { ...head, pack: buffer.subarray(newline + 1) };
}

export function encodePackedArchive({ pack, ...head }: PackedArchive): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), pack]);
}

/** undefined: the index does not know the chart. Rejects with the StageErrors of `readChartIndex` and the sandbox. */
export async function runChartIndexJob(
  sandbox: JobRunner,
  input: ReadIndexInput,
  { tenant, ...options }: IndexJobOptions,
): Promise<readonly ListedVersion[] | undefined> {
  const dataFolders = [dirname(input.path)];
  const job = { name: 'readChartIndex', stage: 'source', input, tenant, dataFolders } as const;
  const bytes = await sandbox.run(job, options);
  return (JSON.parse(Buffer.from(bytes).toString('utf8')) as readonly ListedVersion[] | null) ?? undefined;
}
