/**
 * `spec.dependsOn`: new objects of an Application wait until the Applications that it depends on are Ready.
 *
 * Invariants: a new revision waits, and applied objects are healed; the change that ends the wait wakes the Application
 * (see neighbours/dependents.ts). A dependency of the same source counts once it has applied this commit or a newer
 * one. It is asked for a poll where it has not looked since this commit was read, so that no interval has to pass.
 */
import type { Change } from '../../diff/changes.ts';
import { idKey } from '../../object/identity.ts';
import type { KubeObject } from '../../object/value.ts';
import { readRevision } from '../../source/revision.ts';
import type { IsAccepted } from '../accepted.ts';
import type { SourceState } from '../neighbours/desire.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';
import { dependenciesOf, findCycle, isBoundTo, reasonNotReady, type DependentState } from '../neighbours/readiness.ts';

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
  readonly state: SourceState;
  readonly changes: readonly Change[];
  readonly isAccepted: IsAccepted;
  readonly neighbours: Pick<Neighbours, 'get' | 'askToPoll'>;
}

/** undefined: nothing is waited for, or nothing new is to be applied. A cycle is told in any case. */
export function awaitDependencies(question: DependencyQuestion): DependencyWait | undefined {
  const unready = findUnready(question);
  if (!unready) return undefined;
  const { changes, isAccepted, neighbours } = question;
  const held = changes.filter(
    ({ id, type, desired }) => EFFECTS.has(type) && !(desired && isAccepted(id, desired.digest)),
  );
  if (held.length === 0 && !unready.isCycle) return undefined;
  if (unready.toAsk !== undefined) neighbours.askToPoll(unready.toAsk);
  return { reason: unready.reason, waits: new Map(held.map(({ id }) => [idKey(id), unready.reason])) };
}

const EFFECTS: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure', 'prune']);

interface Unready {
  readonly reason: string;
  /** Each Application waits for the next, and the last for the first: the wait cannot end by itself. */
  readonly isCycle: boolean;
  /** Key of an Application that has not looked at the source since the commit was read. */
  readonly toAsk?: string | undefined;
}

function findUnready({ key, stored, revision, state, neighbours }: DependencyQuestion): Unready | undefined {
  const dependencies = dependenciesOf(stored);
  if (dependencies.length === 0) return undefined;
  const cycle = findCycle(key, (other) => neighbours.get(other)?.stored);
  if (cycle) return { reason: `spec.dependsOn is a cycle: ${cycle.join(' → ')}`, isCycle: true };
  for (const other of dependencies) {
    const neighbour = neighbours.get(other);
    const isNewer = (applied: string): boolean => hasReadSince(neighbour, applied, state);
    const dependent = { application: neighbours.get(key)?.application, revision, isNewer };
    const reason = reasonNotReady(neighbour, dependent);
    if (reason === undefined) continue;
    const toAsk = neighbour && isBehind(neighbour, dependent, state) ? other : undefined;
    return { reason: `Application ${other} ${reason}`, isCycle: false, toAsk };
  }
  return undefined;
}

/** Whether a revision was first brought by a poll that began after the poll that brought this commit had ended. */
function hasReadSince(neighbour: Neighbour | undefined, applied: string, { readByMs }: SourceState): boolean {
  const commit = readRevision(applied)?.commit;
  const readFromMs = commit === undefined ? undefined : neighbour?.announced?.readFrom.get(commit);
  return readFromMs !== undefined && readFromMs >= readByMs;
}

/** Whether the other one follows the same source, and has not polled it since this commit was read. */
function isBehind(neighbour: Neighbour, dependent: DependentState, { commit, readByMs }: SourceState): boolean {
  const { announced, isDeleted, isSourceFailing, application } = neighbour;
  if (isDeleted || isSourceFailing || application?.spec.suspend !== false || !isBoundTo(neighbour, dependent))
    return false;
  const hasLooked = announced !== undefined && (announced.commit === commit || announced.poll.begunMs >= readByMs);
  // A commit that no poll has brought (a request names it, or it was recalled) is not waited for.
  return !hasLooked && readByMs !== Infinity;
}
