/** Names with a content hash, as the generators of kustomize give them to ConfigMaps and Secrets. */
import { idKey, type ObjectId } from './identity.ts';

/** The content hash of kustomize: ten characters of hexadecimal, in which `0`, `1`, `3`, `a` and `e` are replaced. */
const CONTENT_HASH = /-[2456789bcdfghkmt]{10}$/;

export function hasContentHash({ name }: Pick<ObjectId, 'name'>): boolean {
  return CONTENT_HASH.test(name);
}

/** Equal for objects whose names differ only by the content hash: one of them replaces the other. */
export function stemOf(id: ObjectId): string {
  return idKey({ ...id, name: id.name.replace(CONTENT_HASH, '') });
}
