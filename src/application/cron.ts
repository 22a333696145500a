/**
 * Cron schedules, as CronJobs of Kubernetes have them: five fields (minute, hour, day of month, month, day of week).
 * The one file that knows node-cron, which reads the fields; the next time is looked for here, since a clock must be
 * handed in and every minute of a shifted hour counts.
 *
 * Invariant: works on moments, never on local times that are turned back into moments. So a local time that a change
 * of clocks skips does not come, and one that it repeats comes twice.
 */
import { parse, type ParsedFields } from 'node-cron';

/** What the API server checks of the form; `isReadableSchedule` tells the rest. RE2 and JavaScript read it alike. */
export const SCHEDULE_PATTERN = fiveFields();

export interface CronQuery {
  readonly schedule: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Milliseconds since the epoch; the answer is later than this. */
  readonly afterMs: number;
  /** How far to look. */
  readonly withinMs: number;
}

const MINUTE_MS = 60_000;
/** Every zone of today is a whole number of these from UTC, so no local hour begins between two of them. */
const QUARTER_MS = 15 * MINUTE_MS;

/** The next time of the schedule in milliseconds since the epoch; undefined where it does not come so soon. */
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

/** Whether every value is one that its field allows, and the day one that some month has (30 February is none). */
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

/** Where both days are restricted, one of them is enough (crontab(5), and CronJob); node-cron would ask for both. */
function dayTest(schedule: string, { dayOfMonth, month, dayOfWeek }: ParsedFields): (local: LocalTime) => boolean {
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
