/**
 * The destination namespace, created where spec.destination.createNamespace asks for it and it does not exist. It never
 * enters the inventory and carries no mark of ours, so it is never pruned and several Applications may share it.
 */
import type { ClusterClient } from '../cluster/ports.ts';
import type { KindInfo } from '../cluster/kinds.ts';
import type { Refusal } from '../cluster/answers.ts';

/** The one kind that needs no discovery: it has stood in the core group under this name since the first version. */
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
  { readonly ok: true; readonly created: boolean } | { readonly ok: false; readonly refusal: Refusal };

/** One GET; one apply more if the namespace is absent. */
export async function ensureNamespace(client: ClusterClient, name: string): Promise<NamespaceAnswer> {
  const id = { group: '', kind: 'Namespace', namespace: '', name };
  const read = await client.get(NAMESPACE_KIND, id);
  if (!read.ok) return { ok: false, refusal: read.refusal };
  if (read.object) return { ok: true, created: false };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  // A manager of its own: applied as `tautline`, it would take away what another Application has set on it meanwhile.
  const request = { kind: NAMESPACE_KIND, body, force: false, fieldManager: 'tautline-namespace' };
  const answer = await client.apply(request);
  return answer.ok ? { ok: true, created: answer.isCreated } : { ok: false, refusal: answer.refusal };
}
