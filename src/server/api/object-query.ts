/** Names an object, or a log, in the query of a request. */
import { z } from 'zod';

const name = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[^/%\x00-\x20\x7f]+$/, 'must be the name of an object')
  .refine((text) => text !== '.' && text !== '..', 'must be the name of an object');

const namespace = z
  .string()
  .max(63)
  .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/, 'must be the name of a namespace');

export const objectQuerySchema = z.strictObject({
  group: z
    .string()
    .max(253)
    .regex(/^[a-z0-9.-]*$/, 'must be an API group')
    .default('')
    .describe('API group. Default: the core group.'),
  kind: z
    .string()
    .max(63)
    .regex(/^[A-Za-z][A-Za-z0-9]*$/, 'must be a kind'),
  namespace: namespace.default('').describe('Namespace. Default: none, as for cluster-scoped objects.'),
  name,
});

export const logQuerySchema = z.strictObject({
  namespace: namespace.min(1),
  pod: name,
  container: name.max(63).optional().describe('Default: the only container, or the default one.'),
  previous: z.enum(['true', 'false']).default('false').describe('true: the log before the last restart.'),
  lines: z
    .string()
    .regex(/^[1-9]\d{0,2}$|^1000$/, 'must be a number from 1 to 1000')
    .transform(Number)
    .default(100)
    .describe('Number of lines. Default: 100.'),
});

export const planQuerySchema = z.strictObject({
  request: z.string().min(1).max(128).optional().describe('Id of the request. Default: the last dry run.'),
});
