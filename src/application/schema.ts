/**
 * The schema of the Application resource, version tautline.dev/v1alpha1. Its TypeScript types, parser, CRD and
 * reference page are made from it. Invariant: every field has an effect and a description that names its default;
 * optional fields are absent, never null.
 */
import { z } from 'zod';
import type { Value } from '../object/value.ts';
import { isArtifactSource, type SourceAddress } from './artifact-revision.ts';
import { SCHEDULE_PATTERN } from './cron.ts';
import { durationBetween } from './duration-field.ts';
import { healthCheckSchema, MAX_HEALTH_CHECKS } from './health-check-schema.ts';
import { DNS_LABEL, DNS_SUBDOMAIN } from './names.ts';
import { renderSchema } from './render-schema.ts';
import { matching, notMatching, withRules, visible, type FieldRule } from './rules.ts';
import { statusSchema, type ApplicationStatus } from './status-schema.ts';
import { syncSchema } from './sync-schema.ts';
import { secretReference, verifyRules, verifySchema } from './verify-schema.ts';

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

function repoUrlField(field: string): z.ZodString {
  return withRules(z.string().min(1).max(2048), [
    matching(
      /^(https?|oci):\/\/[^/?#]|^ssh:\/\/[^/?#]+\/.|^[A-Za-z0-9_][A-Za-z0-9_.+-]*@([^@:/?#[]+|\[[^@/?#]+\]):./,
      `${field} must begin with http://, https://, oci:// or ssh:// and name a host, or have the form user@host:path`,
    ),
    notMatching(
      /^(https?|oci):\/\/[^/?#]*@|^ssh:\/\/[^/?#@]*:[^/?#]*@/,
      `${field} must not contain a password, nor a user name except for ssh`,
    ),
    notMatching(/^ssh:\/\/([^/@]*@)?-|^[^/@]*@-/, `${field} must not have a user or host that begins with -`),
    notMatching(/[?#\x00-\x20]/, `${field} must not contain a query, a fragment or white space`),
    visible(field),
  ]).describe(
    'Address of the source, without password: of a Git repository, by http, https or ssh (ssh://… or user@host:path, ' +
      'whose path is relative to the home of the user); with chart of a Helm repository, by http or https; of an ' +
      'artifact or chart in a registry, oci://.',
  );
}

function chartField(field: string): z.ZodOptional<z.ZodString> {
  return withRules(z.string().min(1).max(255), [
    matching(/^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/, `${field} must be the name of a chart`),
    notMatching(/\/\/|\.\./, `${field} must be the name of a chart`),
  ])
    .optional()
    .describe(
      'Name of a chart in the Helm repository or registry of repoURL. The folder of the chart is the root of the source. ' +
        'Default: none.',
    );
}

function revisionField(field: string): z.ZodDefault<z.ZodString> {
  return withRules(z.string().min(1).max(256), [visible(field)])
    .default('HEAD')
    .describe(
      'Revision to follow. Of a Git repository: a commit (40 hex digits), a full reference (refs/…), a branch or a tag, ' +
        'tried in this order, or semver:<range> for the newest tag in a range. Of a chart: a version, a range of versions or a digest. Of an artifact: a tag, ' +
        'semver:<range> or a digest. Default: HEAD, the default branch, the newest version of a chart, or the tag latest.',
    );
}

interface AddressFields extends SourceAddress {
  readonly revision: string;
}

/** Rules about the revision, which depend on the kind of the address. */
function revisionRules(field: string): FieldRule<AddressFields>[] {
  const isArtifact = `self.repoURL.startsWith('oci://') || has(self.chart)`;
  return [
    {
      cel: `${isArtifact} || self.revision.matches(r'${GIT_RANGE.source}') || !self.revision.matches(r'${NOT_IN_GIT.source}')`,
      holds: (source) =>
        isArtifactSource(source) || GIT_RANGE.test(source.revision) || !NOT_IN_GIT.test(source.revision),
      message: `${field} must be a branch, a tag, refs/…, a commit of 40 hex digits or semver:<range>`,
    },
    {
      cel: `!(${isArtifact}) || self.revision.matches(r'${IN_ARTIFACTS.source}')`,
      holds: (source) => !isArtifactSource(source) || IN_ARTIFACTS.test(source.revision),
      message: `${field} must be a version, a tag, a digest or a range of versions`,
    },
  ];
}

/** Characters and parts that git refuses in a reference name (git-check-ref-format), unless it is a range. */
const NOT_IN_GIT = /[\x00-\x20\x7f~^:?*[\\]|^-|\.\.|@\{|\/\/|^\/|\/$/;
const GIT_RANGE = /^semver:[0-9A-Za-z*^~<>=][0-9A-Za-z_.:+*^~<>=|, -]*$/;
const IN_ARTIFACTS = /^[0-9A-Za-z_*^~<>=][0-9A-Za-z_.:+*^~<>=|, -]*$/;

function pathField(field: string): z.ZodDefault<z.ZodString> {
  return withRules(z.string().max(1024), [
    notMatching(/^\//, `${field} must be relative to the root of the repository, without a leading /`),
    notMatching(/(^|\/)\.\.(\/|$)/, `${field} must not leave the repository: no part of it may be ..`),
    visible(field),
  ]).default('.');
}

const sourceFields = z.object({
  repoURL: repoUrlField('spec.source.repoURL'),
  chart: chartField('spec.source.chart'),
  revision: revisionField('spec.source.revision'),
  path: pathField('spec.source.path').describe(
    'Folder of the repository that holds the manifests or a kustomization.yaml. Default: ., the root.',
  ),
  interval: durationBetween('spec.source.interval', '10s', '24h')
    .default('1m')
    .describe(
      'Time between two polls of the repository, from 10s to 24h. Default: 1m. A webhook or a refresh request polls ' +
        'at once.',
    ),
  schedule: withRules(z.string().min(9).max(128), [
    matching(SCHEDULE_PATTERN, 'spec.source.schedule must have five fields in cron form, such as 0 6 * * 1-5'),
  ])
    .optional()
    .describe(
      'Additional times at which the repository is polled, in cron form with five fields (minute, hour, day of month, ' +
        'month, day of week), as in a CronJob: 0 6 * * 1-5. Default: none.',
    ),
  timeZone: withRules(z.string().min(1).max(64), [
    matching(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'spec.source.timeZone must be an IANA name, such as Europe/Berlin'),
  ])
    .optional()
    .describe('IANA name of the time zone of the schedule, such as Europe/Berlin. Default: UTC.'),
  secretRef: secretReference
    .optional()
    .describe(
      "Secret in the Application's own namespace with the credentials of the repository: username and password, or " +
        'bearerToken; githubAppID and githubAppPrivateKey; ca.crt; tls.crt and tls.key; for ssh identity, password and known_hosts; for a registry also ' +
        '.dockerconfigjson. It is read with the rights of the Application. Default: the Secret of the namespace whose ' +
        'label and key url name this address, if there is one.',
    ),
  verify: verifySchema
    .optional()
    .describe(
      'Signatures that the commit, tag or artifact must have; without valid ones nothing of it is rendered. Default: ' +
        'none.',
    ),
});

const sourceSchema = withRules(sourceFields, [
  {
    cel: '!has(self.timeZone) || has(self.schedule)',
    holds: ({ schedule, timeZone }) => timeZone === undefined || schedule !== undefined,
    message: 'spec.source.timeZone needs spec.source.schedule, which is missing',
  },
  ...verifyRules('spec.source'),
  ...revisionRules('spec.source.revision'),
]);

const MAX_SOURCES = 10;

const namedSourceFields = z.object({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(DNS_LABEL)
    .describe('Name of the source: $name/… stands for its files in valueFiles and components.'),
  repoURL: repoUrlField('spec.sources[].repoURL'),
  chart: chartField('spec.sources[].chart'),
  revision: revisionField('spec.sources[].revision'),
  path: pathField('spec.sources[].path').describe('Folder that $name stands for. Default: ., the root.'),
  secretRef: secretReference
    .optional()
    .describe('Secret with the credentials of this repository, as spec.source.secretRef.'),
  verify: verifySchema
    .optional()
    .describe('Signatures that this source must have, as spec.source.verify. Default: none.'),
});

const namedSourceSchema = withRules(namedSourceFields, [
  ...verifyRules('spec.sources[]'),
  ...revisionRules('spec.sources[].revision'),
]);

export type NamedSource = z.output<typeof namedSourceSchema>;

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
      .describe('Fields by JSON pointer (RFC 6901). A part * stands for every key or list item.'),
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
