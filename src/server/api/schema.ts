/**
 * The shapes of the answers of the status API. Types, the OpenAPI document and the tests of the answers are made from
 * them. Optional fields are absent, never null.
 */
import { z } from 'zod';
import { statusSchema } from '../../application/status-schema.ts';

export type ApplicationSummary = z.output<typeof summarySchema>;
export type NameAndState = z.output<typeof nameAndStateSchema>;
export type ApplicationDetail = z.output<typeof detailSchema>;
export type ObjectView = z.output<typeof objectSchema>;
export type FieldView = z.output<typeof fieldSchema>;
export type ProblemView = z.output<typeof problemSchema>;
export type Severity = z.output<typeof severity>;

const { conditions, counts, health, history, lastRequest, pruneGuard, sync, warnings } = statusSchema.shape;

export const SYNC_WORDS = ['Synced', 'OutOfSync', 'Unknown'] as const;
export const HEALTH_WORDS = ['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'] as const;
export const READY_WORDS = ['True', 'False', 'Unknown'] as const;
/** The worst first. */
export const SEVERITIES = ['error', 'warning', 'progressing', 'suspended', 'ok'] as const;

const syncWord = z.enum(SYNC_WORDS);
const healthWord = z.enum(HEALTH_WORDS);
const severity = z.enum(SEVERITIES);

const names = {
  namespace: z.string().describe('Namespace of the Application.'),
  name: z.string().describe('Name of the Application.'),
};

export const summarySchema = z.object({
  ...names,
  labels: z.record(z.string(), z.string()).optional().describe('Labels of the Application; absent if it has none.'),
  repoURL: z.string().optional().describe('Absent while the spec cannot be read, as are path, revision and mode.'),
  path: z.string().optional(),
  revision: z.string().optional().describe('Revision to follow: a branch, a tag, a commit, a version or a range.'),
  mode: z.enum(['auto', 'manual', 'detect']).optional(),
  suspended: z.boolean(),
  deleting: z.literal(true).optional().describe('The deletion of the Application has begun.'),
  severity: severity.describe(
    'error: it is Stalled or Degraded, lacks an object, or its manifests have problems. warning: it is OutOfSync, ' +
      'not Ready, or its state is unknown. progressing: it is on its way. suspended. ok: all is as it should be.',
  ),
  sync: sync.unwrap(),
  health: health.unwrap(),
  counts,
  ready: z.object({
    status: z.enum(READY_WORDS),
    reason: z.string(),
    message: z.string().describe('One sentence for people.'),
  }),
});

export const nameAndStateSchema = z
  .object({ ...names, sync: syncWord, health: healthWord, ready: z.enum(READY_WORDS) })
  .describe('The part of an Application that --anonymous-read=names shows to everybody.');

const wordCounts = z.record(z.string(), z.int().min(0));

export const listSchema = z.object({
  applications: z.array(z.union([summarySchema, nameAndStateSchema])),
  total: z.int().min(0).describe('Applications that match the filter, on all pages.'),
  continue: z.string().optional().describe('Token of the next page; absent on the last one.'),
  counts: z
    .object({ sync: wordCounts, health: wordCounts, severity: wordCounts, namespaces: wordCounts })
    .optional()
    .describe('Number of visible Applications by state and namespace, before the filter. Absent without a token.'),
  unreviewedNamespaces: z
    .int()
    .min(1)
    .optional()
    .describe('Number of namespaces that were left out, since too many had to be reviewed: name them in the filter.'),
});

const objectNames = {
  group: z.string().describe('API group; empty for the core group.'),
  kind: z.string(),
  namespace: z.string().describe('Namespace; empty for cluster-scoped objects.'),
  name: z.string(),
};

export const objectIdSchema = z.object(objectNames);

/** A value of a field. Integers beyond 2^53 are written with all their digits. */
const fieldValue = z.unknown();

export const fieldSchema = z.object({
  path: z.string().describe('JSON pointer (RFC 6901).'),
  desired: fieldValue.optional().describe('Value in Git; absent: the field is not desired. Secrets are masked.'),
  live: fieldValue.optional().describe('Value in the cluster; absent: there is none. Secrets are masked.'),
  hunks: z.string().optional().describe('Difference of a text of several lines in unified form, from live to desired.'),
  manager: z.string().optional().describe('Field manager that wrote the live value.'),
  managedAt: z.string().optional().describe('When it did so (RFC 3339).'),
});

export const patchOperationSchema = z.union([
  z.object({ op: z.enum(['test', 'add', 'replace']), path: z.string(), value: fieldValue }),
  z.object({ op: z.literal('remove'), path: z.string() }),
  z.object({ op: z.literal('move'), from: z.string(), path: z.string() }),
]);

export const objectHealthSchema = z.object({
  status: healthWord,
  message: z.string().describe('One sentence; empty if there is nothing to explain.'),
});

export const objectSchema = z.object({
  ...objectNames,
  sync: syncWord,
  health: objectHealthSchema,
  message: z.string().optional().describe('Why it is not Synced, or that it is not reconciled.'),
  fields: z.array(fieldSchema).describe('Fields because of which it is OutOfSync.'),
  patch: z
    .array(patchOperationSchema)
    .optional()
    .describe('All differences as a JSON patch (RFC 6902) from the live object to the desired one. Absent: too large.'),
  patchMasked: z.literal(true).optional().describe('Values are masked in the patch, so that every server refuses it.'),
  valuesHidden: z
    .literal(true)
    .optional()
    .describe('The caller may not get such objects: only the paths of the fields are shown, and no patch.'),
  pruning: z.boolean().describe('It left Git and still exists.'),
  file: z.string().optional().describe('File of its manifest.'),
  line: z.int().optional(),
  phase: z.enum(['PreSync', 'Sync', 'PostSync']).optional().describe('Phase of a sync; absent: Sync.'),
  wave: z.int().optional().describe('Wave within the phase, the lowest first; absent: 0.'),
});

export const problemSchema = z.object({
  code: z.string().describe('One word of the list in the documentation, such as YamlSyntax or KindUnknown.'),
  message: z.string(),
  file: z.string().optional().describe('Path within the source.'),
  line: z.int().optional(),
  column: z.int().optional(),
  excerpt: z
    .string()
    .optional()
    .describe('Lines of the file; the last one is that of the problem. Never those of a Secret or a sealed file.'),
  object: objectIdSchema.optional(),
  hint: z.string().optional().describe('How to mend it.'),
});

export const detailSchema = z.object({
  ...summarySchema.shape,
  conditions: conditions.unwrap(),
  history: history.unwrap().describe('Last syncs with the author and subject of each commit, the newest first.'),
  warnings: warnings.unwrap(),
  lastRequest,
  pruneGuard,
  hold: statusSchema.shape.hold,
  nextAttemptAt: statusSchema.shape.nextAttemptAt,
  problems: z.array(problemSchema).describe('Problems of the manifests in the last pass; at most 100.'),
  isObserved: z
    .boolean()
    .describe('false until the first pass of this process has ended: until then objects is empty.'),
  objects: z.array(objectSchema),
});

export const problemDetailsSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What failed, for people.'),
    code: z.string().optional().describe('Tells apart the refusals that share a status.'),
  })
  .describe('Problem details (RFC 9457).');

const value = z.record(z.string(), z.unknown());

export const objectDetailSchema = z.object({
  ...objectSchema.shape,
  apiVersion: z.string().optional().describe('Version in which the live object was read.'),
  uid: z.string().optional(),
  createdAt: z.string().optional(),
  desired: value
    .optional()
    .describe('Object of the last usable render. Values of Secrets and sealed files are masked.'),
  live: value
    .optional()
    .describe('Live object without managedFields; absent: there is none. Values are masked likewise.'),
  liveRefusal: z.string().optional().describe('Why the API server does not show the live object to the caller.'),
  difference: z.string().describe('All fields that differ, as a text; empty if none does.'),
});

export const eventsSchema = z.object({
  events: z.array(
    z.object({
      type: z.string().describe('Normal or Warning.'),
      reason: z.string(),
      message: z.string(),
      count: z.int().min(1),
      firstAt: z.string().optional(),
      lastAt: z.string().optional(),
      source: z.string().optional().describe('Component that reported it.'),
    }),
  ),
});

export const logSchema = z.object({
  lines: z.array(z.string()).describe('Last lines of the log, the newest last.'),
});

export const treeSchema = z.object({
  nodes: z
    .array(
      z.object({
        ...objectNames,
        parent: z.int().min(0).optional().describe('Position of its owner in this list; absent: it is desired itself.'),
        sync: syncWord.optional().describe('Absent: it is no object of the Application, but owned by one.'),
        health: objectHealthSchema,
        message: z.string().optional(),
        pruning: z.literal(true).optional(),
        createdAt: z.string().optional(),
      }),
    )
    .describe('Objects of the Application, then the objects that they own, owners before what they own.'),
  notes: z.array(z.string()).describe('For people: which objects could not be listed for the caller, and why.'),
});

export const PLAN_WORDS = [
  'create',
  'update',
  'recreate',
  'adopt',
  'prune',
  'release',
  'hold',
  'wait',
  'keep',
  'unknown',
  'refuse',
] as const;

export const planSchema = z.object({
  request: z.string().describe('Id of the request for a dry run that made the plan.'),
  revision: z.string().optional(),
  outcome: z.enum(['Succeeded', 'Failed', 'Refused']),
  message: z.string(),
  held: z.string().optional().describe('Why the deletions would wait for a confirmation.'),
  unchanged: z.int().min(0).describe('Number of objects that would stay as they are.'),
  objects: z.array(z.object({ ...objectNames, action: z.enum(PLAN_WORDS), detail: z.string().optional() })),
});

export const acceptedSchema = z.object({
  id: z.string().describe('Id of the request, which lastRequest of the Application repeats with the answer.'),
  action: z.string(),
});

export const suspendedSchema = z.object({ suspended: z.boolean() });

export type ObjectDetail = z.output<typeof objectDetailSchema>;
export type TreeNode = z.output<typeof treeSchema>['nodes'][number];
export type EventView = z.output<typeof eventsSchema>['events'][number];
export type PlanView = z.output<typeof planSchema>;
