/** A cache of buffers, bounded by their bytes: the least recently used ones go first. */

export interface ByteCache<Key> {
  get(key: Key): Buffer | undefined;
  /** Does not keep a value of more than a quarter of the bound. */
  set(key: Key, value: Buffer): void;
}

/** Memory that a small buffer takes in addition to its bytes. */
const ENTRY_OVERHEAD_BYTES = 128;

export function createByteCache<Key>(maxBytes: number): ByteCache<Key> {
  const entries = new Map<Key, Buffer>();
  let bytes = 0;
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      const cost = value.length + ENTRY_OVERHEAD_BYTES;
      if (cost > maxBytes / 4 || entries.has(key)) return;
      entries.set(key, value);
      bytes += cost;
      for (const [oldest, old] of entries) {
        if (bytes <= maxBytes) break;
        entries.delete(oldest);
        bytes -= old.length + ENTRY_OVERHEAD_BYTES;
      }
    },
  };
}
