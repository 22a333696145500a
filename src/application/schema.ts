/**
 * The schema of the Application resource, version tautline.dev/v1alpha1. Its TypeScript types, parser, CRD and
 * reference page are made from it. Invariant: every field has an effect and a description that names its default;
 * optional fields are absent, never null.
 */
import { z } from 'zod';
import type { Value } from '../object/value.ts';
import { durationBetween } from './duration-field.ts';
import { healthCheckSchema, MAX_HEALTH_CHECKS } from './health-check-schema.ts';
import { DNS_LABEL, DNS_SUBDOMAIN } from './names.ts';
import { renderSchema } from './render-schema.ts';
import { matching, withRules } from './rules.ts';
import { MAX_SOURCES, namedSourceSchema, sourceSchema } from './source-schema.ts';
import { statusSchema, type ApplicationStatus } from './status-schema.ts';
import { syncSchema } from './sync-schema.ts';

/** A stored Application after parsing: validated, with defaults filled in (see parse.ts). */
export interface Application {
  readonly metadata: ApplicationMetadata;
  readonly spec: ApplicationSpec;
  readonly status: StoredStatus;
}

export type ApplicationSpec = z.output<typeof specSchema>;

/** The stored status. The inventory is not parsed: `decodeInventory` tells whether it can be read. */
export type StoredStatus = Readonly<Omit<ApplicationStatus, 'inventory'>> & { readonly inventory?: Value };

export interface ApplicationMetadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  /** RFC 3339; set once deletion has begun. */
  readonly deletionTimestamp?: string;
}

const destinationSchema = z.object({
  namespace: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .optional()
    .describe("Namespace of namespaced objects whose manifest names none. Default: the Application's own namespace."),
  createNamespace: z
    .boolean()
    .default(false)
    .describe('Whether to create the namespace if it does not exist. It is never pruned. Default: false.'),
});

const healthSchema = z.object({
  wait: z
    .boolean()
    .default(false)
    .describe(
      'Whether Ready waits until every object is Healthy, or Suspended by its own spec. If false, Ready is True once ' +
        'all objects are applied, and only status.health shows their health. Default: false.',
    ),
  timeout: durationBetween('spec.health.timeout', '1s', '24h')
    .optional()
    .describe(
      'Time that objects may take to become Healthy before wait reports a failure. Ready still becomes True once they ' +
        'are Healthy. Default: spec.sync.timeout.',
    ),
  checks: z
    .array(healthCheckSchema)
    .max(MAX_HEALTH_CHECKS)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(
      'Rules for the health of kinds, as expressions of CEL in the form of healthCheckExprs of Flux. They come before ' +
        'those of --health-checks and before the built-in ones. Default: none.',
    ),
});

const dependencySchema = z.object({
  name: z.string().min(1).max(253).regex(DNS_SUBDOMAIN).describe('Name of the other Application.'),
  namespace: z
    .string()
    .min(1)
    .max(63)
    .regex(DNS_LABEL)
    .optional()
    .describe("Its namespace. Default: this Application's own."),
});

const ignoreSchema = withRules(
  z.object({
    group: z.string().max(253).optional().describe('API group; empty: the core group. Default, and *: any.'),
    kind: z.string().min(1).max(63).optional().describe('Kind. Default, and *: any.'),
    namespace: z.string().max(63).optional().describe('Namespace. Default, and *: any.'),
    name: z.string().min(1).max(253).optional().describe('Name. Default, and *: any.'),
    jsonPointers: z
      .array(
        withRules(z.string().min(1).max(512), [
          matching(
            /^(\/([^~/]|~[01])*)+$/,
            'spec.ignoreDifferences[].jsonPointers must begin with /; write ~0 for ~ and ~1 for / within a name',
          ),
        ]),
      )
      .max(50)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe(
        'Fields by JSON pointer (RFC 6901). A part * stands for every key or list item, and [name=app] after a list for ' +
          'its items with this value: /spec/containers[name=app]/image.',
      ),
    managers: z
      .array(z.string().min(1).max(128))
      .max(20)
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional()
      .describe('Field managers whose fields are ignored.'),
  }),
  [
    {
      cel: '(has(self.jsonPointers) && size(self.jsonPointers) > 0) || (has(self.managers) && size(self.managers) > 0)',
      holds: ({ jsonPointers = [], managers = [] }) => jsonPointers.length + managers.length > 0,
      message: 'spec.ignoreDifferences[] must name fields by jsonPointers or managers',
    },
  ],
);

export type IgnoreRule = z.output<typeof ignoreSchema>;

export const specSchema = z.object({
  source: sourceSchema.describe('Source of the manifests.'),
  sources: z
    .array(namedSourceSchema)
    .max(MAX_SOURCES)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional()
    .describe(
      'Other repositories whose files the render uses, such as values for a chart. They are polled with spec.source. ' +
        'Default: none.',
    ),
  render: renderSchema.prefault({}).describe('How the files become objects. Default: as they are.'),
  destination: destinationSchema.prefault({}).describe('Destination of the objects. Default: all defaults.'),
  sync: syncSchema.prefault({}).describe('How objects are made equal to Git. Default: all defaults.'),
  serviceAccountName: z
    .string()
    .min(1)
    .max(253)
    .regex(DNS_SUBDOMAIN)
    .optional()
    .describe(
      "ServiceAccount in the Application's own namespace. Objects are read, written and deleted with its rights. " +
        'Default: the account of --default-service-account, or the rights of the agent itself.',
    ),
  dependsOn: z
    .array(dependencySchema)
    .max(50)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Applications that must be Ready before new manifests of this one are applied. Default: none.'),
  ignoreDifferences: z
    .array(ignoreSchema)
    .max(50)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe('Rules for fields that are neither reported nor overwritten. Default: none.'),
  health: healthSchema.prefault({}).describe('Effect of the health of the objects. Default: all defaults.'),
  suspend: z
    .boolean()
    .default(false)
    .describe('Whether to stop all work for this Application: no fetch, no comparison, no write. Default: false.'),
  deletionPolicy: z
    .enum(['Prune', 'Orphan'])
    .optional()
    .describe(
      'Fate of the objects when the Application is deleted: Prune deletes them, Orphan keeps them. Default: Orphan with ' +
        'sync.prune false or sync.mode detect, which never delete an object, otherwise Prune.',
    ),
});

/** The whole resource without apiVersion, kind and metadata, which every custom resource has. */
export const applicationSchema = z.object({
  spec: specSchema.describe('The desired state.'),
  status: statusSchema.optional().describe('The observed state and the results of syncs. Only Tautline writes it.'),
});
