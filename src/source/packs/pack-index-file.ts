/**
 * The index beside a pack: offset, type and size of each object, so that a look-up inflates nothing.
 *
 * Layout (big-endian): "TLPI", version, count and pack size (4 bytes each); the SHA-1 of the pack; then columns sorted
 * by object id: ids (20 bytes), offsets (4), sizes (4), types (1); then the SHA-1 of everything before.
 */
import { createHash } from 'node:crypto';
import { corrupt, type ObjectType } from './pack-entry.ts';

export interface IndexedObject {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly type: ObjectType;
}

export interface PackIndex {
  readonly count: number;
  readonly packBytes: number;
  /** The SHA-1 that the pack ends with, in hex. */
  readonly packChecksum: string;
  find(oid: string): IndexedObject | undefined;
}

/** Columns in the order of the pack; `oids` holds 20 bytes an entry. */
export interface IndexColumns {
  readonly packBytes: number;
  readonly packChecksum: string;
  readonly count: number;
  readonly oids: Buffer;
  readonly offsets: Uint32Array;
  readonly sizes: Uint32Array;
  /** Positions in `OBJECT_TYPES`. */
  readonly types: Uint8Array;
}

export const OBJECT_TYPES: readonly ObjectType[] = ['commit', 'tree', 'blob', 'tag'];

/** The index holds offsets and sizes in 32 bits. */
export const MAX_INDEXABLE_BYTES = 0xffff_ffff;

const MAGIC = 'TLPI';
const VERSION = 1;
const HEADER_BYTES = 36;
const OID_BYTES = 20;
const ROW_BYTES = OID_BYTES + 4 + 4 + 1;

export function encodePackIndex(columns: IndexColumns): Buffer {
  const { oids } = columns;
  const order = sortedById(oids, columns.count);
  const unique = order.filter((entry, at) => at === 0 || compareOids(oids, entry, order[at - 1] as number) !== 0);
  const count = unique.length;
  const bytes = Buffer.alloc(HEADER_BYTES + count * ROW_BYTES + OID_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32BE(VERSION, 4);
  bytes.writeUInt32BE(count, 8);
  bytes.writeUInt32BE(columns.packBytes, 12);
  bytes.write(columns.packChecksum, 16, 'hex');
  const at = columnOffsets(count);
  for (const [row, entry] of unique.entries()) {
    oids.copy(bytes, at.oids + row * OID_BYTES, entry * OID_BYTES, (entry + 1) * OID_BYTES);
    bytes.writeUInt32BE(columns.offsets[entry] as number, at.offsets + row * 4);
    bytes.writeUInt32BE(columns.sizes[entry] as number, at.sizes + row * 4);
    bytes[at.types + row] = columns.types[entry] as number;
  }
  sha1(bytes.subarray(0, at.end)).copy(bytes, at.end);
  return bytes;
}

/** Numbers below this are added to the head of an id without loss. */
const MAX_ENTRIES = 2 ** 21;

/**
 * The entries in the order of their ids. They are sorted as numbers, which hold the first four bytes of an id and the
 * entry: many times faster than a comparison of ids, which only ids with the same first bytes need.
 */
function sortedById(oids: Buffer, count: number): number[] {
  if (count > MAX_ENTRIES) throw new RangeError(`more than ${MAX_ENTRIES} entries`);
  const keys = new Float64Array(count);
  for (let entry = 0; entry < count; entry++) keys[entry] = oids.readUInt32BE(entry * OID_BYTES) * MAX_ENTRIES + entry;
  const order = Array.from(keys.sort(), (key) => key % MAX_ENTRIES);
  const isSameHead = (left: number, right: number): boolean =>
    oids.readUInt32BE(left * OID_BYTES) === oids.readUInt32BE(right * OID_BYTES);
  for (let start = 0; start < count;) {
    let end = start + 1;
    while (end < count && isSameHead(order[start] as number, order[end] as number)) end += 1;
    const alike = end - start === 1 ? [] : order.slice(start, end).sort((a, b) => compareOids(oids, a, b));
    for (const [at, entry] of alike.entries()) order[start + at] = entry;
    start = end;
  }
  return order;
}

/** Throws StageError CorruptPack if the bytes are not a complete index. */
export function decodePackIndex(bytes: Buffer): PackIndex {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC || bytes.readUInt32BE(4) !== VERSION) {
    throw corrupt('its index has another format');
  }
  const count = bytes.readUInt32BE(8);
  const at = columnOffsets(count);
  if (bytes.length !== at.end + OID_BYTES) throw corrupt('its index is cut off');
  if (!sha1(bytes.subarray(0, at.end)).equals(bytes.subarray(at.end))) throw corrupt('its index has changed');
  return {
    count,
    packBytes: bytes.readUInt32BE(12),
    packChecksum: bytes.toString('hex', 16, HEADER_BYTES),
    find(oid) {
      const row = findRow(bytes, at.oids, count, oid);
      const type = row < 0 ? undefined : OBJECT_TYPES[bytes[at.types + row] as number];
      if (type === undefined) return undefined;
      return {
        type,
        offset: bytes.readUInt32BE(at.offsets + row * 4),
        sizeBytes: bytes.readUInt32BE(at.sizes + row * 4),
      };
    },
  };
}

/** Searches by the first four bytes of the id as a number: only a few ids in a million share them with another. */
function findRow(bytes: Buffer, oidsAt: number, count: number, oid: string): number {
  const head = Number.parseInt(oid.slice(0, 8), 16);
  if (oid.length !== 2 * OID_BYTES || !(head >= 0)) return -1;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bytes.readUInt32BE(oidsAt + middle * OID_BYTES) < head) low = middle + 1;
    else high = middle;
  }
  for (let row = low; row < count; row++) {
    const start = oidsAt + row * OID_BYTES;
    if (bytes.readUInt32BE(start) !== head) break;
    if (bytes.toString('hex', start, start + OID_BYTES) === oid) return row;
  }
  return -1;
}

function columnOffsets(count: number) {
  const oids = HEADER_BYTES;
  const offsets = oids + count * OID_BYTES;
  const sizes = offsets + count * 4;
  const types = sizes + count * 4;
  return { oids, offsets, sizes, types, end: types + count };
}

function compareOids(oids: Buffer, a: number, b: number): number {
  return oids.compare(oids, b * OID_BYTES, (b + 1) * OID_BYTES, a * OID_BYTES, (a + 1) * OID_BYTES);
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}
