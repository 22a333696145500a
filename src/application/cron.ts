/**
 * Cron schedules as in Kubernetes CronJobs: five fields (minute, hour, day of month, month, day of week). Only this
 * file imports node-cron, and only to parse the fields. The next time is computed here, from a given clock, and every
 * minute of a repeated hour counts.
 *
 * Invariant: the computation steps through points in time and never converts a local time back. So a local time that a
 * clock change skips does not occur on that day, and a repeated one occurs twice.
 */
import { parse, type ParsedFields } from 'node-cron';

/**
 * The form that the API server checks; `isReadableSchedule` checks the values. The pattern has the same meaning in RE2
 * and in JavaScript.
 */
export const SCHEDULE_PATTERN = fiveFields();

export interface CronQuery {
  readonly schedule: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Milliseconds since the epoch. The result is later than this. */
  readonly afterMs: number;
  /** The result is at most this much later. */
  readonly withinMs: number;
}

const MINUTE_MS = 60_000;
/** The UTC offset of every current zone is a multiple of it, so a local hour always begins at a multiple. */
const QUARTER_MS = 15 * MINUTE_MS;

/** The next time of the schedule, in milliseconds since the epoch; undefined if there is none within `withinMs`. */
export function nextScheduledMs({ schedule, timeZone, afterMs, withinMs }: CronQuery): number | undefined {
  const fields = parse(schedule);
  const isDay = dayTest(schedule, fields);
  const localTime = localTimeIn(timeZone);
  let atMs = floorTo(afterMs, MINUTE_MS) + MINUTE_MS;
  while (atMs <= afterMs + withinMs) {
    const local = localTime(atMs);
    if (!isDay(local) || !fields.hour.includes(local.hour)) atMs = floorTo(atMs, QUARTER_MS) + QUARTER_MS;
    else if (fields.minute.includes(local.minute)) return atMs;
    else atMs += MINUTE_MS;
  }
  return undefined;
}

export interface ReadSchedule {
  /** `month` and `day` count from 1, `weekday` from 0 for Sunday. */
  readonly isDay: (local: Pick<LocalTime, 'month' | 'day' | 'weekday'>) => boolean;
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
}

/** The fields of a schedule as lists. Throws if `isReadableSchedule` does not hold. */
export function readSchedule(schedule: string): ReadSchedule {
  const fields = parse(schedule);
  return { isDay: dayTest(schedule, fields), hours: fields.hour, minutes: fields.minute };
}

/** Whether every value is in the range of its field, and the day exists in some month (30 February does not). */
export function isReadableSchedule(schedule: string): boolean {
  try {
    parse(schedule);
    return true;
  } catch {
    return false;
  }
}

export function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en-US', { timeZone: name }));
  } catch {
    return false;
  }
}

interface LocalTime {
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** If both day fields are restricted, one match is enough (crontab(5), CronJob). node-cron would require both. */
function dayTest(schedule: string, { dayOfMonth, month, dayOfWeek }: ParsedFields): ReadSchedule['isDay'] {
  const [, , days = '', , weekdays = ''] = schedule.split(' ');
  const isEither = !isEvery(days) && !isEvery(weekdays);
  return (local) => {
    if (!month.includes(local.month)) return false;
    const [isDay, isWeekday] = [dayOfMonth.includes(local.day), dayOfWeek.includes(local.weekday)];
    return isEither ? isDay || isWeekday : isDay && isWeekday;
  };
}

function isEvery(field: string): boolean {
  return field.split(',').some((part) => part === '*' || part === '*/1');
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function localTimeIn(timeZone: string): (atMs: number) => LocalTime {
  const numeric = { month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', weekday: 'short', ...numeric });
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
    return {
      month: Number(parts.get('month')),
      day: Number(parts.get('day')),
      weekday: WEEKDAYS.indexOf(parts.get('weekday') ?? ''),
      hour: Number(parts.get('hour')),
      minute: Number(parts.get('minute')),
    };
  };
}

function floorTo(ms: number, unitMs: number): number {
  return Math.floor(ms / unitMs) * unitMs;
}

function fiveFields(): RegExp {
  const value = '([0-9]{1,2}|[A-Za-z]{3})';
  const step = '(/[1-9][0-9]?)?';
  const part = `(\\*${step}|${value}|${value}-${value}${step})`;
  const field = `${part}(,${part})*`;
  return new RegExp(`^${field}( ${field}){4}$`);
}
