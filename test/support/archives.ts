/** Makes tar archives for tests: whole ones, and ones that no tool would make. Equal entries give equal bytes. */
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export interface ArchiveEntry {
  readonly name: string;
  /** Default: a file. */
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'fifo' | 'character-device';
  readonly data?: string | Uint8Array;
  readonly linkname?: string;
  /** Default: 0o644. */
  readonly mode?: number;
}

export async function tarOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { data = '', ...header } of entries) archive.entry({ mtime: new Date(0), ...header }, Buffer.from(data));
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function tgzOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  return gzipSync(await tarOf(entries));
}

/** The files of a packaged chart, all in the folder of its name. */
export function chartEntries(
  name: string,
  version: string,
  files: Readonly<Record<string, string>> = {},
): ArchiveEntry[] {
  const all = { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n`, ...files };
  return Object.entries(all).map(([path, data]) => ({ name: `${name}/${path}`, data }));
}
