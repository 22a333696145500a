/**
 * The status of an Application. Invariant: only the inventory is indispensable; the loss of any other field costs
 * requests. Every list and text has a bound, and writers cut to `STATUS_LIMITS`, so that the API server never refuses a
 * status. Maps are atomic: the field managers of each key would double their size.
 */
import { z } from 'zod';

export type ApplicationStatus = z.output<typeof statusSchema>;
export type Condition = z.output<typeof conditionSchema>;
export type SourceRevision = NonNullable<z.output<typeof sourceRevisionsSchema>>[number];
export type SyncStatus = z.output<typeof syncStatusSchema>;
export type HealthSummary = z.output<typeof healthSchema>;
export type ObjectCounts = z.output<typeof countsSchema>;
export type ResourceStatus = z.output<typeof resourceSchema>;
export type HistoryEntry = z.output<typeof historySchema>;
export type LastRequest = z.output<typeof lastRequestSchema>;
export type StatusWarning = z.output<typeof warningSchema>;
export type PruneGuardStatus = z.output<typeof pruneGuardSchema>;
export type HeldPruneStatus = z.output<typeof heldPruneSchema>;
export type InventoryValue = z.output<typeof inventorySchema>;
export type WrittenValue = NonNullable<InventoryValue['written']>;
export type RevisionSet = z.output<typeof revisionSetSchema>;
export type DeletionStatus = z.output<typeof deletionSchema>;
export type Hold = z.output<typeof holdSchema>;

export type SyncWord = z.output<typeof syncWord>;
export type HealthWord = z.output<typeof healthWord>;

/**
 * The bounds of the CRD, which the API server enforces. Lengths are in UTF-16 units, which are never fewer than the
 * characters that the server counts.
 */
export const STATUS_LIMITS = {
  maxConditions: 16,
  maxResources: 50,
  maxHistory: 10,
  maxFinished: 5000,
  maxWarnings: 20,
  maxSources: 20,
  maxMessageChars: 4096,
  maxResourceMessageChars: 1024,
} as const;

const syncWord = z.enum(['Synced', 'OutOfSync', 'Unknown']);
const healthWord = z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']);

/** Whether a wait for health is over: the object is Healthy, or its own spec pauses it. */
export function isSettledHealth(word: HealthWord): boolean {
  return word === 'Healthy' || word === 'Suspended';
}

const conditionSchema = z.object({
  type: z.string().min(1).max(316).describe('Ready, Reconciling, Stalled, or another type in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Reason in one word, for programs.'),
  message: text('Reason for people.'),
  lastTransitionTime: time('When the status last changed.'),
  observedGeneration: count('Generation of the spec that the condition describes.').optional(),
});

const sourceRevisionsSchema = z
  .array(
    z.object({
      name: text('Name of the source in spec.sources, or the address of a repository that the render names.', 2048),
      revision: text('Its revision.'),
    }),
  )
  .max(STATUS_LIMITS.maxSources)
  .optional();

const revisionSetSchema = z.object({
  revision: text('Revision of spec.source.'),
  sources: sourceRevisionsSchema.describe('Revisions of spec.sources.'),
});

const holdSchema = z.object({
  revision: text('Revision that is in force instead of the followed one.'),
  sources: sourceRevisionsSchema.describe('Revisions of spec.sources that are in force.'),
  over: revisionSetSchema.describe('Followed revision as the hold began. The hold ends when another one is followed.'),
  reason: z
    .enum(['Requested', 'RolledBack'])
    .describe('Requested: a person asked for it. RolledBack: spec.sync.onFailure did.'),
  message: text('Why the followed revision is not in force.', STATUS_LIMITS.maxResourceMessageChars).optional(),
  by: text('Who asked for it, as far as the request says.', 256).optional(),
  requestId: z.string().min(1).max(128).optional().describe('Id of the request.'),
  since: time('Start of the hold.'),
  prune: z.boolean().optional().describe('Whether objects are pruned under the hold. Absent: spec.sync.prune decides.'),
});

const windowStatusSchema = z.object({
  isOpen: z.boolean().describe('Whether differences are applied without a request now.'),
  message: text('The windows that forbid it, and when that ends.', STATUS_LIMITS.maxResourceMessageChars).optional(),
  changesAt: time('When it opens, or closes, next. Absent: not within 400 days.').optional(),
});

const deletionHooksSchema = z.object({
  preDelete: count('Hooks that run before the objects are deleted.'),
  postDelete: count('Hooks that run after the objects are gone.'),
});

const deletionSchema = z.object({
  phase: z
    .enum(['PreDelete', 'Objects', 'PostDelete', 'Cleanup'])
    .describe(
      'PreDelete and PostDelete: hooks of that phase run. Objects: the objects are deleted. Cleanup: the hooks have ' +
        'run, and what is left is deleted.',
    ),
  failures: count('How often hooks of the phase have failed.').optional(),
  retryAt: time('When the failed hook runs again.').optional(),
});

const syncStatusSchema = z.object({
  failed: text(
    'Start of the digest of the desired objects whose sync failed, while there are hooks of failed syncs.',
    64,
  ).optional(),
  status: syncWord.describe('Synced: the cluster is equal to Git. OutOfSync: some object differs.'),
  revision: text('Compared revision: main@sha1:<40 hex>, or 6.5.4@sha256:<64 hex> of a chart or artifact.').optional(),
  commit: text('First 12 hex digits of the compared commit or digest.').optional(),
  signer: text(
    'Who signed the compared commit, tag or chart, and the key. Absent if spec.source.verify asks for no signature of ' +
      'Git or helm.',
    512,
  ).optional(),
  sources: sourceRevisionsSchema.describe('Revisions of the other repositories that were rendered.'),
  lastAppliedRevision: text('Last revision of which every object was applied.').optional(),
  lastAttemptedRevision: text('Last revision of which any apply was attempted.').optional(),
  lastHealthy: revisionSetSchema
    .optional()
    .describe('Last revision of which every object was applied and well; spec.sync.onFailure goes back to it.'),
  rolledBack: revisionSetSchema
    .optional()
    .describe('Last revision that spec.sync.onFailure rolled back. It is not rolled back a second time.'),
  digest: text('Digest of the last desired objects that the server accepted completely.').optional(),
  lastSyncedAt: time('Time of the last successful sync.').optional(),
});

const healthSchema = z.object({
  status: healthWord.describe('Worst health among the objects.'),
  message: text('The object with this health, and the reason.').optional(),
});

const countsSchema = z.object({
  total: count('Objects that are desired or still in the inventory.'),
  synced: count('Objects that are equal to Git.'),
  outOfSync: count('Objects that differ from Git, missing and surplus ones included.'),
  healthy: count('Objects that are Healthy.'),
  progressing: count('Objects that are Progressing.'),
  degraded: count('Objects that are Degraded.'),
  suspended: count('Objects that are paused by their own spec.').default(0),
  missing: count('Objects that are in Git and not in the cluster.'),
  unknown: count('Objects whose health is unknown.').default(0),
  pruning: count('Objects that left Git and still exist.'),
  problems: count('Problems of the manifests. While there are any, nothing is pruned.'),
});

const resourceSchema = z.object({
  group: z.string().max(253).describe('API group; empty for the core group.'),
  kind: z.string().min(1).max(253).describe('Kind.'),
  namespace: z.string().max(253).describe('Namespace; empty for cluster-scoped objects.'),
  name: z.string().min(1).max(253).describe('Name.'),
  sync: syncWord.describe('Whether the object is equal to Git.'),
  health: healthWord.describe('Health of the object.'),
  message: text('Why it is not both Synced and Healthy.', STATUS_LIMITS.maxResourceMessageChars).optional(),
});

/** Objects that an inventory may name as not written; each takes up to 632 bytes. */
export const MAX_UNWRITTEN = 32;

const writtenSchema = z.object({
  uid: text('uid of the Application.', 64),
  except: z
    .array(z.string().max(1_024))
    .max(MAX_UNWRITTEN)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('group/Kind/namespace/name of those that it has not.'),
});

const inventorySchema = z.object({
  objects: z
    .record(z.string(), z.record(z.string(), z.string()))
    .optional()
    .describe('Names, separated by blanks, by group/Kind and namespace (empty: cluster-scoped).'),
  gzip: z.string().optional().describe('A large inventory instead of objects: the same as gzipped JSON in base64.'),
  written: writtenSchema
    .optional()
    .describe(
      'Proof that this Application has written these objects, so that marks which were changed while no agent ran are ' +
        'known as forged. Absent: nothing is proven.',
    ),
});

const heldPruneSchema = z.object({
  digest: text('Digest of the objects that would be deleted, at this revision and generation of the spec.', 64),
  objects: count('Number of objects that left Git, or that would be deleted with the Application.'),
  revision: text('Revision at which they are not desired any more; for a deleted Application the last one.'),
  confirmedBy: z.string().min(1).max(128).optional().describe('Id of the request that confirmed it.'),
});

const pruneGuardSchema = z.object({
  objectsBefore: count(
    'Number of objects that were applied before the first of those that left Git did so, or now if they are fewer. ' +
      'A prune is measured against it.',
  ).optional(),
  held: heldPruneSchema
    .optional()
    .describe('Prune that waits for a confirmation, or that is confirmed and not complete yet.'),
});

const historySchema = z.object({
  revision: text('Revision of the sync.'),
  commit: text('First 12 hex digits of its commit.').optional(),
  sources: sourceRevisionsSchema.describe('Revisions of the other repositories.'),
  subject: text('First line of the message of the commit.', 256).optional(),
  author: text('Name of the author of the commit.', 128).optional(),
  committedAt: time('Author date of the commit.').optional(),
  signer: text('Who signed the commit, tag or chart, and the key.', 512).optional(),
  digest: text('Digest of the desired objects; absent if they could not be read.', 64).optional(),
  startedAt: time('Start of the sync.'),
  finishedAt: time('End of the sync.').optional(),
  outcome: z
    .enum(['Succeeded', 'Failed', 'Superseded'])
    .describe('Outcome. Superseded: a newer revision replaced it before it was complete.'),
  message: text('Result, or the reason of the failure.', STATUS_LIMITS.maxResourceMessageChars).optional(),
});

const warningSchema = z.object({
  object: text(
    'Object that the API server warned about, as group/Kind/namespace/name. Absent: the render warned.',
    STATUS_LIMITS.maxResourceMessageChars,
  ).optional(),
  message: text('Text of the warning.', STATUS_LIMITS.maxResourceMessageChars),
});

const lastRequestSchema = z.object({
  id: z.string().min(1).max(128).describe('Id of the request.'),
  action: text('Requested action.').optional(),
  outcome: z
    .enum(['InProgress', 'Succeeded', 'Failed', 'Refused'])
    .describe('Outcome. Refused: the request is malformed or not allowed.'),
  message: text('Reason for people.').optional(),
  finishedAt: time('Time of the final answer.').optional(),
});

export const statusSchema = z.object({
  observedGeneration: count('Generation of the spec that this status describes.').optional(),
  conditions: z
    .array(conditionSchema)
    .max(STATUS_LIMITS.maxConditions)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional()
    .describe('Conditions in the form of kstatus: Ready always, Reconciling and Stalled only while they are True.'),
  sync: syncStatusSchema.optional().describe('Comparison of Git and the cluster.'),
  health: healthSchema.optional().describe('Health of the objects.'),
  counts: countsSchema.optional().describe('Number of objects by state.'),
  resources: z
    .array(resourceSchema)
    .max(STATUS_LIMITS.maxResources)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Objects that are not both Synced and Healthy, the worst first; at most 50.'),
  warnings: z
    .array(warningSchema)
    .max(STATUS_LIMITS.maxWarnings)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(
      'Warnings of the render (deprecated fields of a kustomization), then of the API server about objects ' +
        '(deprecated versions, unknown fields, Pod Security). They hold nothing back. At most 20.',
    ),
  inventory: inventorySchema
    .meta({ 'x-kubernetes-map-type': 'atomic' })
    .optional()
    .describe('Objects that were applied and are owned. Only these may be pruned.'),
  pruneGuard: pruneGuardSchema
    .optional()
    .describe('State of the guard before large prunes, while objects that left Git still exist or a prune is held.'),
  window: windowStatusSchema.optional().describe('State of spec.sync.windows, if there are any.'),
  hold: holdSchema
    .optional()
    .describe('Rollback that is in force: an earlier revision is applied instead of the followed one.'),
  finished: z
    .record(z.string(), z.string())
    .meta({ 'x-kubernetes-map-type': 'atomic' })
    .optional()
    .describe(
      'Jobs and bare Pods that completed or failed, by group/Kind/namespace/name, with the start of the digest of ' +
        'their manifest. They are not created again after their time to live removes them. At most 5000.',
    ),
  started: z
    .record(z.string(), z.string())
    .meta({ 'x-kubernetes-map-type': 'atomic' })
    .optional()
    .describe(
      'Jobs and bare Pods that were started and have not ended yet, in the same form, with a time in seconds while ' +
        'their creation is under way. They are not started again when the agent restarts. At most 5000.',
    ),
  deletionHooks: deletionHooksSchema
    .optional()
    .describe('Number of hooks that run when the Application is deleted. Absent: there are none.'),
  deletion: deletionSchema.optional().describe('Progress of the deletion of the Application, if it has hooks.'),
  history: z
    .array(historySchema)
    .max(STATUS_LIMITS.maxHistory)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(
      'Last syncs, the newest first; at most 10. A commit that leaves the desired objects as they are adds none.',
    ),
  lastRequest: lastRequestSchema.optional().describe('Answer to the last request of a user.'),
  lastHandledReconcileAt: text(
    'Last value of the annotation reconcile.fluxcd.io/requestedAt that was handled.',
  ).optional(),
  nextAttemptAt: time('Time of the next attempt; only while the last one failed or waits.').optional(),
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
