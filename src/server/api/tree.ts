/**
 * The tree of an Application: its objects, and below them what they own, down to Pods. Owned objects are read with the
 * token of the caller.
 *
 * Invariant: the number of lists, of listed objects and of nodes is bounded; a note names what was left out.
 */
import { forEachConcurrently } from '../../cluster/concurrency.ts';
import { createKindFinder, type KindFinder, type KindInfo, type Kinds } from '../../cluster/kinds.ts';
import type { LiveObject } from '../../cluster/live.ts';
import type { CallerClient } from '../../cluster/ports.ts';
import { assessHealth } from '../../health/health.ts';
import { groupOf, idKey, type ObjectId } from '../../object/identity.ts';
import { listAt, numberAt, stringAt, valueAt, type Value } from '../../object/value.ts';
import type { ObjectStatus } from '../../status/object-status.ts';
import type { TreeNode } from './schema.ts';

export interface Tree {
  readonly nodes: readonly TreeNode[];
  readonly notes: readonly string[];
}

export interface TreeQuestion {
  readonly objects: readonly ObjectStatus[];
  readonly kinds: Kinds;
  readonly client: Pick<CallerClient, 'listBySelector'>;
}

const MAX_LISTS = 40;
const LISTS_AT_ONCE = 4;
/** Objects of one kind in one namespace: a list is read as a whole, and must not hold the thread for long. */
const MAX_OF_LIST = 250;
const MAX_OWNED = 2_000;
/** Kinds of the group of a custom resource that are looked through. */
const MAX_KINDS_OF_GROUP = 10;

export async function treeOf({ objects, kinds, client }: TreeQuestion): Promise<Tree> {
  const notes: string[] = [];
  const all = listsFor(objects, kinds);
  if (all.length > MAX_LISTS) notes.push(`only ${MAX_LISTS} of ${all.length} lists of owned objects were read`);
  const owned = new Map<string, LiveObject[]>();
  await forEachConcurrently(all.slice(0, MAX_LISTS), { concurrency: LISTS_AT_ONCE }, async ({ kind, namespace }) => {
    const answer = await client.listBySelector(kind, { namespace, limit: MAX_OF_LIST });
    if (!answer.ok) return void notes.push(`${kind.plural} in ${namespace} are not shown: ${answer.refusal.message}`);
    if (answer.objects.length === MAX_OF_LIST) {
      notes.push(`only ${MAX_OF_LIST} ${kind.plural} in ${namespace} were looked through`);
    }
    for (const object of answer.objects) noteOwner(owned, object);
  });
  const nodes = objects.map(nodeOfStatus);
  const known = new Set(objects.map(({ id }) => idKey(id)));
  // The list grows while it is walked, so owners come before what they own.
  for (let parent = 0; parent < nodes.length; parent++) {
    const owner = nodes[parent];
    for (const object of owner ? (owned.get(idKey(owner)) ?? []) : []) {
      if (known.has(idKey(object.id))) continue;
      if (nodes.length - objects.length === MAX_OWNED) {
        notes.push(`only ${MAX_OWNED} owned objects are shown`);
        return { nodes, notes: notes.sort() };
      }
      known.add(idKey(object.id));
      nodes.push(nodeOfLive(object, parent));
    }
  }
  return { nodes, notes: notes.sort() };
}

interface ListOf {
  readonly kind: KindInfo;
  readonly namespace: string;
}

/** Kinds that built-in workloads own, in both steps. */
const OWNED_BY: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['apps/ReplicaSet', '/Pod'],
  'apps/ReplicaSet': ['/Pod'],
  'apps/StatefulSet': ['/Pod'],
  'apps/DaemonSet': ['/Pod'],
  'batch/Job': ['/Pod'],
  'batch/CronJob': ['batch/Job', '/Pod'],
  '/ReplicationController': ['/Pod'],
};

/** Beside the kinds of its own group, a custom resource may own any of these. */
const OWNED_BY_CUSTOM = [
  ...['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'apps/ReplicaSet', 'batch/Job', 'batch/CronJob'],
  ...['/Pod', '/Service', '/PersistentVolumeClaim'],
];

function listsFor(objects: readonly ObjectStatus[], kinds: Kinds): ListOf[] {
  const find = createKindFinder(kinds);
  const lists = new Map<string, ListOf>();
  for (const { id, health } of objects) {
    if (id.namespace === '' || health.status === 'Missing') continue;
    for (const kind of ownedKinds(id, find, kinds)) {
      lists.set(`${kind.group}/${kind.kind}/${id.namespace}`, { kind, namespace: id.namespace });
    }
  }
  return [...lists.values()];
}

function ownedKinds(id: ObjectId, find: KindFinder, kinds: Kinds): KindInfo[] {
  const own = OWNED_BY[`${id.group}/${id.kind}`];
  const isCustom = id.group.includes('.') && !id.group.endsWith('.k8s.io');
  const names = own ?? (isCustom ? OWNED_BY_CUSTOM : []);
  const found = names.map((name) => {
    const [group = '', kind = ''] = name.split('/');
    return find({ group, kind, namespace: id.namespace });
  });
  return [...found, ...(isCustom ? kindsOfGroup(id, find, kinds) : [])].filter((kind) => typeof kind === 'object');
}

function kindsOfGroup({ group, namespace }: ObjectId, find: KindFinder, { served }: Kinds) {
  const names = new Set<string>();
  for (const info of served.values()) {
    if (info.group === group && info.isNamespaced && info.isWatchable) names.add(info.kind);
  }
  return [...names].slice(0, MAX_KINDS_OF_GROUP).map((kind) => find({ group, kind, namespace }));
}

/** Below its controller, or else its first owner. Owners of an object are in its namespace, or cluster-scoped. */
function noteOwner(owned: Map<string, LiveObject[]>, object: LiveObject): void {
  if (isReplaced(object)) return;
  const owners = listAt(object.body.metadata, 'ownerReferences');
  const owner = owners.find((one) => valueAt(one, 'controller') === true) ?? owners[0];
  if (owner === undefined) return;
  for (const namespace of [object.id.namespace, '']) {
    const key = idKey({ ...namesOf(owner), namespace });
    const siblings = owned.get(key);
    if (siblings) siblings.push(object);
    else owned.set(key, [object]);
  }
}

function namesOf(owner: Value): Omit<ObjectId, 'namespace'> {
  const group = groupOf(stringAt(owner, 'apiVersion') ?? '');
  return { group, kind: stringAt(owner, 'kind') ?? '', name: stringAt(owner, 'name') ?? '' };
}

/** The ReplicaSets of earlier versions of a Deployment stay, without Pods. */
function isReplaced({ id, body }: LiveObject): boolean {
  if (id.kind !== 'ReplicaSet') return false;
  return numberAt(body, 'spec', 'replicas') === 0 && (numberAt(body, 'status', 'replicas') ?? 0) === 0;
}

function nodeOfStatus({ id, sync, health, message, isPruning }: ObjectStatus): TreeNode {
  return {
    ...id,
    sync,
    health: { ...health },
    ...(message === undefined ? {} : { message }),
    ...(isPruning ? { pruning: true as const } : {}),
  };
}

function nodeOfLive(object: LiveObject, parent: number): TreeNode {
  const createdAt = stringAt(object.body.metadata, 'creationTimestamp');
  return {
    ...object.id,
    parent,
    health: { ...assessHealth(object) },
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}
