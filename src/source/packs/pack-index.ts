/**
 * Indexes one fetched pack and verifies the commit in it: the work on untrusted bytes, to be run in the sandbox. Each
 * entry is inflated within its bounds, deltas are applied, ids computed from contents. Thin packs find their bases in
 * the older packs of the same folder.
 */
import { readFileSync } from 'node:fs';
import { createByteCache } from './byte-cache.ts';
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
import { sourceError } from '../source-error.ts';
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

/** Plain data: it crosses to the sandbox. */
export interface IndexPackInput {
  /** Folder with the new pack and the older ones with their indexes. */
  readonly gitDir: string;
  readonly packPath: string;
  /** 40 hex digits. */
  readonly commit: string;
  readonly limits: IndexLimits;
  /** JSON file with the trees that are known to be complete in the older packs. */
  readonly treesPath: string | undefined;
}

export interface IndexedSnapshot extends VerifiedCommit {
  readonly objectCount: number;
  /** To be written beside the pack. */
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
      const index = createIndexer(pack, external, limits).run();
      const decoded = decodePackIndex(index);
      const all = storeOf([{ pack, index: decoded }, ...older], limits);
      const verified = input.treesPath === undefined ? [] : readTrees(input.treesPath);
      const commit = verifyCommit({ store: all, commit: input.commit, limits, verified });
      return { ...commit, objectCount: decoded.count, index };
    } finally {
      pack.close();
    }
  } finally {
    external.close();
  }
}

/** The file is our own: what an earlier run of this job answered. Without it, every tree is read. */
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

/** One pass over the pack, then from base to delta over those whose base stands further back. */
function createIndexer(pack: PackFile, external: PackStore, limits: IndexLimits) {
  const { count, checksum } = readEnds(pack, limits);
  const oids = Buffer.alloc(count * OID_BYTES);
  const offsets = new Uint32Array(count);
  const sizes = new Uint32Array(count);
  const types = new Uint8Array(count);
  const depths = new Uint16Array(count);
  const entryAt = new Map<number, number>();
  const cache = createByteCache<number>(limits.cacheBytes);
  const isResolved = new Uint8Array(count);
  let inflatedBytes = 0;

  function countBytes(sizeBytes: number): void {
    checkObjectSize(sizeBytes, limits.maxObjectBytes);
    inflatedBytes += sizeBytes;
    if (inflatedBytes > limits.maxInflatedBytes) {
      throw sourceError(
        'TooLarge',
        `The repository's objects exceed ${limits.maxInflatedBytes} bytes (maxInflatedBytes). Make it smaller, or raise the bound.`,
      );
    }
  }

  function record(entry: number, type: ObjectType, data: Buffer, depth: number): void {
    if (depth > limits.maxDeltaDepth) throw corrupt(`deltas are nested deeper than ${limits.maxDeltaDepth}`);
    hashObject(type, data).copy(oids, entry * OID_BYTES);
    sizes[entry] = data.length;
    types[entry] = OBJECT_TYPES.indexOf(type);
    depths[entry] = depth;
    isResolved[entry] = 1;
    cache.set(offsets[entry] as number, data);
  }

  function baseInPack(base: number): Base | undefined {
    if (!isResolved[base]) return undefined;
    const offset = offsets[base] as number;
    const data = readChain({ pack, cache, offset, depth: 0, limits, external: readByOid });
    return { type: OBJECT_TYPES[types[base] as number] as ObjectType, data, depth: depths[base] as number };
  }

  /** Entries by id, for bases that are named by id; filled after the first pass, since few packs need it. */
  const entryOf = new Map<string, number>();
  function baseByOid(oid: string): Base | undefined {
    const entry = entryOf.get(oid);
    if (entry !== undefined) return baseInPack(entry);
    const found = external.find(oid);
    return found && { type: found.type, data: external.read(oid), depth: 0 };
  }
  function readByOid(oid: string): Buffer {
    const base = baseByOid(oid);
    if (!base) throw corrupt(`the base ${oid} of a delta is missing`);
    return base.data;
  }

  /** Whether the base of the delta was known by now. */
  function resolveDelta(entry: number, delta: PackEntry): boolean {
    const baseEntry = delta.baseOffset === undefined ? undefined : entryAt.get(delta.baseOffset);
    if (delta.baseOffset !== undefined && baseEntry === undefined)
      throw corrupt('a delta names a base between entries');
    const base = baseEntry !== undefined ? baseInPack(baseEntry) : baseByOid(delta.baseOid ?? '');
    if (!base) return false;
    countBytes(deltaResultBytes(delta.data));
    record(entry, base.type, applyDelta(base.data, delta.data, limits.maxObjectBytes), base.depth + 1);
    return true;
  }

  function readAll(): number[] {
    const waiting: number[] = [];
    let offset = PACK_HEADER_BYTES;
    for (let entry = 0; entry < count; entry++) {
      offsets[entry] = offset;
      entryAt.set(offset, entry);
      const read = readEntry(pack, offset, limits.maxObjectBytes);
      countBytes(read.data.length);
      if (read.type !== 'delta') record(entry, read.type, read.data, 0);
      else if (!resolveDelta(entry, read)) waiting.push(entry);
      offset = read.endOffset;
    }
    if (offset !== pack.sizeBytes - OID_BYTES) throw corrupt('it holds more than its entries');
    return waiting;
  }

  /** What a delta waits for: an entry, or an id whose entry is not known yet. */
  function awaitedBy(entry: number): number | string {
    const { baseOffset, baseOid = '' } = readEntry(pack, offsets[entry] as number, limits.maxObjectBytes);
    return baseOffset === undefined ? baseOid : (entryAt.get(baseOffset) as number);
  }

  /** From each base to what waits for it, so that no order of entries costs more than another. */
  function resolveWaiting(waiting: readonly number[]): void {
    if (waiting.length === 0) return;
    for (let entry = 0; entry < count; entry++) {
      if (isResolved[entry]) entryOf.set(oidAt(oids, entry), entry);
    }
    const waitersOf = Map.groupBy(waiting, awaitedBy);
    const known = [...waitersOf.keys()].filter((base) =>
      typeof base === 'number' ? isResolved[base] : entryOf.has(base),
    );
    for (let base = known.pop(); base !== undefined; base = known.pop()) {
      const waiters = waitersOf.get(base) ?? [];
      waitersOf.delete(base);
      for (const entry of waiters) {
        resolveDelta(entry, readEntry(pack, offsets[entry] as number, limits.maxObjectBytes));
        const oid = oidAt(oids, entry);
        entryOf.set(oid, entry);
        known.push(entry, oid);
      }
    }
    if (waitersOf.size === 0) return;
    throw sourceError('IncompletePack', 'The fetched pack lacks the base of a delta. It is fetched again.');
  }

  return {
    run(): Buffer {
      resolveWaiting(readAll());
      return encodePackIndex({
        packBytes: pack.sizeBytes,
        packChecksum: checksum,
        count,
        oids,
        offsets,
        sizes,
        types,
      });
    },
  };
}

interface Base {
  readonly type: ObjectType;
  readonly data: Buffer;
  readonly depth: number;
}

function readEnds(pack: PackFile, limits: IndexLimits) {
  if (pack.sizeBytes < PACK_HEADER_BYTES + OID_BYTES || pack.sizeBytes > MAX_INDEXABLE_BYTES) {
    throw corrupt('it has an impossible size');
  }
  const header = pack.view(0, PACK_HEADER_BYTES);
  if (header.toString('latin1', 0, 4) !== 'PACK' || header.readUInt32BE(4) !== 2) throw corrupt('it is no pack');
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
