/**
 * Builds packs by hand, entry by entry (gitformat-pack), so that a test can make one that is wrong in any way.
 *
 * Invariant: a pack ends with the checksum of its bytes; a test that needs a wrong checksum changes it afterwards.
 */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

export const COMMIT = 1;
export const TREE = 2;
export const BLOB = 3;
export const OFFSET_DELTA = 6;
export const REF_DELTA = 7;

const TYPE_NAME: Readonly<Record<number, string>> = { 1: 'commit', 2: 'tree', 3: 'blob' };

/** 40 hex digits. */
export function oidOf(type: number, content: Uint8Array): string {
  return createHash('sha1').update(`${TYPE_NAME[type]} ${content.length}\0`).update(content).digest('hex');
}

/** The type and size with which a pack entry begins. */
export function entryHead(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)];
  for (let left = Math.floor(size / 16); left > 0; left = Math.floor(left / 128)) {
    bytes[bytes.length - 1]! |= 0x80;
    bytes.push(left % 128);
  }
  return Buffer.from(bytes);
}

/** Each compression keeps a buffer of this size until memory is collected; the default of zlib is 16 KiB. */
const CHUNK_BYTES = 1_024;

/** `base`: for a delta, the bytes that name its base. */
export function entry(type: number, content: Uint8Array, base: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([entryHead(type, content.length), base, deflateSync(content, { chunkSize: CHUNK_BYTES })]);
}

/** `count`: the number of entries that the pack claims to hold. */
export function packOf(entries: readonly Uint8Array[], count = entries.length): Buffer {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  head.writeUInt32BE(count, 8);
  const body = Buffer.concat([head, ...entries]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** A size in the encoding of a delta. */
export function sizeBytes(size: number): number[] {
  return size < 128 ? [size] : [(size & 127) | 128, ...sizeBytes(Math.floor(size / 128))];
}

/** A delta that copies a whole base of less than 64 KiB and appends a text. */
export function appendingDelta(baseSize: number, text: string): Buffer {
  const copy = [0x80 | 0x10 | 0x20, baseSize & 255, baseSize >> 8];
  return Buffer.from([
    ...sizeBytes(baseSize),
    ...sizeBytes(baseSize + text.length),
    ...copy,
    text.length,
    ...Buffer.from(text),
  ]);
}

export interface TreeRow {
  /** Octal, as a tree holds it. Default: 100644. */
  readonly mode?: string;
  readonly name: string;
  /** 40 hex digits. */
  readonly oid: string;
}

/** The bytes of a tree, with the given names in the given order. */
export function treeOf(rows: readonly TreeRow[]): Buffer {
  return Buffer.concat(
    rows.flatMap(({ mode = '100644', name, oid }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  );
}

/** A commit of one tree with these files, and the pack entries of commit and tree, without the blobs. */
export function commitOf(files: Readonly<Record<string, string>>) {
  return commitOfTree(treeOf(Object.entries(files).map(([name, oid]) => ({ name, oid }))));
}

export function commitOfTree(tree: Uint8Array) {
  const content = Buffer.from(`tree ${oidOf(TREE, tree)}\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n`);
  return { commit: oidOf(COMMIT, content), content, entries: [entry(COMMIT, content), entry(TREE, tree)] };
}
