/**
 * Durations such as `90s`, `1h30m`, `1.5m`. The grammar is Go's without sign, `us` and `ns`, so that each duration that
 * passes here also passes CEL's `duration()` in the API server.
 */

/** The pattern of both the CRD and the parser. */
export const DURATION_PATTERN = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds, rounded to an integer, or undefined if the text is not a duration. `1h30m` is 5,400,000. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return Math.round(totalMs);
}
