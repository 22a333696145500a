/**
 * The Application resource, version tautline.dev/v1alpha1: the one source of its TypeScript types, its parser, its CRD
 * and its reference page. Invariant: it holds only fields whose behaviour exists; every field is described, with its
 * default in the text; optional fields are absent, never null.
 */
import { z } from 'zod';
import type { Value } from '../object/value.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { matching, notMatching, withRules } from './rules.ts';
import { statusSchema, type ApplicationStatus } from './status-schema.ts';

/** A stored Application as the agent reads it: defaults filled, everything checked (see parse.ts). */
export interface Application {
  readonly metadata: ApplicationMetadata;
  readonly spec: ApplicationSpec;
  readonly status: StoredStatus;
}

export type ApplicationSpec = z.output<typeof specSchema>;

/** What was once written to status. The inventory is as stored: only `decodeInventory` tells whether it can be read. */
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

const sourceSchema = z.object({
  repoURL: withRules(z.string().min(1).max(2048), [
    matching(/^https?:\/\/[^/?#]/, 'spec.source.repoURL must begin with http:// or https:// and name a host'),
    notMatching(/^[^/]*\/\/[^/?#]*@/, 'spec.source.repoURL must hold no user name and no password'),
    notMatching(/[?#\x00-\x20]/, 'spec.source.repoURL must hold no query, no fragment and no white space'),
  ]).describe('Address of the Git repository, by http or https, without user name and password.'),
  revision: withRules(z.string().min(1).max(256), [
    // What git refuses in the name of a reference (git-check-ref-format).
    notMatching(
      /[\x00-\x20\x7f~^:?*[\\]|^-|\.\.|@\{|\/\/|^\/|\/$/,
      'spec.source.revision must be a branch, a tag, refs/… or a commit of 40 hex digits',
    ),
  ])
    .default('HEAD')
    .describe(
      'What to follow: a commit (40 hex digits), a full reference (refs/…), a branch or a tag, tried in this order. ' +
        'Default: HEAD, the default branch of the repository.',
    ),
  path: withRules(z.string().max(1024), [
    notMatching(/^\//, 'spec.source.path must be relative to the root of the repository, without a leading /'),
    notMatching(/(^|\/)\.\.(\/|$)/, 'spec.source.path must not leave the repository: no part of it may be ..'),
  ])
    .default('.')
    .describe('Folder of the repository that holds the manifests or a kustomization.yaml. Default: ., the root.'),
  interval: durationBetween('spec.source.interval', '10s', '24h')
    .default('1m')
    .describe(
      'How often the repository is asked for a new commit; at least 10s, at most 24h. Default: 1m. A webhook or a ' +
        'request for a refresh is heard at once, whatever the interval.',
    ),
});

const destinationSchema = z.object({
  namespace: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .optional()
    .describe("Namespace of all namespaced objects whose manifest names none. Default: the Application's own."),
  createNamespace: z
    .boolean()
    .default(false)
    .describe('Whether to create the namespace where it does not exist; it is never pruned. Default: false.'),
});

const syncSchema = z.object({
  mode: z
    .enum(['auto', 'detect'])
    .default('auto')
    .describe('auto applies what differs from Git; detect only reports it and never writes an object. Default: auto.'),
  prune: z
    .boolean()
    .default(true)
    .describe('Whether objects that left Git are deleted; if not, they are reported as OutOfSync. Default: true.'),
  timeout: durationBetween('spec.sync.timeout', '1s', '24h')
    .default('5m')
    .describe('How long one sync may take, its waves included, until it counts as failed. Default: 5m.'),
});

const healthSchema = z.object({
  wait: z
    .boolean()
    .default(false)
    .describe(
      'Whether Ready waits until every object is Healthy (or Suspended by its own spec). If not, Ready says that all ' +
        'is applied, and status.health says how it does. Default: false.',
    ),
  timeout: durationBetween('spec.health.timeout', '1s', '24h')
    .optional()
    .describe(
      'How long objects may take to become Healthy until wait gives up, which is no end: Ready follows once they are. ' +
        'Default: spec.sync.timeout.',
    ),
});

export const specSchema = z.object({
  source: sourceSchema.describe('Where the manifests come from.'),
  destination: destinationSchema.prefault({}).describe('Where the objects go. Default: all defaults.'),
  sync: syncSchema.prefault({}).describe('How live objects are brought to what Git says. Default: all defaults.'),
  health: healthSchema.prefault({}).describe('What the health of the objects decides. Default: all defaults.'),
  suspend: z
    .boolean()
    .default(false)
    .describe('Whether Tautline leaves this Application alone: no fetch, no comparison, no write. Default: false.'),
  deletionPolicy: z
    .enum(['Prune', 'Orphan'])
    .default('Prune')
    .describe(
      'What becomes of the objects when the Application is deleted: Prune deletes them, Orphan lets them live. ' +
        'Default: Prune.',
    ),
});

/** The whole resource below apiVersion, kind and metadata, which every custom resource has. */
export const applicationSchema = z.object({
  spec: specSchema.describe('What is wanted.'),
  status: statusSchema.optional().describe('What was found and done. Written by Tautline alone.'),
});

function durationBetween(field: string, least: string, most: string): z.ZodString {
  const leastMs = parseDuration(least) ?? 0;
  const mostMs = parseDuration(most) ?? 0;
  return withRules(z.string().max(32).regex(DURATION_PATTERN), [
    {
      cel: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
      holds: (text) => {
        const ms = parseDuration(text);
        // What the pattern refuses is not refused twice.
        return ms === undefined || (ms >= leastMs && ms <= mostMs);
      },
      message: `${field} must be at least ${least} and at most ${most}`,
    },
  ]);
}
