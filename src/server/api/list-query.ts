/** The filter, order and page of a list, as the query of a request names them. */
import { z } from 'zod';
import { HEALTH_WORDS, READY_WORDS, SEVERITIES, SYNC_WORDS } from './schema.ts';
import { readLabelSelector, type Labels } from './label-selector.ts';

export const SORTS = ['name', 'severity', 'health', 'sync', 'recent'] as const;

const MAX_NAMESPACES = 100;
const DEFAULT_LIMIT = 500;
const MAX_LIMIT = 1_000;

export type ListQuery = z.output<typeof listQuerySchema>;

export const listQuerySchema = z.strictObject({
  namespace: z
    .string()
    .max(6_400)
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(,[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/, 'must be names of namespaces')
    .transform((text) => [...new Set(text.split(','))])
    .refine((names) => names.length <= MAX_NAMESPACES, `must be at most ${MAX_NAMESPACES} namespaces`)
    .optional()
    .describe('Namespaces, separated by commas. Default: all in which the caller may list Applications.'),
  labelSelector: z
    .string()
    .max(1_024)
    .transform((text, context): ((labels: Labels) => boolean) => {
      const read = readLabelSelector(text);
      if (read.ok) return read.matches;
      context.addIssue({ code: 'custom', message: `labelSelector: ${read.problem}` });
      return z.NEVER;
    })
    .optional()
    .describe('Labels of the Application, in the form of kubectl.'),
  sync: wordsOf(SYNC_WORDS).optional().describe('Sync states, separated by commas.'),
  health: wordsOf(HEALTH_WORDS).optional().describe('Health states, separated by commas.'),
  ready: wordsOf(READY_WORDS).optional().describe('States of the condition Ready, separated by commas.'),
  severity: wordsOf(SEVERITIES).optional().describe('Severities, separated by commas.'),
  search: z
    .string()
    .max(200)
    .transform((text) =>
      text
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word !== ''),
    )
    .optional()
    .describe('Words that names, labels, source, revision or message of the Application contain, all of them.'),
  sort: z
    .enum(SORTS)
    .default('name')
    .describe('name: by namespace and name. The others put the worst, or the newest sync, first. Default: name.'),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, `must be a number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit <= MAX_LIMIT, `must be a number from 1 to ${MAX_LIMIT}`)
    .default(DEFAULT_LIMIT)
    .describe(`Applications on a page, from 1 to ${MAX_LIMIT}. Default: ${DEFAULT_LIMIT}.`),
  continue: z
    .string()
    .max(2_048)
    .regex(/^[\w-]+$/, 'must be the token of an earlier answer')
    .optional()
    .describe('Token of an earlier answer with the same sort: the page after it.'),
});

/** Some words of a list, separated by commas. */
function wordsOf<T extends string>(words: readonly T[]) {
  const one = `(${words.join('|')})`;
  return z
    .string()
    .max(200)
    .regex(new RegExp(`^${one}(,${one})*$`), `must be some of ${words.join(', ')}, separated by commas`)
    .transform((text) => new Set(text.split(',')) as ReadonlySet<string>);
}

/** Which Applications a stream tells of. */
export const streamQuerySchema = listQuerySchema.pick({ namespace: true });
