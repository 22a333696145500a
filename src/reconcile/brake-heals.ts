/**
 * The brake on healing, applied to a pass: which heals must wait, what to tell of them, and what each one adds to the
 * record. The law of the brake itself is plan/brake.ts.
 */
import type { ChangeResult } from '../apply/applied.ts';
import type { Change } from '../diff/changes.ts';
import { formatId, idKey } from '../object/identity.ts';
import { brakeMs, currentRecord, defaultBrake, pauseAfterMs, recordHeal } from '../plan/brake.ts';
import type { ContestedObject } from '../status/report.ts';
import type { Pass } from './pass.ts';

/** From the second heal on an object is contested; one hand edit is nobody's quarrel. */
const LEAST_HEALS = 2;

export interface Braked {
  /** By `idKey`: heals that must wait, with the reason for people. */
  readonly held: ReadonlyMap<string, string>;
  readonly contested: readonly ContestedObject[];
  /** Until the next one may go on, or until the first is forgotten; Infinity when nothing is remembered. */
  readonly againInMs: number;
}

export function brakeHeals({ state, context }: Pass, changes: readonly Change[]): Braked {
  const { heals } = state.memory;
  const nowMs = context.clock.monotonicMs();
  const held = new Map<string, string>();
  const contested: ContestedObject[] = [];
  let againInMs = Infinity;
  if (heals.size === 0) return { held, contested, againInMs };
  for (const change of changes) {
    const key = idKey(change.id);
    const record = heals.get(key);
    if (!record || !change.desired) continue;
    const heal = { manifestDigest: change.desired.digest, nowMs };
    const current = currentRecord(record, heal, defaultBrake);
    if (!current) {
      heals.delete(key);
      continue;
    }
    const waitMs = isHeal(change) ? brakeMs(record, heal, defaultBrake) : 0;
    // The whole pause, not what is left of it: status would be another in each pass of it.
    const pauseS = pauseAfterMs(current, defaultBrake) / 1000;
    if (waitMs > 0) held.set(key, `contested: ${record.other}; it is healed again ${pauseS} s after the last time`);
    if (current.heals >= LEAST_HEALS || waitMs > 0) {
      contested.push({ id: change.id, message: `healed ${current.heals} times against ${record.other}` });
    }
    againInMs = Math.min(againInMs, waitMs > 0 ? waitMs : record.lastHealMs + defaultBrake.quietMs - nowMs);
  }
  return { held, contested, againInMs };
}

/**
 * Counts a result as a heal if it changed an object whose manifest had been accepted before. Call it before that is
 * noted.
 */
export function noteHeal({ state, context }: Pass, { change, outcome }: ChangeResult): void {
  const { memory } = state;
  const { desired } = change;
  if (!desired || (outcome !== 'configured' && outcome !== 'created') || !isHeal(change)) return;
  const key = idKey(change.id);
  if (memory.accepted.get(key) !== desired.digest) return;
  const heal = { manifestDigest: desired.digest, nowMs: context.clock.monotonicMs() };
  const record = recordHeal(memory.heals.get(key), heal, defaultBrake);
  memory.heals.set(key, { ...record, other: describeOther(change) });
  if (record.heals === LEAST_HEALS) {
    context.log.warn('an object is contested', { application: state.key, object: formatId(change.id) });
  }
}

function isHeal({ type }: Change): boolean {
  return type === 'update' || type === 'unsure' || type === 'create';
}

/** `kubectl-edit at /spec/replicas`; the manager and the field, never a value. */
function describeOther({ type, fields }: Change): string {
  if (type === 'create') return 'somebody who deletes it';
  const [first] = fields;
  if (!first) return 'another writer';
  return `${first.manager ?? 'another writer'} at ${first.path}`;
}
