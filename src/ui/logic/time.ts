/** Times as people say them. */

const UNITS = [
  { seconds: 86_400, one: 'day' },
  { seconds: 3_600, one: 'hour' },
  { seconds: 60, one: 'minute' },
] as const;

/** `3 minutes ago`, `in 2 hours`, `now`; the text itself if it is no time. `nowMs`: milliseconds since the epoch. */
export function relativeTime(time: string, nowMs: number): string {
  const atMs = Date.parse(time);
  if (Number.isNaN(atMs)) return time;
  const words = duration(Math.abs(nowMs - atMs));
  if (words === '') return 'now';
  return atMs <= nowMs ? `${words} ago` : `in ${words}`;
}

/** `4 minutes`, `12 seconds`; empty below five seconds. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  for (const { seconds: length, one } of UNITS) {
    const number = Math.floor(seconds / length);
    if (number > 0) return `${number} ${one}${number === 1 ? '' : 's'}`;
  }
  return seconds < 5 ? '' : `${seconds} seconds`;
}

/** `2026-11-30 09:15:00 UTC`, for tool tips and copies. */
export function exactTime(time: string): string {
  const atMs = Date.parse(time);
  if (Number.isNaN(atMs)) return time;
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
