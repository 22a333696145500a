/** Records the result of a change in Live, evidence, brake and inventory. Called as each answer arrives. */
import { applicationKey } from '../../application/keys.ts';
import type { ChangeResult } from '../../apply/applied.ts';
import type { LiveStore } from '../../cluster/ports.ts';
import { parseOwner } from '../../object/applyset.ts';
import { formatId, idKey } from '../../object/identity.ts';
import type { Clock, Log, Metrics } from '../../telemetry/ports.ts';
import { dropHeals, noteHeal } from '../decide/brake-heals.ts';
import { noteStartedJob } from '../decide/ended-jobs.ts';
import { dropEvidence, dropSettled, noteApplied } from '../decide/evidence.ts';
import { noteLost, noteWritten, removeFromInventory } from '../decide/inventory.ts';
import type { ApplicationRecord, Memory } from '../memory.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';
import type { Pass } from '../pass.ts';

/** The part of a pass that a result is recorded in. */
export interface Recording extends Pick<Pass, 'identity'> {
  readonly memory: Pick<Memory, 'evidence' | 'endedJobs' | 'heals' | 'inventory' | 'place'>;
  readonly record: Pick<ApplicationRecord, 'key'>;
  readonly target: { readonly live: Pick<LiveStore, 'record'> };
  readonly context: {
    readonly clock: Pick<Clock, 'monotonicMs'>;
    readonly log: Pick<Log, 'warn'>;
    readonly metrics: Pick<Metrics, 'onChange'>;
    readonly neighbours: Pick<Neighbours, 'wake'>;
  };
}

export function recordResult(pass: Recording, result: ChangeResult): void {
  const { context, identity, memory, record, target } = pass;
  const { evidence, heals, inventory, place } = memory;
  const { change, outcome, live, found } = result;
  const key = idKey(change.id);
  dropSettled(evidence, change.id);
  // Before the answer counts as accepted: only a manifest that was accepted before can be healed.
  const isContested = noteHeal(heals, result, {
    isAccepted: (id, digest) => evidence.accepted.get(idKey(id)) === digest,
    nowMs: context.clock.monotonicMs(),
  });
  if (isContested) {
    context.log.warn('an object is contested', { application: record.key, object: formatId(change.id) });
  }
  if (live && change.desired) {
    target.live.record(identity, change.desired.kind, change.id, live);
    noteApplied(evidence, change.desired, live);
    noteStartedJob(memory.endedJobs, change.desired);
    noteWritten(inventory, change.id);
  }
  // Without our label no watch shows it, and its health would be that of a missing object.
  if (found && change.desired) target.live.record(identity, change.desired.kind, change.id, found);
  const giver = outcome === 'adopted' && change.takenFrom !== undefined ? parseOwner(change.takenFrom) : undefined;
  // The object counts as ours from now on, so its events no longer reach the other Application.
  if (giver) context.neighbours.wake(applicationKey(giver.namespace, giver.name));
  if (outcome === 'pruned' || outcome === 'released') {
    if (inventory.ids) removeFromInventory(inventory.ids, [key]);
    noteLost(inventory, change.id);
    dropEvidence(evidence, change.id);
    dropHeals(heals, change.id);
    if (outcome === 'pruned' && change.kind) target.live.record(identity, change.kind, change.id, undefined);
  }
  // It never was ours: its id entered the inventory only ahead of the attempt.
  if (inventory.ids && outcome === 'conflict' && !change.live) removeFromInventory(inventory.ids, [key]);
  // The namespace may have been deleted since it was seen.
  if (result.refusal?.code === 'NamespaceMissing') place.isNamespaceKnown = false;
  if (outcome !== 'unchanged') context.metrics.onChange(outcome);
}
