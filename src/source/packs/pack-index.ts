/**
 * Indexes one fetched pack and verifies the commit in it. It works on untrusted bytes, so it runs in the sandbox. Each
 * entry is inflated within bounds, deltas are applied, and ids are computed from the contents. The bases of a thin pack
 * are in the older packs of the same folder.
 */
import { readFileSync } from 'node:fs';
import { sourceError } from '../../object/source-error.ts';
import { createByteCache, type ByteCache } from './byte-cache.ts';
import type { SourceLimits } from '../limits.ts';
import {
  applyDelta,
  checkObjectSize,
  corrupt,
  deltaResultBytes,
  openPackFile,
  readEntry,
  type ObjectType,
  type PackEntry,
  type PackFile,
} from './pack-entry.ts';
import { decodePackIndex, encodePackIndex, MAX_INDEXABLE_BYTES, OBJECT_TYPES } from './pack-index-file.ts';
import { hashObject, openPacks, readChain, storeOf, type PackStore } from './pack-store.ts';
import { verifyCommit, type VerifiedCommit, type VerifiedTrees } from './verify-snapshot.ts';

export type IndexLimits = Pick<
  SourceLimits,
  | 'maxPackObjects'
  | 'maxObjectBytes'
  | 'maxInflatedBytes'
  | 'maxDeltaDepth'
  | 'maxFiles'
  | 'maxTreeDepth'
  | 'cacheBytes'
>;

/** Plain data, since it crosses to the sandbox. */
export interface IndexPackInput {
  /** Folder with the new pack and the older ones with their indexes. */
  readonly gitDir: string;
  readonly packPath: string;
  /** 40 hex digits. */
  readonly commit: string;
  readonly limits: IndexLimits;
  /** JSON file with the trees that are complete in the older packs. */
  readonly treesPath: string | undefined;
}

export interface IndexedSnapshot extends VerifiedCommit {
  /** The file to write beside the pack. */
  readonly index: Uint8Array;
}

/** Throws StageError CorruptPack, IncompletePack, TooLarge, NotACommit, MalformedTree. */
export function indexPack(input: IndexPackInput): IndexedSnapshot {
  const { limits } = input;
  const older = openPacks(input.gitDir);
  const external = storeOf(older, limits);
  try {
    const pack = openPackFile(input.packPath, INDEX_WINDOW_BYTES);
    try {
      const index = indexEntries(pack, external, limits);
      const all = storeOf([{ pack, index: decodePackIndex(index) }, ...older], limits);
      const verified = input.treesPath === undefined ? [] : readTrees(input.treesPath);
      const commit = verifyCommit({ store: all, commit: input.commit, limits, verified });
      return { ...commit, index };
    } finally {
      pack.close();
    }
  } finally {
    external.close();
  }
}

/**
 * One object of a fetched pack, which may build on the packs of a folder. undefined: the pack lacks it. Throws
 * StageError CorruptPack, IncompletePack, TooLarge.
 */
export function readObjectOfPack({
  gitDir,
  packPath,
  oid,
  limits,
}: Pick<IndexPackInput, 'gitDir' | 'packPath' | 'limits'> & { readonly oid: string }):
  { readonly type: ObjectType; readonly data: Buffer } | undefined {
  const older = openPacks(gitDir);
  const external = storeOf(older, limits);
  const pack = openPackFile(packPath, INDEX_WINDOW_BYTES);
  try {
    const all = storeOf([{ pack, index: decodePackIndex(indexEntries(pack, external, limits)) }, ...older], limits);
    const found = all.find(oid);
    return found && { type: found.type, data: all.read(oid) };
  } finally {
    pack.close();
    external.close();
  }
}

/** The file holds what an earlier run of this job answered. Without it, every tree is read. */
function readTrees(path: string): VerifiedTrees {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VerifiedTrees;
  } catch {
    return [];
  }
}

const INDEX_WINDOW_BYTES = 1_048_576;
const PACK_HEADER_BYTES = 12;
const OID_BYTES = 20;

/** The entries of a pack as far as they are known; arrays by the position of the entry. */
interface Indexing {
  readonly pack: PackFile;
  /** The older packs. */
  readonly external: PackStore;
  readonly limits: IndexLimits;
  readonly count: number;
  /** OID_BYTES for each entry. */
  readonly oids: Buffer;
  readonly offsets: Uint32Array;
  readonly sizes: Uint32Array;
  /** Positions in OBJECT_TYPES. */
  readonly types: Uint8Array;
  readonly depths: Uint16Array;
  readonly isResolved: Uint8Array;
  readonly entryAt: Map<number, number>;
  /** Resolved entries by id. Filled after the first pass, since few packs name a base by the id of an entry. */
  readonly entryOf: Map<string, number>;
  /** Contents by offset. */
  readonly cache: ByteCache<number>;
  inflatedBytes: number;
}

/** The bytes of the index. Reads the pack once, then resolves deltas whose base is further back, from base to delta. */
function indexEntries(pack: PackFile, external: PackStore, limits: IndexLimits): Buffer {
  const { count, checksum } = readEnds(pack, limits);
  const indexing: Indexing = {
    pack,
    external,
    limits,
    count,
    oids: Buffer.alloc(count * OID_BYTES),
    offsets: new Uint32Array(count),
    sizes: new Uint32Array(count),
    types: new Uint8Array(count),
    depths: new Uint16Array(count),
    isResolved: new Uint8Array(count),
    entryAt: new Map(),
    entryOf: new Map(),
    cache: createByteCache(limits.cacheBytes),
    inflatedBytes: 0,
  };
  resolveWaiting(indexing, readEntries(indexing));
  const { oids, offsets, sizes, types } = indexing;
  return encodePackIndex({ packBytes: pack.sizeBytes, packChecksum: checksum, count, oids, offsets, sizes, types });
}

/** Reads every entry once; answers the deltas whose base is not known yet. */
function readEntries(indexing: Indexing): number[] {
  const { pack, limits, count, offsets, entryAt } = indexing;
  const waiting: number[] = [];
  let offset = PACK_HEADER_BYTES;
  for (let entry = 0; entry < count; entry++) {
    offsets[entry] = offset;
    entryAt.set(offset, entry);
    const read = readEntry(pack, offset, limits.maxObjectBytes);
    countBytes(indexing, read.data.length);
    if (read.type !== 'delta') record(indexing, entry, { type: read.type, data: read.data, depth: 0 });
    else if (!resolveDelta(indexing, entry, read)) waiting.push(entry);
    offset = read.endOffset;
  }
  if (offset !== pack.sizeBytes - OID_BYTES) throw corrupt('it holds bytes after its last entry');
  return waiting;
}

/** Goes from each base to the deltas that wait for it, so no order of entries costs more than another. */
function resolveWaiting(indexing: Indexing, waiting: readonly number[]): void {
  if (waiting.length === 0) return;
  const { pack, limits, count, oids, offsets, isResolved, entryOf } = indexing;
  for (let entry = 0; entry < count; entry++) {
    if (isResolved[entry]) entryOf.set(oidAt(oids, entry), entry);
  }
  const waitersOf = Map.groupBy(waiting, (entry) => awaitedBase(indexing, entry));
  const known = [...waitersOf.keys()].filter((base) =>
    typeof base === 'number' ? isResolved[base] : entryOf.has(base),
  );
  for (let base = known.pop(); base !== undefined; base = known.pop()) {
    const waiters = waitersOf.get(base) ?? [];
    waitersOf.delete(base);
    for (const entry of waiters) {
      resolveDelta(indexing, entry, readEntry(pack, offsets[entry] as number, limits.maxObjectBytes));
      const oid = oidAt(oids, entry);
      entryOf.set(oid, entry);
      known.push(entry, oid);
    }
  }
  if (waitersOf.size === 0) return;
  throw sourceError('IncompletePack', 'The fetched pack lacks the base of a delta. Tautline fetches it again.');
}

/** The base that a delta waits for: an entry, or an id whose entry is not known yet. */
function awaitedBase({ pack, limits, offsets, entryAt }: Indexing, entry: number): number | string {
  const { baseOffset, baseOid = '' } = readEntry(pack, offsets[entry] as number, limits.maxObjectBytes);
  return baseOffset === undefined ? baseOid : (entryAt.get(baseOffset) as number);
}

/** Records the object of a delta; false if its base is not known yet. */
function resolveDelta(
  indexing: Indexing,
  entry: number,
  { baseOffset, baseOid = '', data }: Pick<PackEntry, 'baseOffset' | 'baseOid' | 'data'>,
): boolean {
  const { limits, entryAt } = indexing;
  const baseEntry = baseOffset === undefined ? undefined : entryAt.get(baseOffset);
  if (baseOffset !== undefined && baseEntry === undefined)
    throw corrupt('the base of a delta is not at the beginning of an entry');
  const base = baseEntry === undefined ? baseByOid(indexing, baseOid) : baseInPack(indexing, baseEntry);
  if (!base) return false;
  countBytes(indexing, deltaResultBytes(data));
  const object = applyDelta(base.data, data, limits.maxObjectBytes);
  record(indexing, entry, { type: base.type, data: object, depth: base.depth + 1 });
  return true;
}

function record(indexing: Indexing, entry: number, { type, data, depth }: ResolvedObject): void {
  const { limits, oids, offsets, sizes, types, depths, isResolved, cache } = indexing;
  if (depth > limits.maxDeltaDepth) throw corrupt(`deltas are nested deeper than ${limits.maxDeltaDepth}`);
  hashObject(type, data).copy(oids, entry * OID_BYTES);
  sizes[entry] = data.length;
  types[entry] = OBJECT_TYPES.indexOf(type);
  depths[entry] = depth;
  isResolved[entry] = 1;
  cache.set(offsets[entry] as number, data);
}

function baseInPack(indexing: Indexing, base: number): ResolvedObject | undefined {
  const { pack, limits, offsets, types, depths, isResolved, cache } = indexing;
  if (!isResolved[base]) return undefined;
  const offset = offsets[base] as number;
  const external = (oid: string): Buffer => contentByOid(indexing, oid);
  const data = readChain({ pack, cache, offset, depth: 0, limits, external });
  return { type: OBJECT_TYPES[types[base] as number] as ObjectType, data, depth: depths[base] as number };
}

function baseByOid(indexing: Indexing, oid: string): ResolvedObject | undefined {
  const entry = indexing.entryOf.get(oid);
  if (entry !== undefined) return baseInPack(indexing, entry);
  const found = indexing.external.find(oid);
  return found && { type: found.type, data: indexing.external.read(oid), depth: 0 };
}

function contentByOid(indexing: Indexing, oid: string): Buffer {
  const base = baseByOid(indexing, oid);
  if (!base) throw corrupt(`the base ${oid} of a delta is missing`);
  return base.data;
}

function countBytes(indexing: Indexing, sizeBytes: number): void {
  const { maxObjectBytes, maxInflatedBytes } = indexing.limits;
  checkObjectSize(sizeBytes, maxObjectBytes);
  indexing.inflatedBytes += sizeBytes;
  if (indexing.inflatedBytes <= maxInflatedBytes) return;
  throw sourceError(
    'TooLarge',
    `The repository's objects exceed ${maxInflatedBytes} bytes (maxInflatedBytes). Make it smaller, or raise the bound.`,
  );
}

interface ResolvedObject {
  readonly type: ObjectType;
  readonly data: Buffer;
  /** Deltas between it and a whole object. */
  readonly depth: number;
}

function readEnds(pack: PackFile, limits: IndexLimits) {
  if (pack.sizeBytes < PACK_HEADER_BYTES + OID_BYTES || pack.sizeBytes > MAX_INDEXABLE_BYTES) {
    throw corrupt('it has an impossible size');
  }
  const header = pack.view(0, PACK_HEADER_BYTES);
  if (header.toString('latin1', 0, 4) !== 'PACK' || header.readUInt32BE(4) !== 2)
    throw corrupt('it does not begin as a pack');
  const count = header.readUInt32BE(8);
  if (count > limits.maxPackObjects) {
    throw sourceError(
      'TooLarge',
      `The pack holds ${count} objects, more than ${limits.maxPackObjects} (maxPackObjects).`,
    );
  }
  const checksum = pack.view(pack.sizeBytes - OID_BYTES, OID_BYTES).toString('hex');
  return { count, checksum };
}

function oidAt(oids: Buffer, entry: number): string {
  return oids.toString('hex', entry * OID_BYTES, (entry + 1) * OID_BYTES);
}
