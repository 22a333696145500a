/**
 * Kinds whose deletion also deletes other things: the objects in a namespace, data, or all objects of a definition. An
 * object of such a kind is never deleted to change a field, and pruning it needs the confirmation of a person.
 */
import type { ObjectId } from './identity.ts';

const GUARDED_KINDS: ReadonlySet<string> = new Set([
  '/Namespace',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

export function isGuardedKind({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): boolean {
  return GUARDED_KINDS.has(`${group}/${kind}`);
}
