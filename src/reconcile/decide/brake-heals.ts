/**
 * The brake on healing, applied to a pass: which heals must wait, what status says about them, and the record of each
 * heal. The law of the brake itself is plan/brake.ts.
 */
import type { ChangeResult, Outcome } from '../../apply/applied.ts';
import type { Change } from '../../diff/changes.ts';
import { idKey } from '../../object/identity.ts';
import { brakeMs, currentRecord, defaultBrake, pauseAfterMs, recordHeal } from '../../plan/brake.ts';
import type { ContestedObject } from '../../status/report.ts';
import type { IsAccepted } from '../accepted.ts';
import type { HealMemory, HealsMemory } from './memory.ts';

/** From the second heal on an object counts as contested: one edit by hand is not a fight. */
const LEAST_HEALS = 2;

export interface Braked {
  /** By `idKey`: heals that must wait, with the reason for people. */
  readonly held: ReadonlyMap<string, string>;
  readonly contested: readonly ContestedObject[];
  /** Until the next heal may go on, or until the first record is forgotten; Infinity without records. */
  readonly againInMs: number;
}

/** `nowMs` is monotonic. */
export function brakeHeals({ records }: HealsMemory, changes: readonly Change[], nowMs: number): Braked {
  const held = new Map<string, string>();
  const contested: ContestedObject[] = [];
  let againInMs = Infinity;
  if (records.size === 0) return { held, contested, againInMs };
  for (const change of changes) {
    const key = idKey(change.id);
    const record = records.get(key);
    if (!record || !change.desired) continue;
    const heal = { manifestDigest: change.desired.digest, nowMs };
    const current = currentRecord(record, heal, defaultBrake);
    if (!current) {
      // While a newer manifest waits, the record may be about the applied one.
      if (nowMs - record.lastHealMs >= defaultBrake.quietMs) records.delete(key);
      continue;
    }
    const waitMs = isHeal(change) && !endsRecreation(change, record) ? brakeMs(record, heal, defaultBrake) : 0;
    // The whole pause, not the rest of it: otherwise status would change in each pass.
    const pauseS = pauseAfterMs(current, defaultBrake) / 1000;
    if (waitMs > 0) held.set(key, `contested: ${record.other}; it is healed again ${pauseS} s after the last time`);
    if (current.heals >= LEAST_HEALS || waitMs > 0) {
      const times = current.heals === 1 ? 'once' : `${current.heals} times`;
      contested.push({ id: change.id, message: `healed ${times} against ${record.other}` });
    }
    againInMs = Math.min(againInMs, waitMs > 0 ? waitMs : record.lastHealMs + defaultBrake.quietMs - nowMs);
  }
  return { held, contested, againInMs };
}

export interface HealOptions {
  /** As it was before the result. */
  readonly isAccepted: IsAccepted;
  /** Monotonic. */
  readonly nowMs: number;
}

/**
 * Counts a result as a heal if it changed an object whose manifest had been accepted before. Returns true when the
 * object becomes contested by it.
 */
export function noteHeal(
  { records }: HealsMemory,
  { change, outcome }: ChangeResult,
  { isAccepted, nowMs }: HealOptions,
): boolean {
  const { desired } = change;
  if (!desired || !HEALING_OUTCOMES.has(outcome) || !isHeal(change)) return false;
  if (!isAccepted(change.id, desired.digest)) return false;
  const key = idKey(change.id);
  const before = records.get(key);
  if (before && endsRecreation(change, before)) {
    records.set(key, { ...before, isRecreating: false });
    return false;
  }
  const record = recordHeal(before, { manifestDigest: desired.digest, nowMs }, defaultBrake);
  records.set(key, { ...record, other: describeOther(change), isRecreating: outcome === 'recreating' });
  return record.heals === LEAST_HEALS;
}

const HEALING_OUTCOMES: ReadonlySet<Outcome> = new Set(['configured', 'created', 'adopted', 'recreating']);

/** An object that Tautline itself deleted must not stay away for the length of a pause. */
function endsRecreation({ type }: Change, { isRecreating }: HealMemory): boolean {
  return isRecreating && type === 'create';
}

/** The brake on two sets of heals of one pass. */
export function joinBraked(one: Braked, other: Braked): Braked {
  return {
    held: new Map([...one.held, ...other.held]),
    contested: [...one.contested, ...other.contested],
    againInMs: Math.min(one.againInMs, other.againInMs),
  };
}

/** The object is gone or released. */
export function dropHeals({ records }: HealsMemory, id: Change['id']): void {
  records.delete(idKey(id));
}

function isHeal({ type }: Change): boolean {
  return type === 'update' || type === 'unsure' || type === 'create' || type === 'adopt';
}

/** `kubectl-edit at /spec/replicas`: the manager and the field, never a value. */
function describeOther({ type, fields }: Change): string {
  if (type === 'create') return 'another writer that deletes it';
  if (type === 'adopt') return 'another writer that replaces it without the owner marks';
  const [first] = fields;
  if (!first) return 'another writer';
  return `${first.manager ?? 'another writer'} at ${first.path}`;
}
