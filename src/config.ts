/**
 * Every setting of the agent, and the only reader of its environment. One table gives flags, environment variables,
 * defaults and `--help`; a flag wins over its variable, the variable over the default.
 */
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseDuration } from './application/duration.ts';
import { isServiceAccountName } from './cluster/identity.ts';

/** The version of Tautline; a test holds it equal to package.json's. */
export const VERSION = '0.1.0';

type SettingType = 'text' | 'account' | 'count' | 'duration' | 'boolean' | 'address' | 'level';

interface Setting {
  /** Long flag without dashes; the variable is TAUTLINE_ and the same in capitals. */
  readonly flag: string;
  readonly type: SettingType;
  readonly default: string;
  readonly description: string;
  /** For a count: the least and the most that are accepted. */
  readonly range?: readonly [number, number];
}

/** Durations end up in timers: shorter ones would spin, and longer ones than 24 days end at once. In milliseconds. */
const DURATION_RANGE = [10, 24 * 3_600_000] as const;

/** In the order of `--help`. Sizes are in MiB, durations as in `1m30s`. */
export const SETTINGS = {
  kubeconfig: text('kubeconfig', '', 'kubeconfig file; empty: KUBECONFIG, or the ServiceAccount of the Pod'),
  context: text('context', '', 'context of the kubeconfig; empty: its current one'),
  dataDir: text('data-dir', join(tmpdir(), 'tautline'), 'folder for fetched repositories; may be lost at any time'),
  probesAddress: address('probes-address', '127.0.0.1:8081', 'where /healthz, /readyz and /metrics listen'),
  apiAddress: address('api-address', '127.0.0.1:8080', 'where the status API listens'),
  webhookAddress: address('webhook-address', '127.0.0.1:8082', 'where webhooks listen'),
  webhookSecretsDir: text(
    'webhook-secrets-dir',
    '',
    'folder with the secrets of webhooks, a file for each provider; empty: every webhook is refused',
  ),
  webhookRate: count('webhook-rate', '120', 'webhooks a minute that are looked at from one address', [1, 100_000]),
  webhookTotalRate: count('webhook-total-rate', '1200', 'the same for all addresses together', [1, 1_000_000]),
  logLevel: { flag: 'log-level', type: 'level', default: 'info', description: 'debug, info, warn or error' },
  maxPassTime: duration('max-pass-time', '30m', 'longest pass over one Application until /healthz says not healthy'),
  instance: text('instance', hostname(), 'name of this process in Events'),
  defaultServiceAccount: {
    flag: 'default-service-account',
    type: 'account',
    default: '',
    description: "ServiceAccount of Applications that name none, in their own namespace; empty: the agent's own rights",
  },
  allowCrossNamespace: bool(
    'allow-cross-namespace',
    'false',
    'whether an Application without ServiceAccount may hold objects outside its own namespace, or of none',
  ),
  heapMib: count('heap-mib', '512', 'heap of the agent; 0: as V8 sizes it by the machine', [0, 65_536]),
  concurrency: count('concurrency', '4', 'Applications worked on at once', [1, 64]),
  passRate: count('pass-rate', '10', 'passes a second over one Application, on average', [1, 1000]),
  applyConcurrency: count('apply-concurrency', '16', 'objects applied at once for one Application', [1, 128]),
  maxRequests: count('max-requests', '24', 'requests to the API server under way at once, watches aside', [1, 256]),
  requestTimeout: duration('request-timeout', '35s', 'longest silence of the API server in answer to a request'),
  maxWatches: count('max-watches', '1000', 'watches open at once', [1, 10_000]),
  maxApplications: count('max-applications', '5000', 'Applications that are worked on at all', [1, 100_000]),
  minBackoff: duration('min-backoff', '1s', 'first delay after a failed pass'),
  maxBackoff: duration('max-backoff', '5m', 'longest delay after failed passes'),
  minPollBackoff: duration('min-poll-backoff', '5s', 'first delay after a failed poll of a repository'),
  maxPollBackoff: duration('max-poll-backoff', '5m', 'longest delay after failed polls; never more than the interval'),
  pollJitterPercent: count('poll-jitter-percent', '10', 'share by which poll intervals vary', [0, 50]),
  progressCheck: duration('progress-check', '5s', 'how often what is progressing is looked at beside its events'),
  handOverWait: duration('hand-over-wait', '60s', 'how long a prune waits for other Applications of the source'),
  discoveryRetry: duration('discovery-retry', '15s', 'how often the API server is asked for a kind that it lacks'),
  awaitedDiscoveryRetry: duration('awaited-discovery-retry', '300ms', 'the same for a kind whose CRD was just applied'),
  pruneMaxShare: count('prune-max-percent', '30', 'larger prunes wait for a confirmation …', [0, 100]),
  pruneMaxObjects: count('prune-max-objects', '10', '… if they are also of more than this many objects', [0, 100_000]),
  gitTimeout: duration('git-timeout', '60s', 'longest silence of a Git server in answer to a request'),
  gitFetchTimeout: duration('git-fetch-timeout', '10m', 'longest fetch of one commit'),
  indexTimeout: duration('index-timeout', '2m', 'longest check of a fetched commit'),
  maxPackMib: count('max-pack-mib', '512', 'largest answer of a fetch', [1, 65_536]),
  maxRepositoryFiles: count('max-repository-files', '200000', 'most files of one revision', [1, 10_000_000]),
  maxFileMib: count('max-file-mib', '8', 'largest manifest file', [1, 1024]),
  maxNodes: count('max-yaml-nodes', '1000000', 'most values of one file, aliases expanded', [1000, 100_000_000]),
  maxDepth: count('max-yaml-depth', '200', 'deepest nesting of one file', [10, 10_000]),
  maxObjects: count('max-objects', '50000', 'most objects of one render', [1, 1_000_000]),
  maxRenderFiles: count('max-render-files', '20000', 'most files that one render reads', [1, 1_000_000]),
  renderTimeout: duration('render-timeout', '60s', 'longest render'),
  sandboxSlots: count('sandbox-slots', '1', 'child processes for untrusted input', [1, 16]),
  sandboxHeapMib: count('sandbox-heap-mib', '512', 'heap of such a child', [64, 16_384]),
  sandboxRssMib: count('sandbox-rss-mib', '1024', 'memory of such a child beyond which it is killed', [128, 65_536]),
  renderCacheMib: count('render-cache-mib', '128', 'parsed files that such a child keeps', [1, 16_384]),
  sandboxIdle: duration('sandbox-idle', '30s', 'how long such a child is kept without work'),
} as const satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;

interface ValueOf {
  text: string;
  /** undefined: none is set. */
  account: string | undefined;
  level: 'debug' | 'info' | 'warn' | 'error';
  count: number;
  /** Milliseconds. */
  duration: number;
  boolean: boolean;
  address: { readonly host: string; readonly port: number };
}

/** Durations are in milliseconds, sizes in MiB. */
export type Config = { readonly [K in SettingName]: ValueOf[(typeof SETTINGS)[K]['type']] };

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  /** Names the flag or variable, and what is allowed. */
  | { readonly ok: false; readonly problem: string };

/** First delays that must not be longer than the longest ones. */
const ORDERED = [
  ['minBackoff', 'maxBackoff'],
  ['minPollBackoff', 'maxPollBackoff'],
] as const satisfies readonly (readonly [SettingName, SettingName])[];

/** `flags` holds what was given on the command line, by setting name. An empty variable counts as none. */
export function readConfig(
  flags: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ReadConfig {
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const variable = variableOf(setting);
    const fromFlag = flags[name];
    const raw = fromFlag ?? (environment[variable] || setting.default);
    const origin = fromFlag === undefined ? variable : `--${setting.flag}`;
    const parsed = PARSERS[setting.type](raw, setting.range);
    if ('problem' in parsed) return { ok: false, problem: `${origin} must be ${parsed.problem}, not '${raw}'` };
    config[name] = parsed.value;
  }
  for (const [least, most] of ORDERED) {
    if (Number(config[least]) <= Number(config[most])) continue;
    return { ok: false, problem: `--${SETTINGS[least].flag} must not be longer than --${SETTINGS[most].flag}` };
  }
  if (config['kubeconfig'] === '' && environment['KUBECONFIG']) config['kubeconfig'] = environment['KUBECONFIG'];
  return { ok: true, config: config as Config };
}

/** What was set for node itself, in its own syntax. */
export function readNodeOptions(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['NODE_OPTIONS'] ?? '';
}

/** The kubeconfig files that a person's environment names: several, as kubectl reads them, by the path separator. */
export function kubeconfigFiles(environment: Readonly<Record<string, string | undefined>> = process.env): string[] {
  return (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
}

/** Where a Pod finds its API server; empty outside a cluster. */
export function inClusterAddress(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly host: string;
  readonly port: string;
} {
  return {
    host: environment['KUBERNETES_SERVICE_HOST'] ?? '',
    port: environment['KUBERNETES_SERVICE_PORT'] ?? '443',
  };
}

/** The proxies to Git servers, in the variables that everybody reads; a name in lower case wins. */
export function proxySettings(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly http: string;
  readonly https: string;
  readonly exceptions: string;
} {
  const read = (name: string): string => environment[name.toLowerCase()] || environment[name] || '';
  return { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY'), exceptions: read('NO_PROXY') };
}

export function variableOf({ flag }: Pick<Setting, 'flag'>): string {
  return `TAUTLINE_${flag.toUpperCase().replaceAll('-', '_')}`;
}

type Parsed = { readonly value: unknown } | { readonly problem: string };

/** How a text becomes a value; a problem says what is allowed, and continues "must be". */
const PARSERS: Readonly<Record<SettingType, (raw: string, range: Setting['range']) => Parsed>> = {
  text: (raw) => ({ value: raw }),
  account: parseAccount,
  level: (raw) => (LEVELS.includes(raw) ? { value: raw } : { problem: `one of ${LEVELS.join(', ')}` }),
  boolean: (raw) => (/^(true|false)$/.test(raw) ? { value: raw === 'true' } : { problem: 'true or false' }),
  duration: parseLength,
  count: parseCount,
  address: parseAddress,
};

const LEVELS = ['debug', 'info', 'warn', 'error'];

function parseAccount(raw: string): Parsed {
  if (raw === '') return { value: undefined };
  return isServiceAccountName(raw) ? { value: raw } : { problem: 'the name of a ServiceAccount, such as deployer' };
}

function parseLength(raw: string): Parsed {
  const ms = parseDuration(raw);
  const [least, most] = DURATION_RANGE;
  const isUsable = ms !== undefined && ms >= least && ms <= most;
  return isUsable ? { value: ms } : { problem: 'a duration from 10ms to 24h, such as 30s or 1m30s' };
}

function parseCount(raw: string, [least, most] = [0, Number.MAX_SAFE_INTEGER] as readonly [number, number]): Parsed {
  const value = /^\d+$/.test(raw) ? Number(raw) : NaN;
  return value >= least && value <= most ? { value } : { problem: `a whole number from ${least} to ${most}` };
}

function parseAddress(raw: string): Parsed {
  const [, host, digits] = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(raw) ?? [];
  const port = Number(digits);
  if (!host || port > 65_535) return { problem: 'host:port, such as 127.0.0.1:8080' };
  return { value: { host: host.replace(/^\[|\]$/g, ''), port } };
}

function text<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'text', default: value, description } as const;
}

function address<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'address', default: value, description } as const;
}

function bool<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'boolean', default: value, description } as const;
}

function duration<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'duration', default: value, description } as const;
}

function count<const F extends string>(flag: F, value: string, description: string, range: readonly [number, number]) {
  return { flag, type: 'count', default: value, description, range } as const;
}
