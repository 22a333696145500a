/**
 * Whether Applications are Ready for those that depend on them (`spec.dependsOn`), read from what is stored. Nothing
 * but readiness is looked at or told, so that a reference into another namespace shows no more.
 */
import { applicationKey } from '../../application/keys.ts';
import type { Application } from '../../application/schema.ts';
import { isMap, listAt, numberAt, stringAt, valueAt, type KubeObject } from '../../object/value.ts';
import { nameOfRevision } from '../../source/revision.ts';
import { isSameSource, type Follower } from './desire.ts';

/** Keys of the Applications that one depends on, whether its spec is valid or not. */
export function dependenciesOf(stored: KubeObject): string[] {
  const own = stringAt(stored.metadata, 'namespace') ?? '';
  return listAt(stored, 'spec', 'dependsOn').flatMap((item) => {
    const name = stringAt(item, 'name');
    return name === undefined ? [] : [applicationKey(stringAt(item, 'namespace') ?? own, name)];
  });
}

/** A text that is equal as long as the readiness of an Application is the same to those that depend on it. */
export function readinessOf(stored: KubeObject): string {
  const { status, observed } = readyOf(stored);
  const { generation, deletionTimestamp } = stored.metadata;
  const applied = stringAt(stored, 'status', 'sync', 'lastAppliedRevision') ?? '';
  const parts = [status, observed, generation, deletionTimestamp, applied, ...dependenciesOf(stored)];
  return parts.map(String).join(' ');
}

/** An Application that others depend on. */
export interface Dependency extends Follower {
  readonly stored: KubeObject;
}

/** An Application that depends on others. */
export interface DependentState {
  readonly application: Application | undefined;
  /** The revision that it is about to apply. */
  readonly revision: string;
  /** Whether a revision that the other one has applied is newer than that. */
  readonly isNewer: (appliedRevision: string) => boolean;
}

/** Why an Application is not Ready for one that depends on it. undefined: it is Ready. */
export function reasonNotReady(other: Dependency | undefined, dependent: DependentState): string | undefined {
  if (!other) return 'does not exist';
  const { stored } = other;
  // Waiting for a deleted Application would never end.
  if (stored.metadata['deletionTimestamp'] !== undefined) return undefined;
  const { status, observed, reason } = readyOf(stored);
  if (observed !== numberAt(stored.metadata, 'generation')) return 'has not looked at its spec yet';
  if (status !== 'True') return reason === '' ? 'is not Ready' : `is not Ready (${reason})`;
  if (!isBoundTo(other, dependent)) return undefined;
  const { revision, isNewer } = dependent;
  const applied = stringAt(stored, 'status', 'sync', 'lastAppliedRevision') ?? '';
  if (applied === revision || isNewer(applied)) return undefined;
  return `is Ready, but not at ${revision} yet`;
}

/**
 * Whether a dependency counts only once it has applied the revision of the dependent or a newer one: it follows the
 * same source by itself, and its Ready may be about the revision before.
 */
export function isBoundTo(other: Dependency, { application, revision }: DependentState): boolean {
  const self = { application, followedRef: nameOfRevision(revision) };
  return isSameSource(other, self) && other.application?.spec.sync.mode === 'auto';
}

/**
 * The shortest way through `spec.dependsOn` from a key back to itself, both ends included. Each Application is looked
 * at once. undefined: there is no cycle.
 */
export function findCycle(start: string, storedOf: (key: string) => KubeObject | undefined): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const key of queue) {
    const object = storedOf(key);
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
    path.push(key);
  }
  return path.reverse();
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
