/**
 * The status of an Application. Invariant: nothing in it is needed but the inventory; all else may be lost at the price
 * of requests. Every list and text has a bound, and writers cut to `STATUS_LIMITS`, so that a status is never refused.
 */
import { z } from 'zod';

export type ApplicationStatus = z.output<typeof statusSchema>;
export type Condition = z.output<typeof conditionSchema>;
export type SyncStatus = z.output<typeof syncStatusSchema>;
export type HealthSummary = z.output<typeof healthSchema>;
export type ObjectCounts = z.output<typeof countsSchema>;
export type ResourceStatus = z.output<typeof resourceSchema>;
export type HistoryEntry = z.output<typeof historySchema>;
export type LastRequest = z.output<typeof lastRequestSchema>;
export type InventoryValue = z.output<typeof inventorySchema>;

export type SyncWord = z.output<typeof syncWord>;
export type HealthWord = z.output<typeof healthWord>;

/** The bounds of the CRD, which the server enforces. Lengths are in UTF-16 units, never less than the server counts. */
export const STATUS_LIMITS = {
  maxConditions: 16,
  maxResources: 50,
  maxHistory: 10,
  maxFinished: 500,
  maxMessageChars: 4096,
  maxResourceMessageChars: 1024,
} as const;

const syncWord = z.enum(['Synced', 'OutOfSync', 'Unknown']);
const healthWord = z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']);

/** Whether there is nothing to wait for: all is well, or stands still because its own spec says so. */
export function isSettledHealth(word: HealthWord): boolean {
  return word === 'Healthy' || word === 'Suspended';
}

const conditionSchema = z.object({
  type: z.string().min(1).max(316).describe('Ready, Reconciling, Stalled, or another word in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Why, in one word for machines.'),
  message: text('Why, for people.'),
  lastTransitionTime: time('When the status last changed.'),
  observedGeneration: count('The generation of the spec that this is about.').optional(),
});

const syncStatusSchema = z.object({
  status: syncWord.describe('Synced: what Git says is what the cluster holds. OutOfSync: some object differs.'),
  revision: text('The revision that was compared: main@sha1:<40 hex>.').optional(),
  commit: text('The first 12 hex digits of the commit that was compared.').optional(),
  lastAppliedRevision: text('The last revision of which every object was applied.').optional(),
  lastAttemptedRevision: text('The last revision of which any object was applied or tried.').optional(),
  digest: text('Digest of the desired set that the server last accepted completely.').optional(),
  lastSyncedAt: time('When the last sync succeeded.').optional(),
});

const healthSchema = z.object({
  status: healthWord.describe('The worst health among the objects.'),
  message: text('Which object, and why.').optional(),
});

const countsSchema = z.object({
  total: count('Objects that are desired or still in the inventory.'),
  synced: count('Objects that are as Git says.'),
  outOfSync: count('Objects that differ from what Git says, missing and surplus ones included.'),
  healthy: count('Objects that are Healthy.'),
  progressing: count('Objects that are on their way.'),
  degraded: count('Objects that failed.'),
  suspended: count('Objects that are paused by their own spec.').default(0),
  missing: count('Objects that Git has and the cluster has not.'),
  unknown: count('Objects whose health cannot be told.').default(0),
  pruning: count('Objects that left Git and are not gone yet.'),
  problems: count('Things wrong with the manifests; while there are any, nothing is pruned.'),
});

const resourceSchema = z.object({
  group: z.string().max(253).describe('API group; empty for the core group.'),
  kind: z.string().min(1).max(253).describe('Kind.'),
  namespace: z.string().max(253).describe('Namespace; empty for cluster-scoped objects.'),
  name: z.string().min(1).max(253).describe('Name.'),
  sync: syncWord.describe('Whether the object is as Git says.'),
  health: healthWord.describe('Whether the object works.'),
  message: text('Why it is not Synced and Healthy.', STATUS_LIMITS.maxResourceMessageChars).optional(),
});

const inventorySchema = z.object({
  objects: z
    .record(z.string(), z.record(z.string(), z.string()))
    .optional()
    .describe('By group/Kind, then by namespace (empty: cluster-scoped): the names, separated by blanks.'),
  gzip: z.string().optional().describe('The same as gzipped JSON in base64, where it would be large.'),
});

const historySchema = z.object({
  revision: text('The revision that was applied.'),
  commit: text('The first 12 hex digits of its commit.').optional(),
  startedAt: time('When the sync began.'),
  finishedAt: time('When it ended.').optional(),
  outcome: z
    .enum(['Succeeded', 'Failed', 'Superseded'])
    .describe('How it ended; Superseded: a newer revision took over.'),
  message: text('What it did, or why it failed.', STATUS_LIMITS.maxResourceMessageChars).optional(),
});

const lastRequestSchema = z.object({
  id: z.string().min(1).max(128).describe('The id of the request.'),
  action: text('What was asked for.').optional(),
  outcome: z
    .enum(['InProgress', 'Succeeded', 'Failed', 'Refused'])
    .describe('What became of it; Refused: it could not be understood, or is not allowed.'),
  message: text('Why, for people.').optional(),
  finishedAt: time('When it was answered for good.').optional(),
});

export const statusSchema = z.object({
  observedGeneration: count('The generation of the spec that this status is about.').optional(),
  conditions: z
    .array(conditionSchema)
    .max(STATUS_LIMITS.maxConditions)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional()
    .describe('Ready, and only while they hold: Reconciling and Stalled, as kstatus reads them.'),
  sync: syncStatusSchema.optional().describe('Git against cluster.'),
  health: healthSchema.optional().describe('Whether the objects work.'),
  counts: countsSchema.optional().describe('How many objects are in which state.'),
  resources: z
    .array(resourceSchema)
    .max(STATUS_LIMITS.maxResources)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('The objects that are not both Synced and Healthy, the worst first; at most 50.'),
  inventory: inventorySchema
    .meta({ 'x-kubernetes-map-type': 'atomic' })
    .optional()
    .describe('The objects that were applied and are owned: what may ever be pruned.'),
  finished: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'Jobs and bare Pods that ran to their end, by group/Kind/namespace/name, with the digest of their manifest: they ' +
        'are not made again when their time to live removes them. At most 500.',
    ),
  history: z
    .array(historySchema)
    .max(STATUS_LIMITS.maxHistory)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('The last syncs, the newest first; at most 10.'),
  lastRequest: lastRequestSchema.optional().describe('The answer to the last request of a user.'),
  lastHandledReconcileAt: text(
    'The last value of the annotation reconcile.fluxcd.io/requestedAt that was heard.',
  ).optional(),
  nextAttemptAt: time('When the next attempt is due; only while failing or waiting.').optional(),
});

function text(description: string, maxChars: number = STATUS_LIMITS.maxMessageChars): z.ZodString {
  return z.string().max(maxChars).describe(description);
}

function time(description: string): z.ZodISODateTime {
  return z.iso.datetime({ offset: true }).describe(`${description} RFC 3339.`);
}

function count(description: string): z.ZodInt {
  return z.int().min(0).describe(description);
}
