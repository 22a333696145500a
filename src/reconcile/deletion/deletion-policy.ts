/** The deletion policy of an Application, and the cases in which its own word is not followed. */
import { CRD_NAME } from '../../application/keys.ts';
import { agentIdentity } from '../../cluster/identity.ts';
import { kindKey } from '../../cluster/kinds.ts';
import { formatId } from '../../object/identity.ts';
import type { Deletion } from './deletion.ts';

export type DeletionPolicy =
  /** Objects are deleted, or released with their marks removed. */
  | { readonly type: 'Prune' | 'Orphan' }
  /** Objects are not touched at all. */
  | { readonly type: 'Abandon' }
  | { readonly type: 'Wait'; readonly reason: string };

/**
 * Prune and Orphan as the spec says. The objects of a suspended or unreadable Application are released. While the CRD
 * itself is being deleted the deletion of the objects was not asked for, and nothing is touched; until it can be seen
 * whether that is so, nothing is deleted.
 */
export async function policyFor({
  deleted: { spec },
  context: { hub },
}: {
  readonly deleted: Pick<Deletion['deleted'], 'spec'>;
  readonly context: { readonly hub: Pick<Deletion['context']['hub'], 'as' | 'kinds'> };
}): Promise<DeletionPolicy> {
  if (!spec || spec.suspend) return { type: 'Orphan' };
  if (spec.deletionPolicy === 'Orphan') return { type: 'Orphan' };
  const kinds = await hub.kinds();
  const crdKind = kinds.served.get(kindKey('apiextensions.k8s.io/v1', 'CustomResourceDefinition'));
  if (!crdKind) return { type: 'Wait', reason: 'the API server does not serve CustomResourceDefinitions just now' };
  const id = { group: crdKind.group, kind: crdKind.kind, namespace: '', name: CRD_NAME };
  const answer = await hub.as(agentIdentity).get(crdKind, id);
  if (!answer.ok) {
    const reason = `nothing is deleted before ${formatId(id)} can be read: ${answer.refusal.message}`;
    return { type: 'Wait', reason };
  }
  const isGoing = !answer.object || answer.object.deletionTimestamp !== undefined;
  return isGoing ? { type: 'Abandon' } : { type: 'Prune' };
}
