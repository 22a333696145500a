/**
 * The objects of a deleted Application that its own end depends on, so that they must be deleted after all others:
 * objects that cannot be gone before the Application is, and the account and the roles that it acts by.
 *
 * Invariant: an object that waits for the Application is never waited for by it, whatever the length of the circle.
 */
import type { Identity } from '../../cluster/identity.ts';
import type { LiveEntry } from '../../cluster/live.ts';
import { APPLICATION_GROUP, APPLICATION_KIND } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { listAt, stringAt, type KubeObject, type Value } from '../../object/value.ts';

export interface Holder {
  /** `namespace/name` of an Application. */
  readonly key: string;
  /** Whether its inventory holds the object. */
  readonly holds: (id: ObjectId) => boolean;
}

/**
 * The keys of the Applications that cannot be gone before this one: itself, and every Application whose inventory holds
 * the object of one of them, or the Namespace in which one of them lives.
 */
export function keysWaitingFor(key: string, others: readonly Holder[]): ReadonlySet<string> {
  const waiting = new Set([key]);
  // The set grows while it is walked: an Application that is found may itself be held by others.
  for (const held of waiting) {
    const places = placesOf(held);
    for (const other of others) {
      if (!waiting.has(other.key) && places.some((id) => other.holds(id))) waiting.add(other.key);
    }
  }
  return waiting;
}

/** The object of an Application, and the Namespace in which it lives. */
function placesOf(key: string): ObjectId[] {
  const [namespace = '', name = ''] = key.split('/');
  return [
    { group: APPLICATION_GROUP, kind: APPLICATION_KIND, namespace, name },
    { group: '', kind: 'Namespace', namespace: '', name: namespace },
  ];
}

export interface LastQuestion {
  readonly ids: readonly ObjectId[];
  /** By `idKey`. */
  readonly live: ReadonlyMap<string, LiveEntry>;
  readonly identity: Identity;
  /** As `keysWaitingFor` answers. */
  readonly waiting: ReadonlySet<string>;
}

export interface Stages {
  readonly first: readonly ObjectId[];
  /** They are gone only after the Application: it is enough that their deletion has begun. */
  readonly waiting: readonly ObjectId[];
  /** The ServiceAccount that the Application acts by. */
  readonly account: readonly ObjectId[];
  /** Roles and bindings that give the account its rights. They go last, since no right may be left after them. */
  readonly rights: readonly ObjectId[];
}

export function stagesOf({ ids, live, identity, waiting }: LastQuestion): Stages {
  const places = new Set([...waiting].flatMap((key) => placesOf(key).map(idKey)));
  const rights = identity.type === 'serviceAccount' ? rightsOf(ids, live, identity) : new Set<string>();
  const stages = {
    first: [] as ObjectId[],
    waiting: [] as ObjectId[],
    account: [] as ObjectId[],
    rights: [] as ObjectId[],
  };
  for (const id of ids) {
    const key = idKey(id);
    if (places.has(key)) stages.waiting.push(id);
    else if (isAccount(id, identity)) stages.account.push(id);
    else if (rights.has(key)) stages.rights.push(id);
    else stages.first.push(id);
  }
  return stages;
}

type Account = Extract<Identity, { type: 'serviceAccount' }>;

function isAccount({ group, kind, namespace, name }: ObjectId, identity: Identity): boolean {
  if (identity.type !== 'serviceAccount') return false;
  return group === '' && kind === 'ServiceAccount' && namespace === identity.namespace && name === identity.name;
}

const RBAC = 'rbac.authorization.k8s.io';

/**
 * By `idKey`: bindings of the account, and roles that only bindings of others do not explain. An object that cannot be
 * read counts as well: the account may have lost the right to read it.
 */
function rightsOf(
  ids: readonly ObjectId[],
  live: ReadonlyMap<string, LiveEntry>,
  account: Account,
): ReadonlySet<string> {
  const rights = new Set<string>();
  const rolesOfOthers = new Set<string>();
  const rolesOfAccount = new Set<string>();
  const roles: ObjectId[] = [];
  for (const id of ids) {
    if (id.group !== RBAC) continue;
    const entry = live.get(idKey(id));
    if (!id.kind.endsWith('Binding')) roles.push(id);
    else if (entry?.state !== 'present') rights.add(idKey(id));
    else {
      const isOwn = bindsAccount(entry.object.body, account);
      if (isOwn) rights.add(idKey(id));
      (isOwn ? rolesOfAccount : rolesOfOthers).add(roleOf(id, entry.object.body));
    }
  }
  for (const id of roles) {
    const key = idKey(id);
    if (rolesOfAccount.has(key) || !rolesOfOthers.has(key)) rights.add(key);
  }
  return rights;
}

/** `idKey` of the role that a binding names. */
function roleOf({ namespace }: ObjectId, body: KubeObject): string {
  const kind = stringAt(body, 'roleRef', 'kind') ?? '';
  const name = stringAt(body, 'roleRef', 'name') ?? '';
  return idKey({ group: RBAC, kind, namespace: kind === 'ClusterRole' ? '' : namespace, name });
}

function bindsAccount(body: KubeObject, { namespace, name }: Account): boolean {
  const users = new Set([`system:serviceaccount:${namespace}:${name}`]);
  const groups = new Set(['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']);
  return listAt(body, 'subjects').some((subject: Value) => {
    const subjectName = stringAt(subject, 'name') ?? '';
    const kind = stringAt(subject, 'kind');
    if (kind === 'User') return users.has(subjectName);
    if (kind === 'Group') return groups.has(subjectName);
    return subjectName === name && stringAt(subject, 'namespace') === namespace;
  });
}
