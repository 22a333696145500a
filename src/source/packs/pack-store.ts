/**
 * Reads objects by id out of the packs of one folder.
 *
 * Invariant: every object is hashed before it is returned, so it is the one that its id names.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceError } from '../../object/source-error.ts';
import { createByteCache, type ByteCache } from './byte-cache.ts';
import { applyDelta, corrupt, openPackFile, readEntry, type ObjectType, type PackFile } from './pack-entry.ts';
import { decodePackIndex, type IndexedObject, type PackIndex } from './pack-index-file.ts';

export interface PackStore {
  /** Without reading the object. */
  find(oid: string): { readonly type: ObjectType; readonly sizeBytes: number } | undefined;
  /** The content of an object. Throws StageError IncompletePack, CorruptPack, TooLarge. */
  read(oid: string): Buffer;
  close(): void;
}

export interface PackStoreLimits {
  readonly maxObjectBytes: number;
  readonly maxDeltaDepth: number;
  readonly cacheBytes: number;
}

export interface IndexedPack {
  readonly pack: PackFile;
  readonly index: PackIndex;
}

/** Read at a time; most manifests are smaller. */
const WINDOW_BYTES = 16_384;

export const PACK_SUFFIX = '.pack';
export const INDEX_SUFFIX = '.tlpi';

/** Opens every pack of `gitDir` that has an index. Throws StageError SnapshotGone, CorruptPack. */
export function openPackStore(gitDir: string, limits: PackStoreLimits): PackStore {
  try {
    return storeOf(openPacks(gitDir), limits);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    throw sourceError('SnapshotGone', 'The snapshot is no longer on disk. Tautline fetches it again.', {
      cause: error,
    });
  }
}

/** The packs of a folder that have an index, the oldest first. */
export function openPacks(gitDir: string): IndexedPack[] {
  const names = readdirSync(gitDir).filter((name) => name.endsWith(INDEX_SUFFIX));
  return names.sort().map((name) => {
    const index = decodePackIndex(readFileSync(join(gitDir, name)));
    const pack = openPackFile(join(gitDir, name.slice(0, -INDEX_SUFFIX.length) + PACK_SUFFIX), WINDOW_BYTES);
    return { pack, index };
  });
}

/** Closing the store closes the packs. */
export function storeOf(packs: readonly IndexedPack[], limits: PackStoreLimits): PackStore {
  const caches = packs.map(() => createByteCache<number>(limits.cacheBytes / Math.max(1, packs.length)));

  /** Finds the oldest pack that holds the object; see `packName` for why reading its bases then ends. */
  function locate(oid: string): { pack: PackFile; cache: ByteCache<number>; found: IndexedObject } | undefined {
    for (const [position, { pack, index }] of packs.entries()) {
      const found = index.find(oid);
      if (found) return { pack, found, cache: caches[position] as ByteCache<number> };
    }
    return undefined;
  }

  /** `depth` counts the deltas that lead here, in this pack and in others. */
  function content(oid: string, depth: number): Buffer {
    const place = locate(oid);
    if (!place) {
      throw sourceError('IncompletePack', `The fetched pack lacks the object ${oid}. Tautline fetches it again.`);
    }
    const { pack, cache, found } = place;
    return readChain({ pack, cache, offset: found.offset, depth, limits, external: content });
  }

  return {
    find: (oid) => locate(oid)?.found,
    read(oid) {
      const data = content(oid, 0);
      const type = locate(oid)?.found.type;
      if (hashObject(type ?? 'blob', data).toString('hex') !== oid) throw corrupt(`the object ${oid} has changed`);
      return data;
    },
    close: () => packs.forEach(({ pack }) => pack.close()),
  };
}

export interface ReadChainOptions {
  readonly pack: PackFile;
  /** Contents by offset. */
  readonly cache: ByteCache<number>;
  readonly offset: number;
  readonly depth: number;
  readonly limits: PackStoreLimits;
  /** Reads the base of a delta that is named by its id. */
  external(oid: string, depth: number): Buffer;
}

/** Reads the object at an offset: collects deltas down to a whole or cached object, then applies them in reverse. */
export function readChain(options: ReadChainOptions): Buffer {
  const { pack, cache, limits } = options;
  const deltas: { offset: number; data: Buffer }[] = [];
  let data: Buffer | undefined;
  for (let offset = options.offset; data === undefined;) {
    data = cache.get(offset);
    if (data) break;
    const entry = readEntry(pack, offset, limits.maxObjectBytes);
    if (entry.type !== 'delta') {
      data = entry.data;
      cache.set(offset, data);
      break;
    }
    deltas.push({ offset, data: entry.data });
    const depth = options.depth + deltas.length;
    if (depth > limits.maxDeltaDepth) throw corrupt(`deltas are nested deeper than ${limits.maxDeltaDepth}`);
    if (entry.baseOid !== undefined) data = options.external(entry.baseOid, depth);
    else offset = entry.baseOffset ?? 0;
  }
  for (let delta = deltas.pop(); delta; delta = deltas.pop()) {
    data = applyDelta(data, delta.data, limits.maxObjectBytes);
    cache.set(delta.offset, data);
  }
  return data;
}

/** The id of an object, 20 bytes. */
export function hashObject(type: ObjectType, data: Buffer): Buffer {
  return createHash('sha1').update(`${type} ${data.length}\0`).update(data).digest();
}
