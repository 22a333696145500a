/**
 * `spec.dependsOn`: new objects of an Application wait until the Applications that it depends on are Ready.
 *
 * Invariants: a new revision waits, and applied objects are healed; the change that ends the wait wakes the Application
 * (see neighbours/dependents.ts).
 */
import type { Change } from '../../diff/changes.ts';
import { idKey } from '../../object/identity.ts';
import type { KubeObject } from '../../object/value.ts';
import type { IsAccepted } from '../accepted.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';
import { dependenciesOf, findCycle, reasonNotReady } from '../neighbours/readiness.ts';

export interface DependencyWait {
  /** For people: which Application, and why. */
  readonly reason: string;
  /** By `idKey`: changes that are not applied or pruned until then. */
  readonly waits: ReadonlyMap<string, string>;
}

export interface DependencyQuestion {
  /** `namespace/name` of the Application. */
  readonly key: string;
  /** The Application as stored. */
  readonly stored: KubeObject;
  /** The revision that it is about to apply. */
  readonly revision: string;
  readonly changes: readonly Change[];
  readonly isAccepted: IsAccepted;
  readonly neighbours: Pick<Neighbours, 'get'>;
}

/** undefined: nothing is waited for, or nothing new is to be applied. A cycle is told in any case. */
export function awaitDependencies(question: DependencyQuestion): DependencyWait | undefined {
  const unready = findUnready(question);
  if (!unready) return undefined;
  const { changes, isAccepted } = question;
  const held = changes.filter(
    ({ id, type, desired }) => EFFECTS.has(type) && !(desired && isAccepted(id, desired.digest)),
  );
  if (held.length === 0 && !unready.isCycle) return undefined;
  return { reason: unready.reason, waits: new Map(held.map(({ id }) => [idKey(id), unready.reason])) };
}

const EFFECTS: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure', 'prune']);

interface Unready {
  readonly reason: string;
  /** Each Application waits for the next, and the last for the first: the wait cannot end by itself. */
  readonly isCycle: boolean;
}

function findUnready({ key, stored, revision, neighbours }: DependencyQuestion): Unready | undefined {
  const dependencies = dependenciesOf(stored);
  if (dependencies.length === 0) return undefined;
  const cycle = findCycle(key, (other) => neighbours.get(other)?.stored);
  if (cycle) return { reason: `spec.dependsOn is a cycle: ${cycle.join(' → ')}`, isCycle: true };
  for (const other of dependencies) {
    const reason = reasonNotReady(neighbours.get(other), neighbours.get(key)?.application, revision);
    if (reason !== undefined) return { reason: `Application ${other} ${reason}`, isCycle: false };
  }
  return undefined;
}
