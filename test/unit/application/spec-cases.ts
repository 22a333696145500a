/**
 * Specs that must be refused, with the message, and specs that must be accepted. The tests of the parser and the tests
 * with a real API server share this table.
 */
import type { ValueMap } from '../../../src/object/value.ts';

export interface SpecCase {
  readonly name: string;
  readonly spec: ValueMap;
  /** The message of both. */
  readonly message?: string;
}

export function validSpec(): { source: ValueMap; destination: ValueMap } {
  return { source: { repoURL: 'https://git.example.com/shop.git' }, destination: { namespace: 'shop' } };
}

function ignoring(rule: ValueMap): ValueMap {
  return { ...validSpec(), ignoreDifferences: [rule] };
}

function withSource(source: ValueMap): ValueMap {
  return { ...validSpec(), source: { ...validSpec().source, ...source } };
}

function withSources(source: ValueMap): ValueMap {
  const values = { name: 'values', repoURL: 'https://git.example.com/values.git' };
  return { ...validSpec(), sources: [{ ...values, ...source }] };
}

const SCHEME =
  'spec.source.repoURL must begin with http://, https://, oci:// or ssh:// and name a host, or have the form user@host:path';
const EITHER_VERIFY =
  'spec.source.verify needs either mode, for a Git repository, or provider, for a chart or artifact';
const USER = 'spec.source.repoURL must not contain a password, nor a user name except for ssh';
const QUERY = 'spec.source.repoURL must not contain a query, a fragment or white space';
const REVISION = 'spec.source.revision must be a branch, a tag, refs/…, a commit of 40 hex digits or semver:<range>';
const ABSOLUTE = 'spec.source.path must be relative to the root of the repository, without a leading /';
const ESCAPE = 'spec.source.path must not leave the repository: no part of it may be ..';
const INTERVAL = 'spec.source.interval must be at least 10s and at most 24h';
const SCHEDULE = 'spec.source.schedule must have five fields in cron form, such as 0 6 * * 1-5';
const ZONE = 'spec.source.timeZone must be an IANA name, such as Europe/Berlin';
const ZONE_ALONE = 'spec.source.timeZone needs spec.source.schedule, which is missing';
const IGNORES_NOTHING = 'spec.ignoreDifferences[] must name fields by jsonPointers or managers';
const POINTER = 'spec.ignoreDifferences[].jsonPointers must begin with /; write ~0 for ~ and ~1 for / within a name';
const TIMEOUT = 'spec.sync.timeout must be at least 1s and at most 24h';
const HEALTH_TIMEOUT = 'spec.health.timeout must be at least 1s and at most 24h';

export const REFUSED_SPECS: readonly SpecCase[] = [
  { name: 'an address by git://', spec: withSource({ repoURL: 'git://git.example.com/shop' }), message: SCHEME },
  { name: 'an ssh address without path', spec: withSource({ repoURL: 'ssh://git@git.example.com' }), message: SCHEME },
  { name: 'a scp form without user', spec: withSource({ repoURL: 'git.example.com:shop' }), message: SCHEME },
  {
    name: 'a password in an ssh address',
    spec: withSource({ repoURL: 'ssh://me:word@git.example.com/x' }),
    message: USER,
  },
  { name: 'a local path as address', spec: withSource({ repoURL: '/srv/git/shop' }), message: SCHEME },
  { name: 'an address without host', spec: withSource({ repoURL: 'https:///shop' }), message: SCHEME },
  {
    name: 'a password in the address',
    spec: withSource({ repoURL: 'https://me:word@git.example.com/x' }),
    message: USER,
  },
  { name: 'a user in the address', spec: withSource({ repoURL: 'http://me@git.example.com/x' }), message: USER },
  {
    name: 'a query in the address',
    spec: withSource({ repoURL: 'https://git.example.com/x?token=1' }),
    message: QUERY,
  },
  { name: 'a fragment in the address', spec: withSource({ repoURL: 'https://git.example.com/x#y' }), message: QUERY },
  {
    name: 'a line break in the address',
    spec: withSource({ repoURL: 'https://git.example.com/x\ny' }),
    message: QUERY,
  },
  { name: 'an empty address', spec: withSource({ repoURL: '' }) },
  {
    name: 'a range for a branch',
    spec: withSource({ revision: '^1.2' }),
    message: 'spec.source.revision must be a branch, a tag, refs/…, a commit of 40 hex digits or semver:<range>',
  },
  {
    name: 'a branch with a slash for an artifact',
    spec: withSource({ repoURL: 'oci://registry.example.com/shop', revision: 'refs/heads/main' }),
    message: 'spec.source.revision must be a version, a tag, a digest or a range of versions',
  },
  {
    name: 'a path as the name of a chart',
    spec: withSource({ chart: '../shop' }),
    message: 'spec.source.chart must be the name of a chart',
  },
  {
    name: 'signatures of cosign for Git',
    spec: withSource({ verify: { provider: 'cosign', secretRef: { name: 'keys' } } }),
    message: 'spec.source.verify with provider cosign needs a repoURL that begins with oci://',
  },
  {
    name: 'signatures of helm for Git',
    spec: withSource({ verify: { provider: 'helm', secretRef: { name: 'keys' } } }),
    message:
      'spec.source.verify with provider helm needs a chart: spec.source.chart, or a repoURL that begins with oci://',
  },
  {
    name: 'signatures of commits for an artifact',
    spec: withSource({
      repoURL: 'oci://registry.example.com/shop',
      verify: { mode: 'head', secretRef: { name: 'keys' } },
    }),
    message: 'spec.source.verify with mode needs a Git repository; a chart or artifact needs provider',
  },
  {
    name: 'signatures of commits for a chart',
    spec: withSource({ chart: 'shop', verify: { mode: 'tag', secretRef: { name: 'keys' } } }),
    message: 'spec.source.verify with mode needs a Git repository; a chart or artifact needs provider',
  },
  {
    name: 'signatures with both mode and provider',
    spec: withSource({ verify: { mode: 'head', provider: 'cosign', secretRef: { name: 'keys' } } }),
    message: EITHER_VERIFY,
  },
  {
    name: 'signatures with neither mode nor provider',
    spec: withSource({ verify: { secretRef: { name: 'keys' } } }),
    message: EITHER_VERIFY,
  },
  {
    name: 'an unknown mode of signatures',
    spec: withSource({ verify: { mode: 'tags', secretRef: { name: 'keys' } } }),
  },
  {
    name: 'signatures of cosign for another source of Git',
    spec: withSources({ verify: { provider: 'cosign', secretRef: { name: 'keys' } } }),
    message: 'spec.sources[].verify with provider cosign needs a repoURL that begins with oci://',
  },
  {
    name: 'signatures of another tool',
    spec: withSource({
      repoURL: 'oci://registry.example.com/shop',
      verify: { provider: 'notation', secretRef: { name: 'keys' } },
    }),
  },
  { name: 'no address', spec: { source: {}, destination: { namespace: 'shop' } } },
  { name: 'a revision with a blank', spec: withSource({ revision: 'my branch' }), message: REVISION },
  { name: 'a revision with ..', spec: withSource({ revision: 'main..next' }), message: REVISION },
  { name: 'a revision like an option', spec: withSource({ revision: '--upload-pack=x' }), message: REVISION },
  { name: 'a revision with a backslash', spec: withSource({ revision: 'a\\b' }), message: REVISION },
  { name: 'a revision with a caret', spec: withSource({ revision: 'main^1' }), message: REVISION },
  { name: 'a revision with a reflog', spec: withSource({ revision: 'main@{1}' }), message: REVISION },
  { name: 'a revision with a control character', spec: withSource({ revision: 'a\u0007b' }), message: REVISION },
  { name: 'a range without prefix', spec: withSource({ revision: '>=1.0 <2' }), message: REVISION },
  { name: 'an empty range', spec: withSource({ revision: 'semver:' }), message: REVISION },
  { name: 'an absolute path', spec: withSource({ path: '/deploy' }), message: ABSOLUTE },
  {
    name: 'an address with text direction',
    spec: withSource({ repoURL: 'https://git.example.com/x\u202e.git' }),
    message: 'spec.source.repoURL must not contain control or invisible characters',
  },
  {
    name: 'a revision with a C1 control',
    spec: withSource({ revision: 'a\u009bb' }),
    message: 'spec.source.revision must not contain control or invisible characters',
  },
  {
    name: 'a path with an escape sequence',
    spec: withSource({ path: 'a\u001b[2J' }),
    message: 'spec.source.path must not contain control or invisible characters',
  },
  { name: 'a path that leaves the repository', spec: withSource({ path: '../other' }), message: ESCAPE },
  { name: 'a path that leaves the repository in its middle', spec: withSource({ path: 'a/../../b' }), message: ESCAPE },
  { name: 'an interval below the floor', spec: withSource({ interval: '9s' }), message: INTERVAL },
  { name: 'an interval above a day', spec: withSource({ interval: '24h1s' }), message: INTERVAL },
  { name: 'an interval without unit', spec: withSource({ interval: '60' }) },
  { name: 'a negative interval', spec: withSource({ interval: '-1m' }) },
  { name: 'an interval as number', spec: withSource({ interval: 60 }) },
  { name: 'a schedule with four fields', spec: withSource({ schedule: '0 6 * * ' }), message: SCHEDULE },
  { name: 'a schedule with six fields', spec: withSource({ schedule: '0 0 6 * * *' }), message: SCHEDULE },
  { name: 'a schedule by its nickname', spec: withSource({ schedule: '@midnight' }), message: SCHEDULE },
  { name: 'a schedule in words', spec: withSource({ schedule: 'every day at six' }), message: SCHEDULE },
  { name: 'a schedule with a step of zero', spec: withSource({ schedule: '*/0 6 * * *' }), message: SCHEDULE },
  {
    name: 'a time zone as an offset',
    spec: withSource({ schedule: '0 6 * * *', timeZone: '+01:00' }),
    message: ZONE,
  },
  { name: 'a time zone without schedule', spec: withSource({ timeZone: 'Europe/Berlin' }), message: ZONE_ALONE },
  { name: 'a timeout of zero', spec: { ...validSpec(), sync: { timeout: '0s' } }, message: TIMEOUT },
  {
    name: 'a health timeout that is too short',
    spec: { ...validSpec(), health: { timeout: '1ms' } },
    message: HEALTH_TIMEOUT,
  },
  { name: 'a rule that ignores nothing', spec: ignoring({ kind: 'Deployment' }), message: IGNORES_NOTHING },
  { name: 'a rule with an empty list of pointers', spec: ignoring({ jsonPointers: [] }), message: IGNORES_NOTHING },
  { name: 'a pointer without a slash', spec: ignoring({ jsonPointers: ['spec'] }), message: POINTER },
  { name: 'a pointer with a bare tilde', spec: ignoring({ jsonPointers: ['/a~b'] }), message: POINTER },
  { name: 'an unknown mode', spec: { ...validSpec(), sync: { mode: 'sometimes' } } },
  { name: 'an unknown deletion policy', spec: { ...validSpec(), deletionPolicy: 'Retain' } },
  { name: 'a namespace in capitals', spec: { ...validSpec(), destination: { namespace: 'Shop' } } },
  { name: 'an empty namespace', spec: { ...validSpec(), destination: { namespace: '' } } },
  { name: 'a destination that is a string', spec: { ...validSpec(), destination: 'shop' } },
];

export const ACCEPTED_SPECS: readonly SpecCase[] = [
  { name: 'the shortest spec', spec: validSpec() },
  { name: 'a range of versions of a chart', spec: withSource({ chart: 'shop', revision: '>=1.2.0, <2.0.0' }) },
  {
    name: 'a digest of an artifact',
    spec: withSource({ repoURL: 'oci://registry.example.com:5000/shop', revision: `sha256:${'a'.repeat(64)}` }),
  },
  {
    name: 'an artifact with signatures',
    spec: withSource({
      repoURL: 'oci://registry.example.com/shop',
      revision: 'semver:^1.2',
      verify: { provider: 'cosign', secretRef: { name: 'keys' } },
    }),
  },
  {
    name: 'a signed chart',
    spec: withSource({ chart: 'shop', verify: { provider: 'helm', secretRef: { name: 'keys' } } }),
  },
  { name: 'signed commits', spec: withSource({ verify: { mode: 'both', secretRef: { name: 'keys' } } }) },
  {
    name: 'signed commits of another source',
    spec: withSources({ verify: { mode: 'head', secretRef: { name: 'k' } } }),
  },
  { name: 'an address with @ in its path', spec: withSource({ repoURL: 'https://git.example.com/a@b/c' }) },
  { name: 'an address with a port', spec: withSource({ repoURL: 'http://127.0.0.1:8080/shop.git' }) },
  { name: 'an ssh address', spec: withSource({ repoURL: 'ssh://git@git.example.com:2222/team/shop.git' }) },
  { name: 'an ssh address without user', spec: withSource({ repoURL: 'ssh://git.example.com/~team/shop.git' }) },
  { name: 'the scp form', spec: withSource({ repoURL: 'git@git.example.com:team/shop.git' }) },
  { name: 'the scp form with IPv6', spec: withSource({ repoURL: 'git@[2001:db8::1]:team/shop.git' }) },
  { name: 'a range of tags', spec: withSource({ revision: 'semver:>=1.0.0, <2.0.0 || ^3.1' }) },
  { name: 'a commit', spec: withSource({ revision: '0123456789abcdef0123456789abcdef01234567' }) },
  { name: 'a full reference', spec: withSource({ revision: 'refs/pull/7/head' }) },
  { name: 'a branch with slashes and dots', spec: withSource({ revision: 'feature/v1.2@next' }) },
  { name: 'a branch in another script', spec: withSource({ revision: 'größe' }) },
  { name: 'dots in a path', spec: withSource({ path: './apps/..shop/v1..2' }) },
  { name: 'an empty path', spec: withSource({ path: '' }) },
  { name: 'an interval in parts', spec: withSource({ interval: '1h30m' }) },
  { name: 'a fraction of an interval', spec: withSource({ interval: '0.5m' }) },
  { name: 'a schedule', spec: withSource({ schedule: '0 6 * * 1-5' }) },
  {
    name: 'a schedule with lists, ranges, steps and names',
    spec: withSource({ schedule: '*/5,7 0-23/2 1,15 Jan-mar,12 sun,2-4', timeZone: 'America/Argentina/Buenos_Aires' }),
  },
  {
    name: 'rules by pointer and by manager',
    spec: {
      ...validSpec(),
      ignoreDifferences: [
        {
          group: '',
          kind: '*',
          namespace: 'shop',
          name: 'c',
          jsonPointers: ['/metadata/annotations/a~1b', '/data/*/~0'],
        },
        { managers: ['tuner'] },
      ],
    },
  },
  { name: 'the floor of the interval', spec: withSource({ interval: '10000ms' }) },
];
