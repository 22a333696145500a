/**
 * The brake on healing: when two sides write one object in turn, the other one may be right, or may never tire. The
 * first heal of an object is immediate; each further one waits longer, until the object has been left in peace for a
 * while or a new revision changes what is at stake.
 *
 * A heal is a write that changed an object whose manifest had been accepted before; applying a new manifest is none.
 */

export interface BrakeSettings {
  /** Pause after the first heal; each further one multiplies it by `factor`, up to `maxPauseMs`. */
  readonly firstPauseMs: number;
  readonly factor: number;
  readonly maxPauseMs: number;
  /** After so long without a heal all is forgotten. */
  readonly quietMs: number;
}

/** 2 s, 6 s, 18 s … up to 5 minutes; forgotten after 10 quiet minutes. */
export const defaultBrake: BrakeSettings = { firstPauseMs: 2_000, factor: 3, maxPauseMs: 300_000, quietMs: 600_000 };

/** What is remembered of an object that was healed; times are monotonic milliseconds. */
export interface HealRecord {
  readonly manifestDigest: string;
  readonly heals: number;
  readonly lastHealMs: number;
}

export interface Heal {
  readonly manifestDigest: string;
  readonly nowMs: number;
}

/** The record if it still counts: of the same manifest, and not forgotten. */
export function currentRecord(
  record: HealRecord | undefined,
  { manifestDigest, nowMs }: Heal,
  settings: BrakeSettings,
): HealRecord | undefined {
  if (record?.manifestDigest !== manifestDigest) return undefined;
  return nowMs - record.lastHealMs < settings.quietMs ? record : undefined;
}

/** How long the next heal has to wait, in milliseconds; 0: not at all. */
export function brakeMs(record: HealRecord | undefined, heal: Heal, settings: BrakeSettings): number {
  const current = currentRecord(record, heal, settings);
  if (!current) return 0;
  return Math.max(0, current.lastHealMs + pauseAfterMs(current, settings) - heal.nowMs);
}

/** The whole pause between the last heal and the next, in milliseconds. */
export function pauseAfterMs({ heals }: HealRecord, settings: BrakeSettings): number {
  return Math.min(settings.maxPauseMs, settings.firstPauseMs * settings.factor ** (heals - 1));
}

/** The record after one more heal. */
export function recordHeal(record: HealRecord | undefined, heal: Heal, settings: BrakeSettings): HealRecord {
  const heals = (currentRecord(record, heal, settings)?.heals ?? 0) + 1;
  return { manifestDigest: heal.manifestDigest, heals, lastHealMs: heal.nowMs };
}
