/**
 * Reads one entry of a pack (gitformat-pack): its header and its inflated data; and applies a delta to its base.
 *
 * Invariant: a size that an entry claims is checked against a bound before memory is allocated for it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface PackFile {
  readonly sizeBytes: number;
  /** `lengthBytes` bytes from `offset`, fewer at the end of the file; valid until the next call. */
  view(offset: number, lengthBytes: number): Buffer;
  close(): void;
}

export interface PackEntry {
  readonly type: ObjectType | 'delta';
  /** A delta has one of these: the offset of its base in the same pack, or the id of its base. */
  readonly baseOffset?: number;
  readonly baseOid?: string;
  readonly data: Buffer;
  /** Offset of the next entry. */
  readonly endOffset: number;
}

const TYPE_OF: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFFSET_DELTA = 6;
const REF_DELTA = 7;

/** Type and size take at most 9 bytes, the base at most 20. */
const MAX_HEADER_BYTES = 32;
const CHECKSUM_BYTES = 20;

/** Reads at least `windowBytes` at a time: choose it large to read a whole pack, small to read single objects. */
export function openPackFile(path: string, windowBytes: number): PackFile {
  const fd = openSync(path, 'r');
  const sizeBytes = fstatSync(fd).size;
  let window = Buffer.alloc(0);
  let start = 0;
  let end = 0;
  return {
    sizeBytes,
    view(offset, lengthBytes) {
      const wantedEnd = Math.min(sizeBytes, offset + lengthBytes);
      if (offset < start || wantedEnd > end) {
        const length = Math.max(0, Math.min(sizeBytes - offset, Math.max(lengthBytes, windowBytes)));
        if (window.length < length) window = Buffer.allocUnsafeSlow(length);
        start = offset;
        end = offset + readFully(fd, window, length, offset);
      }
      return window.subarray(offset - start, Math.min(end, offset + lengthBytes) - start);
    },
    close: () => closeSync(fd),
  };
}

/** Throws StageError CorruptPack or TooLarge. */
export function readEntry(pack: PackFile, offset: number, maxObjectBytes: number): PackEntry {
  const header = parseHeader(pack.view(offset, MAX_HEADER_BYTES), offset);
  checkObjectSize(header.sizeBytes, maxObjectBytes);
  const dataOffset = offset + header.lengthBytes;
  const { data, packedBytes } = inflateAt(pack, dataOffset, header.sizeBytes);
  const endOffset = dataOffset + packedBytes;
  if (endOffset > pack.sizeBytes - CHECKSUM_BYTES) throw corrupt('an entry reaches beyond the end of the pack');
  const { type, baseOffset, baseOid } = header;
  return { type, data, endOffset, ...(baseOffset !== undefined && { baseOffset }), ...(baseOid && { baseOid }) };
}

/** Applies a delta to its base. Throws StageError CorruptPack or TooLarge. */
export function applyDelta(base: Buffer, delta: Buffer, maxObjectBytes: number): Buffer {
  const cursor = { at: 0 };
  if (readSize(delta, cursor) !== base.length) throw corrupt('a delta does not fit its base');
  const sizeBytes = readSize(delta, cursor);
  checkObjectSize(sizeBytes, maxObjectBytes);
  const result = Buffer.allocUnsafe(sizeBytes);
  let written = 0;
  while (cursor.at < delta.length) {
    const command = delta[cursor.at++] as number;
    if (command === 0) throw corrupt('a delta holds an unknown command');
    const source = command & 0x80 ? base : delta;
    const from = command & 0x80 ? readCopy(delta, cursor, command, 4) : cursor.at;
    const length = command & 0x80 ? readCopy(delta, cursor, command >> 4, 3) || 0x10000 : command;
    if (from + length > source.length || written + length > sizeBytes) throw corrupt('a delta copies out of range');
    source.copy(result, written, from, from + length);
    written += length;
    if (source === delta) cursor.at += length;
  }
  if (written !== sizeBytes) throw corrupt('a delta ends early');
  return result;
}

/** The size that a delta claims for its result. */
export function deltaResultBytes(delta: Buffer): number {
  const cursor = { at: 0 };
  readSize(delta, cursor);
  return readSize(delta, cursor);
}

export function corrupt(defect: string): Error {
  return sourceError('CorruptPack', `The fetched pack is damaged: ${defect}. Tautline fetches it again.`);
}

export function checkObjectSize(sizeBytes: number, maxObjectBytes: number): void {
  if (sizeBytes <= maxObjectBytes) return;
  throw sourceError(
    'TooLarge',
    `The repository holds an object of ${sizeBytes} bytes, more than ${maxObjectBytes} (maxObjectBytes). Keep large files out of it.`,
  );
}

interface EntryHeader {
  readonly type: ObjectType | 'delta';
  readonly sizeBytes: number;
  readonly lengthBytes: number;
  readonly baseOffset?: number;
  readonly baseOid?: string;
}

function parseHeader(bytes: Buffer, offset: number): EntryHeader {
  const cursor = { at: 0 };
  const first = nextByte(bytes, cursor);
  let sizeBytes = first & 0x0f;
  let factor = 16;
  for (let byte = first; byte & 0x80; factor *= 128) {
    byte = nextByte(bytes, cursor);
    sizeBytes += (byte & 0x7f) * factor;
    if (!Number.isSafeInteger(sizeBytes)) throw corrupt('an entry claims an impossible size');
  }
  const kind = (first >> 4) & 7;
  const type = TYPE_OF[kind];
  if (type) return { type, sizeBytes, lengthBytes: cursor.at };
  if (kind === REF_DELTA) {
    if (bytes.length < cursor.at + 20) throw corrupt('an entry is cut off');
    const baseOid = bytes.toString('hex', cursor.at, cursor.at + 20);
    return { type: 'delta', sizeBytes, lengthBytes: cursor.at + 20, baseOid };
  }
  if (kind !== OFFSET_DELTA) throw corrupt('an entry has an unknown type');
  let byte = nextByte(bytes, cursor);
  let distance = byte & 0x7f;
  while (byte & 0x80) {
    byte = nextByte(bytes, cursor);
    distance = (distance + 1) * 128 + (byte & 0x7f);
    if (distance > offset) break;
  }
  if (distance <= 0 || distance > offset) throw corrupt('the base of a delta is before the beginning of the pack');
  return { type: 'delta', sizeBytes, lengthBytes: cursor.at, baseOffset: offset - distance };
}

interface InflateInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const MIN_CHUNK_BYTES = 64;
const MAX_CHUNK_BYTES = 1_048_576;

function inflateAt(pack: PackFile, offset: number, sizeBytes: number): { data: Buffer; packedBytes: number } {
  // The bound of zlib for its worst settings. Other encoders get twice that before the entry counts as damaged.
  const boundBytes = sizeBytes + (sizeBytes >> 3) + (sizeBytes >> 6) + 64;
  const options = {
    info: true,
    maxOutputLength: Math.max(1, sizeBytes),
    chunkSize: Math.min(Math.max(sizeBytes + 1, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES),
  };
  for (const lengthBytes of [boundBytes, 2 * boundBytes + 65_536]) {
    const input = pack.view(offset, lengthBytes);
    try {
      // The option `info` is documented, but the types lack its result.
      const { buffer, engine } = inflateSync(input, options) as unknown as InflateInfo;
      if (buffer.length !== sizeBytes) throw corrupt('the size of an object is not the one in its entry');
      return { data: buffer, packedBytes: engine.bytesWritten };
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      const isShort = code === 'Z_BUF_ERROR' && input.length === lengthBytes;
      if (isShort && lengthBytes === boundBytes) continue;
      if (error instanceof Error && error.name === 'StageError') throw error;
      throw corrupt(`an object cannot be inflated (${cleanText(String(code), 40)})`);
    }
  }
  throw corrupt('an object cannot be inflated');
}

/** A little-endian number of which only those bytes are stored whose bit in `mask` is set; the others are 0. */
function readCopy(delta: Buffer, cursor: { at: number }, mask: number, bytes: number): number {
  let value = 0;
  for (let index = 0; index < bytes; index++) {
    if (mask & (1 << index)) value += nextByte(delta, cursor) * 2 ** (8 * index);
  }
  return value;
}

function readSize(delta: Buffer, cursor: { at: number }): number {
  let size = 0;
  let factor = 1;
  for (;;) {
    const byte = nextByte(delta, cursor);
    size += (byte & 0x7f) * factor;
    if (!Number.isSafeInteger(size)) throw corrupt('a delta claims an impossible size');
    if (!(byte & 0x80)) return size;
    factor *= 128;
  }
}

function nextByte(bytes: Buffer, cursor: { at: number }): number {
  const byte = bytes[cursor.at++];
  if (byte === undefined) throw corrupt('an entry is cut off');
  return byte;
}

function readFully(fd: number, into: Buffer, lengthBytes: number, offset: number): number {
  let done = 0;
  while (done < lengthBytes) {
    const count = readSync(fd, into, done, lengthBytes - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
