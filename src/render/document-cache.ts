/**
 * A cache of parsed files by the identity of their content, so that a render after a small change parses only the
 * changed files. The owner of the process creates it and passes it in.
 *
 * Invariants: a render never changes a cached value. The estimated size of the cache never exceeds its bound.
 */
import type { KubeObject } from '../object/value.ts';
import type { TextObject } from './manifest-text.ts';

/** The content of one file, in the form in which it was needed. */
export interface ParsedFile {
  /** For a kustomization; must be copied before use, because transformers change objects in place. */
  readonly objects?: readonly TextObject[];
  /** For a plain folder. */
  readonly manifests?: readonly { readonly object: KubeObject; readonly digest: string; readonly line: number }[];
}

export interface DocumentCache {
  get(key: string): ParsedFile | undefined;
  /** `sizeBytes`: the size of the file. */
  set(key: string, file: ParsedFile, sizeBytes: number): void;
}

/** Estimated memory of a parsed file in multiples of the size of the file. */
const TREE_FACTOR = 12;

/** Evicts the least recently used files. A file that takes more than a quarter of the bound is not kept. */
export function createDocumentCache(maxBytes: number): DocumentCache {
  const entries = new Map<string, { readonly file: ParsedFile; readonly bytes: number }>();
  let totalBytes = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.file;
    },
    set(key, file, sizeBytes) {
      const bytes = sizeBytes * TREE_FACTOR;
      if (bytes > maxBytes / 4 || entries.has(key)) return;
      entries.set(key, { file, bytes });
      totalBytes += bytes;
      for (const [oldest, { bytes: freedBytes }] of entries) {
        if (totalBytes <= maxBytes) break;
        entries.delete(oldest);
        totalBytes -= freedBytes;
      }
    },
  };
}
