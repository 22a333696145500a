/** The sources of an Application: `spec.source`, and the entries of `spec.sources`. */
import { z } from 'zod';
import { isArtifactSource, type SourceAddress } from './artifact-revision.ts';
import { SCHEDULE_PATTERN } from './cron.ts';
import { durationBetween } from './duration-field.ts';
import { DNS_LABEL } from './names.ts';
import { matching, notMatching, visible, withRules, type FieldRule } from './rules.ts';
import { secretReference, verifyRules, verifySchema } from './verify-schema.ts';

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

function submodulesField(field: string): z.ZodOptional<z.ZodBoolean> {
  return z
    .boolean()
    .optional()
    .describe(
      `Whether the submodules of the commit are read, as far as the render reads files of them. ${
        field === 'spec.source' ? 'It counts for remote bases as well. ' : ''
      }A submodule must be on the host of its repository, or on one that the agent allows. Default: false.`,
    );
}

function lfsField(): z.ZodOptional<z.ZodBoolean> {
  return z
    .boolean()
    .optional()
    .describe(
      'Whether pointers of Git LFS that the render reads, also in submodules, are replaced by the files on the LFS server ' +
        'of their repository. Default: false.',
    );
}

interface GitFields extends SourceAddress {
  readonly submodules?: boolean | undefined;
  readonly lfs?: boolean | undefined;
}

/** Fields that only a Git repository can have. */
function gitRules(field: string): FieldRule<GitFields>[] {
  return [
    {
      cel: `!has(self.lfs) || !self.lfs || !(self.repoURL.startsWith('oci://') || has(self.chart))`,
      holds: (source) => source.lfs !== true || !isArtifactSource(source),
      message: `${field}.lfs needs a Git repository; charts and artifacts have no files in Git LFS`,
    },
    {
      cel: `!has(self.submodules) || !self.submodules || !(self.repoURL.startsWith('oci://') || has(self.chart))`,
      holds: (source) => source.submodules !== true || !isArtifactSource(source),
      message: `${field}.submodules needs a Git repository; charts and artifacts have no submodules`,
    },
  ];
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
  submodules: submodulesField('spec.source'),
  lfs: lfsField(),
  verify: verifySchema
    .optional()
    .describe(
      'Signatures that the commit, tag or artifact must have; without valid ones nothing of it is rendered. Default: ' +
        'none.',
    ),
});

export const sourceSchema = withRules(sourceFields, [
  {
    cel: '!has(self.timeZone) || has(self.schedule)',
    holds: ({ schedule, timeZone }) => timeZone === undefined || schedule !== undefined,
    message: 'spec.source.timeZone needs spec.source.schedule, which is missing',
  },
  ...verifyRules('spec.source'),
  ...gitRules('spec.source'),
  ...revisionRules('spec.source.revision'),
]);

export const MAX_SOURCES = 10;

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
  submodules: submodulesField('spec.sources[]'),
  lfs: lfsField(),
  verify: verifySchema
    .optional()
    .describe('Signatures that this source must have, as spec.source.verify. Default: none.'),
});

export const namedSourceSchema = withRules(namedSourceFields, [
  ...verifyRules('spec.sources[]'),
  ...gitRules('spec.sources[]'),
  ...revisionRules('spec.sources[].revision'),
]);

export type NamedSource = z.output<typeof namedSourceSchema>;
