/** The bodies of the actions. A field that is left out leaves the decision to the spec of the Application. */
import { z } from 'zod';

const replace = z
  .boolean()
  .default(false)
  .describe('Whether to replace a request that is not answered yet. Default: false.');

const commit = z
  .string()
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, 'must be a commit of 40 hex digits, or a digest of 64');

const revision = commit.optional().describe('Commit or digest, in place of the newest one.');

export const refreshSchema = z.strictObject({ replace });

export const syncSchema = z.strictObject({
  replace,
  revision,
  prune: z.boolean().optional().describe('Whether objects that left Git are deleted.'),
  dryRun: z.boolean().optional().describe('Writes nothing, and makes the plan.'),
  objects: z
    .array(z.string().min(3).max(600))
    .min(1)
    .max(100)
    .optional()
    .describe('Only these objects, as group/Kind/namespace/name; group and namespace may be empty.'),
});

export const confirmPruneSchema = z.strictObject({
  replace,
  digest: z
    .string()
    .regex(/^[\w-]{43}$/, 'must be the digest of pruneGuard.held')
    .describe('Digest of pruneGuard.held that the person has seen: another prune is not confirmed.'),
  revision,
});

export const rollbackSchema = z.strictObject({
  replace,
  revision: commit.describe('Commit or digest to go back to.'),
  prune: z.boolean().optional().describe('Whether objects that the commit does not have are deleted.'),
  reason: z.string().min(1).max(1_024).optional().describe('Why, for people.'),
});

export const releaseSchema = z.strictObject({ replace });

export const takeOverSchema = z.strictObject({ replace });

export const noFieldsSchema = z.strictObject({});
