/**
 * Finds and reads files for render/.
 *
 * Invariant: a path never leaves the tree, and every file is checked against the limits before it is read.
 */
import { StageError } from '../object/stage-error.ts';
import type { DocumentCache } from './document-cache.ts';
import { refuseSubmodule } from './explain-absent.ts';
import { fail, problemOf } from './fail.ts';
import type { FileTree } from './file-tree.ts';
import { isLfsPointer } from './lfs/lfs-pointer.ts';
import type { RenderLimits } from './manifests.ts';
import type { Answer, Answers, Need, TreeOrigin } from './needs.ts';
import { sealedNeed } from './sealed/sealed-need.ts';
import { readSealed } from './sealed/sealed-file.ts';

export interface RenderContext {
  readonly tree: FileTree;
  readonly limits: RenderLimits;
  /** Messages for people; they never prevent anything. */
  readonly warnings: string[];
  /** Paths of the files read so far; bounded by `maxFiles`. */
  readonly filesRead: Set<string>;
  /** Kustomizations visited, characters generated, sealed bytes asked for and submodules so far, all bounded. */
  readonly usage: {
    kustomizations: number;
    generatedChars: number;
    sealedBytes: number;
    submodules: number;
    /** Sizes of files in LFS in bytes, by the keys of their needs. */
    readonly lfs: Map<string, number>;
  };
  /** Whether sealed files are opened; otherwise each is a problem. */
  readonly opensSealed: boolean;
  /** The sealed files read so far, by path: no problem shows their content. */
  readonly sealedFiles: Map<string, SealedContent>;
  /** Parsed files of earlier renders; undefined for a render without a cache. */
  readonly cache: DocumentCache | undefined;
  /** Trees beside `tree`: sources of spec.sources by `$name`, and the trees that answer needs by their key. */
  readonly trees: ReadonlyMap<string, RenderTree>;
  readonly answers: Answers;
  /** Needs that have no answer yet; they grow while the render goes on. */
  readonly needs: Need[];
  /** Keys of the answers that were used. */
  readonly answersUsed: Set<string>;
}

export interface SealedContent {
  readonly sealed: Uint8Array;
  /** undefined: it is not opened yet. */
  readonly opened: Uint8Array | undefined;
  /**
   * How often the file was read into objects that are known to hold it: its own ones, or a Secret. After any other
   * read, such as that of a patch, every object of the render may hold a part of it.
   */
  readonly containedReads: number;
  readonly reads: number;
}

/** Called after a read of a file whose content stays in its own objects or in a Secret. */
export function markContained({ sealedFiles }: Pick<RenderContext, 'sealedFiles'>, file: string): void {
  const content = sealedFiles.get(file);
  if (content) sealedFiles.set(file, { ...content, containedReads: content.containedReads + 1 });
}

/** A tree with the folder in it that a path begins at. */
export interface RenderTree {
  readonly tree: FileTree;
  readonly path: string;
  /** Absent: nothing but the objects of the tree is read. */
  readonly origin?: TreeOrigin | undefined;
}

/**
 * The answer to a need. undefined: it has none yet, and the result of this render does not count, so the caller goes
 * on without it to find the other needs. Fails with the problem of an answer that cannot be brought.
 */
export function ask(
  { answers, needs, answersUsed }: Pick<RenderContext, 'answers' | 'needs' | 'answersUsed'>,
  need: Need,
): Answer | undefined {
  const answer = answers.get(need.key);
  if (answer) answersUsed.add(need.key);
  if (answer?.type === 'refused') {
    const { code, message, ...rest } = answer.problem;
    const { file, line } = need;
    fail(code, message, { ...rest, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) });
  }
  if (answer === undefined && needs.every(({ key }) => key !== need.key)) needs.push(need);
  return answer;
}

/** Bound on the text that generators, replacements and vars create in one render, in multiples of the largest file. */
const MAX_GENERATED_FILES = 32;

/** Counts text that generators, replacements or vars create. Fails with LimitExceeded. */
export function countGenerated({ usage, limits }: Pick<RenderContext, 'usage' | 'limits'>, chars: number): void {
  usage.generatedChars += chars;
  if (usage.generatedChars <= MAX_GENERATED_FILES * limits.maxFileBytes) return;
  fail(
    'LimitExceeded',
    `generators, replacements and vars create more than ${MAX_GENERATED_FILES} × ${limits.maxFileBytes} bytes`,
  );
}

/** Counts a visit to a kustomization; one that two others name is visited twice. Fails with LimitExceeded. */
export function countKustomization({ usage, limits }: Pick<RenderContext, 'usage' | 'limits'>): void {
  usage.kustomizations += 1;
  if (usage.kustomizations <= limits.maxFiles) return;
  fail(
    'LimitExceeded',
    `more than ${limits.maxFiles} kustomizations are built; one that is named several times counts each time`,
  );
}

/** Joins a relative path to a folder of the tree; undefined if the result is outside the tree. */
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

/**
 * The bytes of a file; those of a sealed file are opened. Fails with PathNotFound, PathEscapesRoot, LimitExceeded,
 * Sealed or DecryptionFailed. `name`: tells the form of a sealed file, if it is not its path that does.
 */
export function readBytes(context: RenderContext, path: string, name = path): Uint8Array {
  return openSealed(context, { bytes: readStoredBytes(context, path), name, file: path });
}

/** The bytes of a file as they are, sealed or not. Fails with PathNotFound, PathEscapesRoot or LimitExceeded. */
export function readStoredBytes(context: RenderContext, path: string): Uint8Array {
  checkFile(context, path);
  const bytes = readFrom(context.tree, path);
  if (isLfsPointer(bytes)) refusePointer(path);
  return bytes;
}

function readFrom(tree: FileTree, path: string): Uint8Array {
  try {
    return tree.read(path);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { code, message } = problemOf(error);
    return fail(code, message, { file: path });
  }
}

/** Fails for a pointer of Git LFS. */
export function refusePointer(file: string): never {
  fail('Unsupported', 'the file is a pointer of Git LFS, whose content is not fetched', {
    ...{ file, line: 1 },
    hint: 'Set spec.source.lfs to true, or commit the file itself.',
  });
}

/** Checks that a file exists within all limits, and counts it as read. Fails like `readBytes`. */
export function checkFile(context: RenderContext, path: string): { oid: string; sizeBytes: number } {
  const found = context.tree.find(path);
  if (found.type === 'outside') fail('PathEscapesRoot', `${path} is a link that leaves the repository`, { file: path });
  if (found.type === 'folder') fail('PathNotFound', `${path} is a folder, not a file`, { file: path });
  if (found.type === 'absent') {
    refuseSubmodule(context.tree, path, { file: path });
    fail('PathNotFound', `there is no file ${path}`, { file: path });
  }
  if (found.sizeBytes > context.limits.maxFileBytes) {
    const message = `the file has ${found.sizeBytes} bytes; at most ${context.limits.maxFileBytes} are allowed`;
    fail('LimitExceeded', message, { file: path });
  }
  context.filesRead.add(path);
  if (context.filesRead.size > context.limits.maxFiles) {
    fail('LimitExceeded', `more than ${context.limits.maxFiles} files are read`, { file: path });
  }
  return found;
}

/** Bound on the sealed bytes that one render asks for, in multiples of the largest file. */
const MAX_SEALED_FILES = 4;

interface Stored {
  readonly bytes: Uint8Array;
  /** Tells the form of a sealed file by its end. */
  readonly name: string;
  /** The file that the bytes are from, for problems, with the line if it is known. */
  readonly file: string;
  readonly line?: number;
}

/**
 * The bytes themselves, or the opened ones if SOPS has sealed them. While they are not opened yet, the sealed bytes
 * stand in for them, so that the render finds its other needs. Fails with Sealed, DecryptionFailed or LimitExceeded.
 */
export function openSealed(context: RenderContext, { bytes, name, file, line }: Stored): Uint8Array {
  const { limits, opensSealed, sealedFiles, usage } = context;
  const sealed = readSealed(bytes, name, limits);
  if (sealed === undefined) return bytes;
  const place = line === undefined ? { file } : { file, line };
  if (!opensSealed) {
    fail('Sealed', 'the file is sealed by SOPS, and no key is given to open it', {
      ...place,
      hint: 'Name the Secret with the keys in spec.render.decryption, or at the command line the program with --sops.',
    });
  }
  if ('malformed' in sealed) {
    fail('DecryptionFailed', `the file is sealed by SOPS, and cannot be opened: ${sealed.malformed}`, place);
  }
  const need = { ...sealedNeed(bytes, sealed), ...place };
  if (!context.answers.has(need.key)) {
    usage.sealedBytes += bytes.length;
    const maxBytes = MAX_SEALED_FILES * limits.maxFileBytes;
    if (usage.sealedBytes > maxBytes) {
      fail('LimitExceeded', `the sealed files of one render have more than ${maxBytes} bytes`, place);
    }
  }
  const answer = ask(context, need);
  const opened = answer?.type === 'opened' ? answer.bytes : undefined;
  const { reads = 0, containedReads = 0 } = sealedFiles.get(file) ?? {};
  sealedFiles.set(file, { sealed: bytes, opened, containedReads, reads: reads + 1 });
  return opened ?? bytes;
}

const UTF8 = { fatal: true, ignoreBOM: true } as const;

/**
 * The text of a file in UTF-8, or in UTF-16 with a byte order mark. The mark is dropped, and line ends become `\n`.
 * kustomize finds no `---` in UTF-16, so it reads only the first document there.
 */
export function readText(context: RenderContext, path: string): string {
  return decodeText(readBytes(context, path), path);
}

function decodeText(bytes: Uint8Array, path: string): string {
  const text = decodeUtf8(bytes) ?? decodeUtf16(bytes);
  if (text === undefined) fail('YamlSyntax', 'the file is not UTF-8', { file: path });
  const bare = text.startsWith('\ufeff') ? text.slice(1) : text;
  return bare.includes('\r\n') ? bare.replaceAll('\r\n', '\n') : bare;
}

function decodeUtf16(bytes: Uint8Array): string | undefined {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-16be';
  if (encoding === 'utf-16be' && (bytes[0] !== 0xfe || bytes[1] !== 0xff)) return undefined;
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes).replaceAll('\r\n', '\n');
    const first = /^(?:\s*(?:#[^\n]*)?\n)*(?:---[^\n]*\n)?/.exec(text)?.[0].length ?? 0;
    const next = /\n---(?=[ \t\n]|$)/.exec(text.slice(first));
    return next === null ? text : text.slice(0, first + next.index + 1);
  } catch {
    return undefined;
  }
}

/** Decodes UTF-8, keeping a byte order mark; undefined if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', UTF8).decode(bytes);
  } catch {
    return undefined;
  }
}
