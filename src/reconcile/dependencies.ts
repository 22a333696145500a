/**
 * spec.dependsOn: whether the Applications that this one depends on are Ready, read from what the agent knows of them
 * anyway. Nothing but their readiness is looked at or told, so that a reference into another namespace shows no more.
 *
 * Invariants: a new revision waits, what is applied is healed; whoever waits is woken by the change that ends the wait.
 */
import { applicationKey } from '../application/keys.ts';
import type { Desired } from '../bind/desired.ts';
import type { Change } from '../diff/changes.ts';
import { idKey } from '../object/identity.ts';
import { isMap, listAt, numberAt, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import type { Snapshot } from '../source/snapshot.ts';
import { acceptanceOf } from './acceptance.ts';
import type { Pass } from './pass.ts';

export interface Awaited {
  /** For people: which Application, and why. */
  readonly reason: string;
  /** By `idKey`: what is not applied or pruned until then. */
  readonly waits: ReadonlyMap<string, string>;
}

interface Compared {
  readonly changes: readonly Change[];
  readonly desired: Desired;
}

/** undefined: nothing is waited for, or nothing new is to be applied. A cycle is told in any case. */
export function awaitDependencies(pass: Pass, snapshot: Snapshot, compared: Compared): Awaited | undefined {
  const unready = findUnready(pass, snapshot);
  if (!unready) return undefined;
  const isAccepted = acceptanceOf(pass, compared.desired);
  const held = compared.changes.filter(
    ({ id, type, desired }) => EFFECTS.has(type) && !(desired && isAccepted(id, desired.digest)),
  );
  if (held.length === 0 && !unready.isCycle) return undefined;
  return { reason: unready.reason, waits: new Map(held.map(({ id }) => [idKey(id), unready.reason])) };
}

const EFFECTS: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure', 'prune']);

interface Unready {
  readonly reason: string;
  /** Each waits for the next, the last for the first: waiting cannot end by itself. */
  readonly isCycle: boolean;
}

function findUnready({ application, context, state }: Pass, snapshot: Snapshot): Unready | undefined {
  if (!application.spec.dependsOn?.length) return undefined;
  const stored = new Map<string, KubeObject>();
  for (const peer of context.peers()) stored.set(peer.key, peer.stored);
  const cycle = findCycle(state.key, stored);
  if (cycle) return { reason: `spec.dependsOn is a cycle: ${cycle.join(' → ')}`, isCycle: true };
  for (const key of dependenciesOf(state.stored)) {
    const reason = reasonUnready(stored.get(key), state.stored, snapshot.revision);
    if (reason !== undefined) return { reason: `Application ${key} ${reason}`, isCycle: false };
  }
  return undefined;
}

/** Keys of the Applications that one depends on, out of what is stored, valid or not. */
export function dependenciesOf(stored: KubeObject): string[] {
  const own = stringAt(stored.metadata, 'namespace') ?? '';
  return listAt(stored, 'spec', 'dependsOn').flatMap((item) => {
    const name = stringAt(item, 'name');
    return name === undefined ? [] : [applicationKey(stringAt(item, 'namespace') ?? own, name)];
  });
}

/** What others wait for, in one text: equal as long as it is the same to them. */
export function readinessOf(stored: KubeObject): string {
  const { status, observed } = readyOf(stored);
  const { generation, deletionTimestamp } = stored.metadata;
  const applied = stringAt(stored, 'status', 'sync', 'lastAppliedRevision') ?? '';
  const parts = [status, observed, generation, deletionTimestamp, applied, ...dependenciesOf(stored)];
  return parts.map(String).join(' ');
}

function reasonUnready(other: KubeObject | undefined, self: KubeObject, revision: string): string | undefined {
  if (!other) return 'does not exist';
  // Waiting for what goes away would never end.
  if (other.metadata['deletionTimestamp'] !== undefined) return undefined;
  const { status, observed, reason } = readyOf(other);
  if (observed !== numberAt(other.metadata, 'generation')) return 'has not looked at its spec yet';
  if (status !== 'True') return reason === '' ? 'is not Ready' : `is not Ready (${reason})`;
  // Of one source only the same revision counts: Ready may be about the one before.
  const isBound = isSameSource(other, self) && (stringAt(other, 'spec', 'sync', 'mode') ?? 'auto') === 'auto';
  if (!isBound || stringAt(other, 'status', 'sync', 'lastAppliedRevision') === revision) return undefined;
  return `is Ready, but not at ${revision} yet`;
}

function isSameSource(a: KubeObject, b: KubeObject): boolean {
  return ['repoURL', 'revision'].every(
    (field) => stringAt(a, 'spec', 'source', field) === stringAt(b, 'spec', 'source', field),
  );
}

interface Ready {
  readonly status: string;
  readonly reason: string;
  readonly observed: number | undefined;
}

function readyOf(stored: KubeObject): Ready {
  const ready = listAt(stored, 'status', 'conditions').find((item) => isMap(item) && item['type'] === 'Ready');
  return {
    status: stringAt(ready, 'status') ?? '',
    reason: stringAt(ready, 'reason') ?? '',
    observed: numberAt(ready, 'observedGeneration') ?? numberAt(valueAt(stored, 'status'), 'observedGeneration'),
  };
}

/** The shortest way from a key back to itself, both ends included; each Application is looked at once. */
function findCycle(start: string, stored: ReadonlyMap<string, KubeObject>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    const object = stored.get(key);
    for (const next of object ? dependenciesOf(object) : []) {
      if (next === start) return pathTo(key, start, cameFrom).concat(start);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, key);
      queue.push(next);
    }
  }
  return undefined;
}

function pathTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [end];
  for (let key = end; key !== start;) {
    key = cameFrom.get(key) ?? start;
    path.unshift(key);
  }
  return path;
}
