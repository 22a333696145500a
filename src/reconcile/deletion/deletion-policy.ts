/** The cases in which the objects of a deleted Application are not deleted although its policy says Prune. */
import { CRD_NAME } from '../../application/keys.ts';
import { agentIdentity } from '../../cluster/identity.ts';
import { kindKey } from '../../cluster/kinds.ts';
import { formatId } from '../../object/identity.ts';
import type { DeletionHub } from './deletion.ts';

export type PrunePermission =
  | { readonly type: 'granted' }
  /** Objects are not touched at all. */
  | { readonly type: 'abandon' }
  | { readonly type: 'wait'; readonly reason: string };

/**
 * While the CRD itself is being deleted the deletion of the objects was not asked for, and nothing is touched; until it
 * can be seen whether that is so, nothing is deleted.
 */
export async function permissionToPrune(hub: Pick<DeletionHub, 'as' | 'kinds'>): Promise<PrunePermission> {
  const kinds = await hub.kinds();
  const crdKind = kinds.served.get(kindKey('apiextensions.k8s.io/v1', 'CustomResourceDefinition'));
  if (!crdKind) return { type: 'wait', reason: 'the API server does not serve CustomResourceDefinitions just now' };
  const id = { group: crdKind.group, kind: crdKind.kind, namespace: '', name: CRD_NAME };
  const answer = await hub.as(agentIdentity).get(crdKind, id);
  if (!answer.ok) {
    const reason = `nothing is deleted before ${formatId(id)} can be read: ${answer.refusal.message}`;
    return { type: 'wait', reason };
  }
  const isGoing = !answer.object || answer.object.deletionTimestamp !== undefined;
  return isGoing ? { type: 'abandon' } : { type: 'granted' };
}
