/** What a result teaches: Live, baselines, accepted manifests, inventory. Called as each answer arrives. */
import type { ChangeResult } from '../../apply/applied.ts';
import type { Identity } from '../../cluster/identity.ts';
import { baselineOf } from '../../diff/baseline.ts';
import { idKey } from '../../object/identity.ts';
import { noteHeal } from '../decide/brake-heals.ts';
import type { Pass } from '../pass.ts';

export function rememberResult(pass: Pass, identity: Identity, result: ChangeResult): void {
  const { context, state } = pass;
  const { memory } = state;
  const { change, outcome, live } = result;
  const key = idKey(change.id);
  memory.verdicts.delete(key);
  noteHeal(pass, result);
  if (live && change.desired) {
    context.cluster.live.record(identity, change.desired.kind, change.id, live);
    memory.baselines.set(key, baselineOf(change.desired, live));
    memory.accepted.set(key, change.desired.digest);
  }
  if (outcome === 'pruned' || outcome === 'released') {
    memory.inventory?.delete(key);
    memory.baselines.delete(key);
    memory.accepted.delete(key);
    memory.heals.delete(key);
    if (outcome === 'pruned' && change.kind) context.cluster.live.record(identity, change.kind, change.id, undefined);
  }
  // Never ours: it was only noted ahead of the attempt.
  if (outcome === 'conflict' && !change.live) memory.inventory?.delete(key);
  // The namespace may have gone since it was ensured.
  if (result.refusal?.code === 'NamespaceMissing') memory.isNamespaceEnsured = false;
  if (outcome !== 'unchanged') context.metrics.onChange(outcome);
}
