/**
 * The starts of a window: the times of a cron schedule in a time zone.
 *
 * Invariant: a start that a change of clocks skips counts at the moment of the change, so that a freeze is not lost in
 * spring; one that is repeated in autumn counts both times. The work is linear in the days that are looked at.
 */
import { readSchedule, type ReadSchedule } from './cron.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Clocks change at multiples of it. */
const QUARTER_MS = 15 * MINUTE_MS;
/** A schedule without a start in so many days has none, for people. */
const MAX_DAYS = 400;

export interface StartTimes {
  /** The first start after a time, in milliseconds since the epoch; Infinity if there is none within 400 days. */
  readonly firstAfter: (afterMs: number) => number;
}

/** Throws RangeError for a schedule or a zone that cannot be read; the parser of the Application refuses them. */
export function startTimes(schedule: string, timeZone: string): StartTimes {
  const read = readSchedule(schedule);
  const offsetAt = zoneOffsets(timeZone);
  const days = new Map<number, readonly number[]>();
  const startsOf = (day: number): readonly number[] => {
    const known = days.get(day);
    if (known) return known;
    const found = startsOfDay(read, day, offsetAt);
    days.set(day, found);
    return found;
  };
  return {
    firstAfter(afterMs) {
      const first = Math.floor((afterMs + offsetAt(afterMs)) / DAY_MS);
      // Where clocks go back over midnight, the day before may have later starts.
      for (let day = first - 1; day <= first + MAX_DAYS; day++) {
        const start = startsOf(day).find((ms) => ms > afterMs);
        if (start !== undefined) return start;
      }
      return Infinity;
    },
  };
}

type OffsetAt = (atMs: number) => number;

/** The starts of a local day, which is counted in days since 1 January 1970, in their order. */
function startsOfDay({ isDay, hours, minutes }: ReadSchedule, day: number, offsetAt: OffsetAt): number[] {
  const midnight = day * DAY_MS;
  const date = new Date(midnight);
  const local = { month: date.getUTCMonth() + 1, day: date.getUTCDate(), weekday: date.getUTCDay() };
  if (!isDay(local)) return [];
  // No place changes its clocks twice within two days.
  const offsets = [...new Set([offsetAt(midnight - DAY_MS), offsetAt(midnight + 2 * DAY_MS)])];
  const starts = new Set<number>();
  for (const hour of hours) {
    for (const minute of minutes) {
      const localMs = midnight + hour * HOUR_MS + minute * MINUTE_MS;
      for (const ms of timesOfLocal(localMs, offsets, offsetAt)) starts.add(ms);
    }
  }
  return [...starts].sort((a, b) => a - b);
}

/** The points in time at which clocks show a local time: one; two if it is repeated; the change if it is skipped. */
function timesOfLocal(localMs: number, offsets: readonly number[], offsetAt: OffsetAt): number[] {
  const [first = 0] = offsets;
  if (offsets.length === 1) return [localMs - first];
  const shown = offsets.map((offset) => localMs - offset).filter((ms) => ms + offsetAt(ms) === localMs);
  return shown.length > 0 ? shown : [changeAfter(localMs - Math.max(...offsets), offsetAt)];
}

/** The change of clocks after a time that a skipped local time would have without the change. */
function changeAfter(fromMs: number, offsetAt: OffsetAt): number {
  const before = offsetAt(fromMs);
  let atMs = Math.floor(fromMs / QUARTER_MS) * QUARTER_MS + QUARTER_MS;
  while (offsetAt(atMs) === before && atMs < fromMs + 2 * DAY_MS) atMs += QUARTER_MS;
  return atMs;
}

/** Local time less UTC, in milliseconds, asked of Intl once for each quarter of an hour. */
function zoneOffsets(timeZone: string): OffsetAt {
  const two = '2-digit' as const;
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: two, day: two },
    ...{ hour: two, minute: two },
  });
  const known = new Map<number, number>();
  return (atMs) => {
    const quarter = Math.floor(atMs / QUARTER_MS) * QUARTER_MS;
    const before = known.get(quarter);
    if (before !== undefined) return before;
    const parts = new Map(format.formatToParts(quarter).map(({ type, value }) => [type, Number(value)]));
    const at = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const offset = Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute')) - quarter;
    known.set(quarter, offset);
    return offset;
  };
}
