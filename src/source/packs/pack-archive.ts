/**
 * Makes a pack of the files of an archive: blobs, trees and one commit, so that an artifact is read like a repository.
 * It works on untrusted bytes, so it runs in the sandbox.
 *
 * Invariants: the tree has the id that git gives to the same files, and the pack depends on nothing but the archive and
 * the given text. A path that comes again counts as it comes last. Memory holds one file and the compressed pack.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { sourceError } from '../../object/source-error.ts';
import { readArchive, type ArchiveFile, type ArchiveLimits } from '../../registry/read-archive.ts';
import type { ObjectType } from './pack-entry.ts';
import { hashObject } from './pack-store.ts';

/** Plain data, since it crosses to the sandbox. */
export interface PackArchiveInput {
  readonly archivePath: string;
  readonly stripsFolder: boolean;
  /** The bytes are no archive, but one file with this name. */
  readonly fileName?: string | undefined;
  /** The address of the artifact, for messages. */
  readonly label: string;
  /** Message of the commit. */
  readonly message: string;
  readonly limits: ArchiveLimits & { readonly maxPackBytes: number };
}

export interface PackedArchive {
  /** 40 hex digits; the commit that the pack holds. */
  readonly commit: string;
  /** The SHA-1 that the pack ends with, in hex. */
  readonly checksum: string;
  readonly pack: Uint8Array;
}

const MODE_OF = {
  file: '100644',
  executable: '100755',
  link: '120000',
} as const satisfies Record<ArchiveFile['type'], string>;

interface Leaf {
  readonly mode: string;
  readonly oid: string;
}

type Folder = Map<string, Leaf | Folder>;

/** Throws StageError MalformedArchive or TooLarge. */
export async function packArchive(input: PackArchiveInput): Promise<PackedArchive> {
  const { archivePath, fileName, label, limits, message } = input;
  const writer = createPackWriter(limits.maxPackBytes, label);
  const root: Folder = new Map();
  if (fileName !== undefined) {
    // Its size was checked while it was downloaded.
    root.set(fileName, { mode: MODE_OF.file, oid: writer.add('blob', readFileSync(archivePath)) });
  } else {
    for await (const { path, type, data } of readArchive(archivePath, input)) {
      place(root, path, { mode: MODE_OF[type], oid: writer.add('blob', data) }, label);
    }
  }
  const tree = writeTree(root, writer);
  const author = 'oci <> 0 +0000';
  const text = `tree ${tree}\nauthor ${author}\ncommitter ${author}\n\n${message}\n`;
  const commit = writer.add('commit', Buffer.from(text));
  return { commit, ...writer.finish() };
}

function place(root: Folder, path: string, leaf: Leaf, label: string): void {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  let folder = root;
  for (const part of parts) {
    const found = folder.get(part) ?? new Map<string, Leaf | Folder>();
    if (!(found instanceof Map)) throw bothKinds(label, path);
    folder.set(part, found);
    folder = found;
  }
  if (folder.get(name) instanceof Map) throw bothKinds(label, path);
  folder.set(name, leaf);
}

function bothKinds(label: string, path: string): Error {
  return sourceError(
    'MalformedArchive',
    `The archive of ${label} is refused: ${JSON.stringify(path.slice(0, 120))}, or a folder above it, is a file in one entry and a folder in another.`,
  );
}

/** The id of the tree. A folder has at most `maxTreeDepth` levels, which the archive was checked for. */
function writeTree(folder: Folder, writer: PackWriter): string {
  const rows = [...folder].map(([name, entry]) => {
    const isFolder = entry instanceof Map;
    const { mode, oid } = isFolder ? { mode: '40000', oid: writeTree(entry, writer) } : entry;
    return {
      // Git sorts a folder as if its name ended in a slash.
      order: Buffer.from(isFolder ? `${name}/` : name),
      bytes: Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
    };
  });
  rows.sort((one, other) => Buffer.compare(one.order, other.order));
  return writer.add('tree', Buffer.concat(rows.map(({ bytes }) => bytes)));
}

interface PackWriter {
  /** The id of the object, which is written once. */
  add(type: ObjectType, data: Buffer): string;
  finish(): Pick<PackedArchive, 'checksum' | 'pack'>;
}

const TYPE_BITS: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };
/** Packs are read more often than they are written, and mostly small. */
const DEFLATE_LEVEL = 3;

/** Writes a pack of whole objects (gitformat-pack). */
function createPackWriter(maxPackBytes: number, label: string): PackWriter {
  const known = new Set<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    add(type, data) {
      const oid = hashObject(type, data).toString('hex');
      if (known.has(oid)) return oid;
      known.add(oid);
      const entry = Buffer.concat([entryHeader(type, data.length), deflateSync(data, { level: DEFLATE_LEVEL })]);
      bytes += entry.length;
      if (bytes > maxPackBytes) {
        throw sourceError('TooLarge', `The files of ${label} exceed ${maxPackBytes} bytes (maxPackBytes).`);
      }
      chunks.push(entry);
      return oid;
    },
    finish() {
      const header = Buffer.alloc(12);
      header.write('PACK', 'latin1');
      header.writeUInt32BE(2, 4);
      header.writeUInt32BE(known.size, 8);
      const hash = createHash('sha1').update(header);
      for (const chunk of chunks) hash.update(chunk);
      const checksum = hash.digest();
      return { checksum: checksum.toString('hex'), pack: Buffer.concat([header, ...chunks, checksum]) };
    },
  };
}

function entryHeader(type: ObjectType, sizeBytes: number): Buffer {
  const bytes: number[] = [];
  let byte = (TYPE_BITS[type] << 4) | (sizeBytes & 0x0f);
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest & 0x7f;
  }
  return Buffer.from([...bytes, byte]);
}
