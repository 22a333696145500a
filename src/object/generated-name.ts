/**
 * Names with a content hash, as the generators of kustomize give them to ConfigMaps and Secrets, and as hooks with a
 * `generateName` get them.
 */
import { createHash } from 'node:crypto';
import { idKey, type ObjectId } from './identity.ts';

/** The content hash of kustomize: ten characters of hexadecimal, in which `0`, `1`, `3`, `a` and `e` are replaced. */
const CONTENT_HASH = /-[2456789bcdfghkmt]{10}$/;

const HASH_CHARS = 10;
/** Replaces characters that could form words, as kustomize does. */
const REPLACED: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };

/** A content hash of a text, in the form of kustomize. */
export function contentHash(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARS);
  return hex.replace(/[013ae]/g, (char) => REPLACED[char] ?? char);
}

export function hasContentHash({ name }: Pick<ObjectId, 'name'>): boolean {
  return CONTENT_HASH.test(name);
}

/** Equal for objects whose names differ only by the content hash: one of them replaces the other. */
export function stemOf(id: ObjectId): string {
  return idKey({ ...id, name: id.name.replace(CONTENT_HASH, '') });
}
