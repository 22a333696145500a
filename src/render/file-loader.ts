/**
 * Finds and reads files for render/: paths are joined inside the tree, never outside it, and every file is held to the
 * limits before it is read.
 */
import { StageError } from '../object/stage-error.ts';
import type { DocumentCache } from './document-cache.ts';
import { fail } from './fail.ts';
import type { FileTree } from './file-tree.ts';
import type { RenderLimits } from './manifests.ts';

export interface RenderContext {
  readonly tree: FileTree;
  readonly limits: RenderLimits;
  /** For people; never a reason to hold anything back. */
  readonly warnings: string[];
  /** Paths of the files read so far, against `maxFiles`. */
  readonly filesRead: Set<string>;
  /** What this render has done so far, against its bounds. */
  readonly done: { kustomizations: number; chars: number };
  /** Parsed files of earlier renders, if there is a place for them. */
  readonly cache: DocumentCache | undefined;
}

/** How many texts as long as the largest file one render may make: copies by generators, replacements and vars. */
const MOST_MADE_FILES = 32;

/** Counts a text that is made beside what the files hold. Fails with LimitExceeded. */
export function countMade({ done, limits }: Pick<RenderContext, 'done' | 'limits'>, chars: number): void {
  done.chars += chars;
  if (done.chars <= MOST_MADE_FILES * limits.maxFileBytes) return;
  fail(
    'LimitExceeded',
    `generators, replacements and vars make more than ${MOST_MADE_FILES} × ${limits.maxFileBytes} bytes`,
  );
}

/** Counts a visit to a kustomization: one that two others name is visited twice. Fails with LimitExceeded. */
export function countKustomization({ done, limits }: Pick<RenderContext, 'done' | 'limits'>): void {
  done.kustomizations += 1;
  if (done.kustomizations <= limits.maxFiles) return;
  fail('LimitExceeded', `more than ${limits.maxFiles} kustomizations are built, each counted as often as it is named`);
}

/** Joins a relative path to a folder of the tree; undefined where it leaves the tree. */
export function joinPath(folder: string, path: string): string | undefined {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

export function isInside(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** The bytes of a file. Fails with PathNotFound, PathEscapesRoot or LimitExceeded. */
export function readBytes(context: RenderContext, path: string): Uint8Array {
  checkFile(context, path);
  try {
    return context.tree.read(path);
  } catch (error) {
    if (error instanceof StageError) fail('LimitExceeded', error.message, { file: path });
    throw error;
  }
}

/** Makes sure that there is a file within all bounds, and counts it as read. */
export function checkFile(context: RenderContext, path: string): { oid: string; sizeBytes: number } {
  const found = context.tree.find(path);
  if (found.type === 'outside') fail('PathEscapesRoot', `${path} is a link that leaves the repository`, { file: path });
  if (found.type === 'folder') fail('PathNotFound', `${path} is a folder, not a file`, { file: path });
  if (found.type === 'absent') fail('PathNotFound', `there is no file ${path}`, { file: path });
  if (found.sizeBytes > context.limits.maxFileBytes) {
    const message = `the file has ${found.sizeBytes} bytes, more than the ${context.limits.maxFileBytes} allowed`;
    fail('LimitExceeded', message, { file: path });
  }
  context.filesRead.add(path);
  if (context.filesRead.size > context.limits.maxFiles) {
    fail('LimitExceeded', `more than ${context.limits.maxFiles} files are read`, { file: path });
  }
  return found;
}

const UTF8 = { fatal: true, ignoreBOM: true } as const;

/** The text of a file that must be UTF-8; a byte order mark is dropped, line ends become `\n`. */
export function readText(context: RenderContext, path: string): string {
  const text = decodeUtf8(readBytes(context, path));
  if (text === undefined) fail('YamlSyntax', 'the file is not UTF-8', { file: path });
  const bare = text.startsWith('\ufeff') ? text.slice(1) : text;
  return bare.includes('\r\n') ? bare.replaceAll('\r\n', '\n') : bare;
}

/** The text that bytes hold, a byte order mark included, or undefined if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', UTF8).decode(bytes);
  } catch {
    return undefined;
  }
}
