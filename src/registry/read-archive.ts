/**
 * Reads the files of a tar archive, plain or compressed by gzip. It works on untrusted bytes, so it runs in the
 * sandbox.
 *
 * Invariants: no path leaves the archive, and none is one that git would refuse. Links are passed on as they are, and
 * nothing follows them here. Inflated bytes, entries, depth and the size of each file are bounded while the archive is
 * read, so a small archive that inflates without end stops early.
 */
import { createReadStream, openSync, readSync, closeSync } from 'node:fs';
import { Transform, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Extract, type Header } from 'tar-stream';
import { StageError } from '../object/stage-error.ts';
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';

export interface ArchiveFile {
  /** Without empty, `.` and `..` segments. */
  readonly path: string;
  readonly type: 'file' | 'executable' | 'link';
  /** The content; of a link, its target. */
  readonly data: Buffer;
}

export interface ArchiveLimits {
  readonly maxInflatedArchiveBytes: number;
  readonly maxObjectBytes: number;
  readonly maxFiles: number;
  readonly maxTreeDepth: number;
}

export interface ReadArchiveOptions {
  /** Whether everything lies in one folder that is not part of the content, as in a packaged chart. */
  readonly stripsFolder: boolean;
  /** The address of the artifact, for messages. */
  readonly label: string;
  readonly limits: ArchiveLimits;
}

/** The files in the order of the archive; a path may come again. Throws StageError MalformedArchive or TooLarge. */
export async function* readArchive(path: string, options: ReadArchiveOptions): AsyncIterable<ArchiveFile> {
  const { label, limits } = options;
  const pathOf = createPathReader(options);
  const archive = openEntries(path, options);
  let entries = 0;
  try {
    for await (const entry of archive.entries) {
      entries += 1;
      if (entries > limits.maxFiles) {
        throw sourceError('TooLarge', `${label} holds more than ${limits.maxFiles} files (maxFiles).`);
      }
      const file = await readEntry(entry, pathOf, options);
      if (file) yield file;
    }
  } catch (error) {
    throw archive.failure() ?? toStageError(error, label);
  }
}

/** One entry with its content to read. */
type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** undefined: a folder, which has no content of its own. */
async function readEntry(
  entry: Entry,
  pathOf: (name: string) => string,
  options: ReadArchiveOptions,
): Promise<ArchiveFile | undefined> {
  const { header } = entry;
  const { label, limits } = options;
  if (header.type !== 'file' && header.type !== 'symlink' && header.type !== 'directory') {
    throw refused(label, header.name, `is a ${KIND_WORDS[header.type] ?? 'special file'}`);
  }
  const path = pathOf(header.name);
  if (header.type === 'directory') {
    entry.resume();
    return undefined;
  }
  if (path === '') throw refused(label, header.name, 'has no name');
  if (header.type === 'symlink') {
    entry.resume();
    return { path, type: 'link', data: linkTarget(header, label) };
  }
  if (header.size > limits.maxObjectBytes) {
    throw sourceError(
      'TooLarge',
      `${label} holds ${JSON.stringify(cleanText(path))} of ${header.size} bytes, more than ${limits.maxObjectBytes} (maxObjectBytes).`,
    );
  }
  const chunks: Buffer[] = [];
  for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
  const isExecutable = (header.mode & 0o100) !== 0;
  return { path, type: isExecutable ? 'executable' : 'file', data: Buffer.concat(chunks) };
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  link: 'hard link',
  'character-device': 'device',
  'block-device': 'device',
  fifo: 'pipe',
};

const MAX_PATH_CHARS = 4_096;

function linkTarget({ name, linkname }: Header, label: string): Buffer {
  // The package answers null for a link without a target.
  if (!linkname || linkname.length > MAX_PATH_CHARS || /[\0\ufffd]/.test(linkname)) {
    throw refused(label, name, 'is a link without a target that can be read');
  }
  return Buffer.from(linkname);
}

/** Checks the names of entries, and takes the first folder off where the archive is that of a chart. */
function createPathReader({ stripsFolder, label, limits }: ReadArchiveOptions): (name: string) => string {
  let top: string | undefined;
  return (name) => {
    if (name.length > MAX_PATH_CHARS) throw refused(label, name, 'has a path that is too long');
    // The reader of the archive puts the last sign where bytes are no UTF-8: two files could get one name.
    if (/[\0\\\ufffd]/.test(name)) throw refused(label, name, 'has a character in its path that is not allowed');
    if (name.startsWith('/')) throw refused(label, name, 'has an absolute path');
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw refused(label, name, 'leads out of the archive');
    if (parts.some((part) => part.toLowerCase() === '.git')) throw refused(label, name, 'lies in a folder .git');
    if (parts.length > limits.maxTreeDepth) throw refused(label, name, 'lies in too many folders (maxTreeDepth)');
    if (!stripsFolder || parts.length === 0) return parts.join('/');
    top ??= parts[0];
    if (parts[0] !== top)
      throw refused(label, name, `is not in the folder ${JSON.stringify(cleanText(top ?? ''))} of the chart`);
    return parts.slice(1).join('/');
  };
}

function refused(label: string, name: string, defect: string): Error {
  return sourceError(
    'MalformedArchive',
    `The archive of ${label} is refused: the entry ${JSON.stringify(cleanText(name))} ${defect}. Push it without this entry.`,
  );
}

interface OpenArchive {
  readonly entries: AsyncIterable<Entry>;
  /** The error that ended the archive early, if it is one of ours. */
  failure(): StageError | undefined;
}

function openEntries(path: string, options: ReadArchiveOptions): OpenArchive {
  const entries = extract();
  const counter = countBytes(options);
  let failure: StageError | undefined;
  const onEnd = (error: unknown): void => {
    if (error instanceof StageError) failure = error;
    // A stream of tar-stream is no stream of Node's, so the pipeline does not always end it.
    if (error instanceof Error) entries.destroy(error);
  };
  const file = createReadStream(path);
  if (isGzip(path)) pipeline(file, createGunzip(), counter, entries, onEnd);
  else pipeline(file, counter, entries, onEnd);
  return { entries, failure: () => failure };
}

function countBytes({ label, limits }: ReadArchiveOptions): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= limits.maxInflatedArchiveBytes) return done(null, chunk);
      return done(
        sourceError(
          'TooLarge',
          `The archive of ${label} inflates to more than ${limits.maxInflatedArchiveBytes} bytes (maxInflatedArchiveBytes).`,
        ),
      );
    },
  });
}

function isGzip(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    readSync(fd, magic, 0, 2, 0);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(fd);
  }
}

function toStageError(error: unknown, label: string): unknown {
  if (error instanceof StageError || !(error instanceof Error)) return error;
  return sourceError(
    'MalformedArchive',
    `${label} holds no complete tar archive (${cleanText(error.message, 80)}). Push it again.`,
  );
}
