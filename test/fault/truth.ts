/**
 * Compares the status of an Application with Git and with live objects. Uses nothing of the agent but the fields that
 * people read.
 *
 * Invariant: a status is judged only by objects that were read while it was in force.
 */
import { at, inventoryOf, OWNER, readyReason } from '../support/scene.ts';
import type { Json } from '../support/world.ts';

/** Value by name of a ConfigMap. */
export type Values = ReadonlyMap<string, string>;

export interface Moment {
  /** As it was read before and after the objects, with the same resourceVersion. */
  readonly application: Json;
  /** The ConfigMaps of its namespace, by name. */
  readonly live: ReadonlyMap<string, Json>;
  /** The ConfigMaps that Git has at a commit for this Application; undefined for a commit that was never made. */
  readonly wantedAt: (commit: string) => Values | undefined;
}

/** Each sentence says what the status says, and what is so instead. */
export function untruthsOf({ application, live, wantedAt }: Moment): string[] {
  const status: unknown = application['status'];
  const isOfThisSpec = at(status, 'observedGeneration') === at(application, 'metadata', 'generation');
  if (!isOfThisSpec || at(application, 'metadata', 'deletionTimestamp') !== undefined) return [];
  const ready = readyReason(application);
  const isSynced = at(status, 'sync', 'status') === 'Synced';
  if (!isSynced && !ready.startsWith('True')) return [];
  const commit = String(at(status, 'sync', 'revision')).replace(/^.*:/, '');
  const wanted = wantedAt(commit);
  const word = `${isSynced ? 'Synced' : 'Ready'} at ${commit.slice(0, 12)}`;
  if (!wanted) return [`${word}, which is no commit of the repository`];
  const differences = differencesOf(wanted, live, nameOf(application));
  return [...differences.missing, ...differences.surplus].map((difference) => `${word}, but ${difference}`);
}

/** The status at the end, when nothing is left to do: it must name every object and no other. */
export function unsaidOf(application: Json, commit: string, objects: ReadonlySet<string>): string[] {
  const status: unknown = application['status'];
  const total = at(status, 'counts', 'total');
  const inventory = inventoryNames(application);
  const facts: readonly [boolean, string][] = [
    [readyReason(application).startsWith('True'), `Ready is ${readyReason(application)}`],
    [at(status, 'sync', 'status') === 'Synced', `sync.status is ${String(at(status, 'sync', 'status'))}`],
    [
      String(at(status, 'sync', 'revision')).endsWith(commit),
      `the revision is ${String(at(status, 'sync', 'revision'))}`,
    ],
    [total === objects.size, `counts.total is ${String(total)}, not ${objects.size}`],
    [at(status, 'counts', 'synced') === total, `counts.synced is ${String(at(status, 'counts', 'synced'))}`],
    [
      inventory === undefined || inventory.size === objects.size,
      `the inventory has ${inventory?.size} objects, not ${objects.size}`,
    ],
    [at(status, 'observedGeneration') === at(application, 'metadata', 'generation'), 'the spec is newer'],
  ];
  return facts.flatMap(([isSo, problem]) => (isSo ? [] : [problem]));
}

export interface Differences {
  readonly missing: readonly string[];
  /** Objects with the marks of this Application that Git does not have for it. */
  readonly surplus: readonly string[];
}

export function differencesOf(wanted: Values, live: ReadonlyMap<string, Json>, owner: string): Differences {
  const missing: string[] = [];
  for (const [name, value] of wanted) {
    const found = live.get(name);
    if (!found) missing.push(`${name} does not exist`);
    else if (at(found, 'data', 'value') !== value) missing.push(`${name} differs from Git`);
    else if (!isMarked(found, owner)) missing.push(`${name} has no marks of ${owner}`);
  }
  const isSurplus = (name: string, object: Json): boolean => isMarked(object, owner) && !wanted.has(name);
  const surplus = [...live].flatMap(([name, object]) => (isSurplus(name, object) ? [`${name} exists`] : []));
  return { missing, surplus };
}

/** Whether both marks are there, and the annotation names this Application. */
function isMarked(object: Json, owner: string): boolean {
  const hasLabel = at(object, 'metadata', 'labels', 'applyset.kubernetes.io/part-of') !== undefined;
  return hasLabel && String(at(object, 'metadata', 'annotations', OWNER)).endsWith(`/${owner}`);
}

function nameOf(application: Json): string {
  return `${String(at(application, 'metadata', 'namespace'))}/${String(at(application, 'metadata', 'name'))}`;
}

/** undefined for a compressed inventory. */
function inventoryNames(application: Json): Set<string> | undefined {
  const isPlain = at(application, 'status', 'inventory', 'gzip') === undefined;
  return isPlain ? new Set(inventoryOf(application)) : undefined;
}
