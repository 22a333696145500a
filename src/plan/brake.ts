/**
 * The brake on healing limits how often Tautline overwrites an object that another client keeps changing. The first
 * heal is immediate, and each further one waits longer. A quiet period or a new manifest resets the pause.
 *
 * A heal is a write that changed an object whose manifest had been accepted before. Applying a new manifest is not a
 * heal.
 */

export interface BrakeSettings {
  /** Pause after the first heal. Each further heal multiplies it by `factor`, up to `maxPauseMs`. */
  readonly firstPauseMs: number;
  readonly factor: number;
  readonly maxPauseMs: number;
  /** A record is forgotten after this time without a heal. */
  readonly quietMs: number;
}

/** 2 s, 6 s, 18 s … up to 5 minutes; forgotten after 10 quiet minutes. */
export const defaultBrake: BrakeSettings = { firstPauseMs: 2_000, factor: 3, maxPauseMs: 300_000, quietMs: 600_000 };

/** The heals of one object. Times are monotonic milliseconds. */
export interface HealRecord {
  readonly manifestDigest: string;
  readonly heals: number;
  readonly lastHealMs: number;
}

export interface Heal {
  readonly manifestDigest: string;
  readonly nowMs: number;
}

/** The record, if it is for the same manifest and not forgotten yet. */
export function currentRecord(
  record: HealRecord | undefined,
  { manifestDigest, nowMs }: Heal,
  settings: BrakeSettings,
): HealRecord | undefined {
  if (record?.manifestDigest !== manifestDigest) return undefined;
  return nowMs - record.lastHealMs < settings.quietMs ? record : undefined;
}

/** How long the next heal must wait, in milliseconds; 0: it may run now. */
export function brakeMs(record: HealRecord | undefined, heal: Heal, settings: BrakeSettings): number {
  const current = currentRecord(record, heal, settings);
  if (!current) return 0;
  return Math.max(0, current.lastHealMs + pauseAfterMs(current, settings) - heal.nowMs);
}

/** The length of the pause after the last heal, in milliseconds. */
export function pauseAfterMs({ heals }: HealRecord, settings: BrakeSettings): number {
  return Math.min(settings.maxPauseMs, settings.firstPauseMs * settings.factor ** (heals - 1));
}

/** The record after one more heal. */
export function recordHeal(record: HealRecord | undefined, heal: Heal, settings: BrakeSettings): HealRecord {
  const heals = (currentRecord(record, heal, settings)?.heals ?? 0) + 1;
  return { manifestDigest: heal.manifestDigest, heals, lastHealMs: heal.nowMs };
}
