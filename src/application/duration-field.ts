/** A field that holds a duration within bounds, which the API server and the parser check alike. */
import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { withRules } from './rules.ts';

export function durationBetween(field: string, least: string, most: string): z.ZodString {
  const leastMs = parseDuration(least) ?? 0;
  const mostMs = parseDuration(most) ?? 0;
  return withRules(z.string().max(32).regex(DURATION_PATTERN), [
    {
      cel: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
      holds: (text) => {
        const ms = parseDuration(text);
        // The pattern already refuses a text that is not a duration.
        return ms === undefined || (ms >= leastMs && ms <= mostMs);
      },
      message: `${field} must be at least ${least} and at most ${most}`,
    },
  ]);
}
