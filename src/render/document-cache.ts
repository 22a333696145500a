/**
 * Parsed files by the identity of their content, so that a render after a small change parses only what changed. It is
 * made by whoever owns the process, and handed in.
 *
 * Invariant: what it keeps is never changed by a render, and its estimated bytes never exceed the bound.
 */
import type { KubeObject } from '../object/value.ts';
import type { TextObject } from './manifest-text.ts';

/** What one file holds. */
export interface ParsedFile {
  /** As a kustomization reads it; copied before use, since transformers work in place. */
  readonly objects?: readonly TextObject[];
  /** As a plain folder yields it. */
  readonly manifests?: readonly { readonly object: KubeObject; readonly digest: string; readonly line: number }[];
}

export interface DocumentCache {
  get(key: string): ParsedFile | undefined;
  /** `sizeBytes`: of the file. */
  set(key: string, file: ParsedFile, sizeBytes: number): void;
}

/** A tree takes up so many times the bytes of its text. */
const TREE_FACTOR = 12;

/** Keeps what was used last. A file that alone takes more than a quarter of the bound is not kept. */
export function createDocumentCache(maxBytes: number): DocumentCache {
  const entries = new Map<string, { readonly file: ParsedFile; readonly bytes: number }>();
  let total = 0;
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
      total += bytes;
      for (const [oldest, { bytes: freed }] of entries) {
        if (total <= maxBytes) break;
        entries.delete(oldest);
        total -= freed;
      }
    },
  };
}
