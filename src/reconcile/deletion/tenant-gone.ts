/**
 * Whose rights finish a deleted Application, and what becomes of it when its tenant went first: with a namespace go its
 * ServiceAccounts and RoleBindings, in no order, and a finalizer that waits for their rights would hold it for ever.
 *
 * Invariant: an account that is gone deletes nothing, and the agent's own rights never stand in for it: they only read
 * whether it is gone.
 */
import type { ApplicationMetadata, ApplicationSpec } from '../../application/schema.ts';
import { agentIdentity, isServiceAccountName, type Identity } from '../../cluster/identity.ts';
import { kindKey, type Kinds } from '../../cluster/kinds.ts';
import type { ReadAnswer } from '../../cluster/ports.ts';
import type { ObjectId } from '../../object/identity.ts';
import { formatId } from '../../object/identity.ts';
import { valueAt, type KubeObject } from '../../object/value.ts';
import type { ReconcileContext } from '../context.ts';
import { identityOf } from '../pass.ts';

interface Finished {
  readonly metadata: ApplicationMetadata;
  readonly spec: ApplicationSpec | undefined;
}

/** The account counts even where the rest of the spec cannot be read. undefined: what is written there is none. */
export function identityToFinish(
  { metadata, spec }: Finished,
  { stored }: { readonly stored: KubeObject },
  { settings }: Pick<ReconcileContext, 'settings'>,
): Identity | undefined {
  const written = spec ? spec.serviceAccountName : (valueAt(stored, 'spec', 'serviceAccountName') ?? undefined);
  if (written === undefined) return identityOf({ metadata, spec: {} }, settings);
  if (typeof written !== 'string' || !isServiceAccountName(written)) return undefined;
  return identityOf({ metadata, spec: { serviceAccountName: written } }, settings);
}

interface Tenancy {
  readonly deleted: Finished;
  readonly identity: Identity;
  readonly state: { readonly key: string; readonly stored: KubeObject };
  readonly context: Pick<ReconcileContext, 'cluster' | 'log' | 'notify'>;
}

/** Whether the Application's namespace is being deleted and its ServiceAccount is gone; what cannot be read is not. */
export async function isTenantGone({ identity, context, state }: Tenancy, kinds: Kinds): Promise<boolean> {
  if (identity.type === 'agent') return false;
  const { namespace, name } = identity;
  const read = async (kind: string, id: Omit<ObjectId, 'group' | 'kind'>): Promise<ReadAnswer | undefined> => {
    const info = kinds.served.get(kindKey('v1', kind));
    if (!info) return undefined;
    const answer = await context.cluster.as(agentIdentity).get(info, { group: '', kind, ...id });
    if (answer.ok) return answer;
    const fields = { application: state.key, kind, code: answer.refusal.code, reason: answer.refusal.message };
    context.log.debug('whether the tenant is gone cannot be read', fields);
    return undefined;
  };
  const home = await read('Namespace', { namespace: '', name: namespace });
  if (!home?.ok || (home.object && home.object.deletionTimestamp === undefined)) return false;
  const account = await read('ServiceAccount', { namespace, name });
  return account?.ok === true && account.object === undefined;
}

/** In the log too: a namespace in deletion takes no new Event. */
export function tellTenantGone({ identity, context, state }: Tenancy, left: readonly ObjectId[]): void {
  const account = identity.type === 'serviceAccount' ? identity.name : '';
  const first = left[0] ? formatId(left[0]) : '';
  const note =
    `${left.length} left alive (${first}${left.length > 1 ? ', …' : ''}): the namespace is being deleted, and its ` +
    `ServiceAccount ${account} is gone`;
  context.log.warn('objects are let go: the tenant is gone', {
    application: state.key,
    account,
    left: left.length,
    first,
  });
  context.notify({ type: 'Warning', reason: 'TenantGone', action: 'Orphan', note }, state.stored);
}
