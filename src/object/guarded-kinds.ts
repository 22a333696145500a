/**
 * Kinds whose deletion takes other things with it: what lives in a namespace, data, or every object of a definition.
 * They are never deleted to change a field, and a prune of one waits for a person.
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
