/**
 * The rights with which a deleted Application is finished, and its end when its tenant is gone: ServiceAccounts and
 * RoleBindings are deleted with their namespace, in no order, and a finalizer that waits for their rights would hold
 * the namespace for ever.
 *
 * Invariant: an account that is gone deletes nothing, and the agent's own rights never replace it: they only read
 * whether it is gone.
 */
import type { ApplicationMetadata, ApplicationSpec } from '../../application/schema.ts';
import { agentIdentity, isServiceAccountName, type Identity } from '../../cluster/identity.ts';
import { kindKey } from '../../cluster/kinds.ts';
import type { ReadAnswer } from '../../cluster/ports.ts';
import type { ObjectId } from '../../object/identity.ts';
import { formatId } from '../../object/identity.ts';
import { valueAt, type KubeObject } from '../../object/value.ts';
import type { ReconcileContext } from '../context.ts';
import type { DeletionContext, DeletionHub } from './deletion.ts';
import { identityOf } from '../pass.ts';

interface AccountQuestion {
  readonly metadata: ApplicationMetadata;
  readonly spec: ApplicationSpec | undefined;
}

/** The account counts even where the rest of the spec cannot be read. undefined: the name is not that of an account. */
export function identityToFinish(
  { metadata, spec }: AccountQuestion,
  { stored }: { readonly stored: KubeObject },
  { settings }: { readonly settings: Pick<ReconcileContext['settings'], 'defaultServiceAccount'> },
): Identity | undefined {
  const written = spec ? spec.serviceAccountName : (valueAt(stored, 'spec', 'serviceAccountName') ?? undefined);
  if (written === undefined) return identityOf({ metadata, spec: {} }, settings);
  if (typeof written !== 'string' || !isServiceAccountName(written)) return undefined;
  return identityOf({ metadata, spec: { serviceAccountName: written } }, settings);
}

interface Tenancy {
  readonly identity: Identity;
  readonly record: { readonly key: string; readonly stored: KubeObject };
  readonly context: Pick<DeletionContext, 'log' | 'notify'> & { readonly hub: Pick<DeletionHub, 'as' | 'kinds'> };
}

/**
 * Whether the Application's namespace is being deleted and its ServiceAccount is gone. An object that cannot be read
 * does not count as gone.
 */
export async function isTenantGone({ identity, context, record }: Tenancy): Promise<boolean> {
  if (identity.type === 'agent') return false;
  const kinds = await context.hub.kinds();
  const { namespace, name } = identity;
  const read = async (kind: string, id: Omit<ObjectId, 'group' | 'kind'>): Promise<ReadAnswer | undefined> => {
    const info = kinds.served.get(kindKey('v1', kind));
    if (!info) return undefined;
    const answer = await context.hub.as(agentIdentity).get(info, { group: '', kind, ...id });
    if (answer.ok) return answer;
    const fields = { application: record.key, kind, code: answer.refusal.code, reason: answer.refusal.message };
    context.log.debug('whether the tenant is gone cannot be read', fields);
    return undefined;
  };
  const home = await read('Namespace', { namespace: '', name: namespace });
  if (!home?.ok || (home.object && home.object.deletionTimestamp === undefined)) return false;
  const account = await read('ServiceAccount', { namespace, name });
  return account?.ok === true && account.object === undefined;
}

/** The log tells it too: a namespace in deletion takes no new Event. */
export function tellTenantGone({ identity, context, record }: Tenancy, left: readonly ObjectId[]): void {
  const account = identity.type === 'serviceAccount' ? identity.name : '';
  const first = left[0] ? formatId(left[0]) : '';
  const note =
    `${left.length} left alive (${first}${left.length > 1 ? ', …' : ''}): the namespace is being deleted, and its ` +
    `ServiceAccount ${account} is gone`;
  context.log.warn('objects are released: the tenant is gone', {
    application: record.key,
    account,
    left: left.length,
    first,
  });
  context.notify({ type: 'Warning', reason: 'TenantGone', action: 'Orphan', note }, record.stored);
}
