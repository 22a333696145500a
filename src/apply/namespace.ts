/**
 * Creates the destination namespace if spec.destination.createNamespace is true and it does not exist. It is not in the
 * inventory and has no owner marks, so it is never pruned, and several Applications may share it.
 */
import type { ClusterClient } from '../cluster/ports.ts';
import type { KindInfo } from '../cluster/kinds.ts';
import type { Refusal } from '../cluster/answers.ts';

/** Known without discovery: the API of Namespaces is the same in every version of Kubernetes. */
const NAMESPACE_KIND: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  isNamespaced: false,
  hasStatus: true,
  isWatchable: true,
};

export type NamespaceAnswer =
  { readonly ok: true; readonly isCreated: boolean } | { readonly ok: false; readonly refusal: Refusal };

/** Sends one GET, and one apply if the namespace is absent. */
export async function ensureNamespace(client: ClusterClient, name: string): Promise<NamespaceAnswer> {
  const id = { group: '', kind: 'Namespace', namespace: '', name };
  const read = await client.get(NAMESPACE_KIND, id);
  if (!read.ok) return { ok: false, refusal: read.refusal };
  if (read.object) return { ok: true, isCreated: false };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  // Another field manager than `tautline`: otherwise this apply would remove fields that another Application has set.
  const request = { kind: NAMESPACE_KIND, body, force: false, fieldManager: 'tautline-namespace' };
  const answer = await client.apply(request);
  return answer.ok ? { ok: true, isCreated: answer.isCreated } : { ok: false, refusal: answer.refusal };
}
