/** The schema of health checks, which `spec.health.checks` and the checks of the agent (`--health-checks`) share. */
import { z } from 'zod';
import type { Value } from '../object/value.ts';
import type { HealthCheck } from './health-check.ts';

/** Checks of one Application, and of the agent. */
export const MAX_HEALTH_CHECKS = 50;

/** Characters of one expression. */
export const MAX_EXPRESSION_CHARS = 4_096;

function expression(description: string): z.ZodString {
  return z.string().min(1).max(MAX_EXPRESSION_CHARS).describe(description);
}

export const healthCheckSchema = z.object({
  apiVersion: z
    .string()
    .max(317)
    .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[a-z0-9]+$/)
    .describe(
      'API version of the objects, as in their manifests. Only its group counts: the check holds for every version.',
    ),
  kind: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[A-Za-z][A-Za-z0-9]*$/)
    .optional()
    .describe('Kind of the objects. Default: every kind of the group that has no check of its own.'),
  inProgress: expression('If it is true, the object is Progressing. It is evaluated first. Default: none.').optional(),
  failed: expression('If it is true, the object is Degraded. It is evaluated second. Default: none.').optional(),
  current: expression('If it is true, the object is Healthy, otherwise Progressing. It is evaluated last.'),
});

export type ReadChecks =
  | { readonly ok: true; readonly checks: readonly HealthCheck[] }
  /** A place in the list and the reason. */
  | { readonly ok: false; readonly problem: string };

const listSchema = z.array(healthCheckSchema.strict()).max(MAX_HEALTH_CHECKS);

/** Reads a list of checks. It is an error if a check has a field that no check has. */
export function readCheckList(value: Value): ReadChecks {
  const parsed = listSchema.safeParse(value);
  if (parsed.success) return { ok: true, checks: parsed.data };
  const [issue] = parsed.error.issues;
  const place = issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') ?? '';
  return { ok: false, problem: `${place === '' ? 'the list' : place}: ${issue?.message ?? 'it is invalid'}` };
}
