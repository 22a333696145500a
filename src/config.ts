/**
 * All settings of the agent. This is the only file that reads the environment. One table defines flags, environment
 * variables, defaults and `--help`, which makes the file long. A flag takes precedence over its variable, and the
 * variable over the default.
 */
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseAddressRules, parseNetworks, type AddressRule, type Network } from './application/address-rule.ts';
import { parseDuration } from './application/duration.ts';
import { isServiceAccountName } from './cluster/identity.ts';

/** The version of Tautline. A test keeps it equal to the one in package.json. */
export const VERSION = '0.1.0';

type SettingType =
  | 'names'
  | 'networks'
  | 'addresses'
  | 'hosts'
  | 'text'
  | 'account'
  | 'count'
  | 'duration'
  | 'boolean'
  | 'address'
  | 'level'
  | 'anonymous';

interface Setting {
  /** Long flag without its dashes. The variable is `TAUTLINE_` and the flag in capitals, with `_` for `-`. */
  readonly flag: string;
  readonly type: SettingType;
  readonly default: string;
  readonly description: string;
  /** For a count: the smallest and the largest accepted number. */
  readonly range?: readonly [number, number];
}

/**
 * Shortest and longest accepted duration, in milliseconds. Durations are used for timers: a shorter one would keep the
 * processor busy, and Node fires a timer of more than 24 days immediately.
 */
const DURATION_RANGE_MS = [10, 24 * 3_600_000] as const;

/** In the order of `--help`. On the command line sizes are in MiB and durations are written as in `1m30s`. */
export const SETTINGS = {
  kubeconfig: text('kubeconfig', '', 'kubeconfig file; empty: KUBECONFIG, then the ServiceAccount of the Pod'),
  context: text('context', '', 'context of the kubeconfig; empty: its current context'),
  dataDir: text('data-dir', join(tmpdir(), 'tautline'), 'folder for fetched repositories; its content may be lost'),
  probesAddress: address('probes-address', '127.0.0.1:8081', 'address of /healthz and /readyz'),
  metricsAddress: address('metrics-address', '127.0.0.1:8083', 'address of /metrics'),
  apiAddress: address('api-address', '127.0.0.1:8080', 'address of the status API'),
  apiHosts: {
    flag: 'api-hosts',
    type: 'names',
    default: '',
    description:
      'names by which the status API is called, separated by commas, beside addresses and names in a cluster',
  },
  anonymousRead: {
    flag: 'anonymous-read',
    type: 'anonymous',
    default: 'nothing',
    description: 'what the status API shows without a token: nothing, or the names and states of all Applications',
  },
  metricsNeedToken: bool(
    'metrics-need-token',
    'false',
    'whether /metrics needs the token of an account that may get this path',
  ),
  webhookAddress: address('webhook-address', '127.0.0.1:8082', 'address of the webhook listener'),
  webhookSecretsDir: text(
    'webhook-secrets-dir',
    '',
    'folder with the webhook secrets, one file for each provider; empty: every webhook is refused',
  ),
  webhookTrustedProxies: {
    flag: 'webhook-trusted-proxies',
    type: 'networks',
    default: '',
    description: 'networks of proxies whose X-Forwarded-For names the sender of a webhook, separated by commas',
  },
  webhooksPerMinute: count(
    'webhook-rate',
    '120',
    'most webhooks a minute from one address that are not genuine',
    [1, 100_000],
  ),
  totalWebhooksPerMinute: count(
    'webhook-total-rate',
    '1200',
    'most webhooks a minute from all addresses together that are not genuine',
    [1, 1_000_000],
  ),
  logLevel: { flag: 'log-level', type: 'level', default: 'info', description: 'debug, info, warn or error' },
  maxPassTimeMs: duration('max-pass-time', '30m', 'longest pass over one Application before /healthz fails'),
  instance: text('instance', hostname(), 'name of this process in Events'),
  defaultServiceAccount: {
    flag: 'default-service-account',
    type: 'account',
    default: '',
    description:
      "ServiceAccount of an Application that names none, in the Application's namespace; empty: the agent's own rights",
  },
  allowCrossNamespace: bool(
    'allow-cross-namespace',
    'false',
    'whether an Application without a ServiceAccount may hold cluster-scoped objects and objects in other namespaces',
  ),
  heapMib: count('heap-mib', '512', 'largest heap of the agent; 0: V8 chooses by the size of the machine', [0, 65_536]),
  concurrency: count('concurrency', '4', 'Applications processed at the same time', [1, 64]),
  passesPerSecond: count('pass-rate', '10', 'most passes a second over one Application, on average', [1, 1000]),
  applyConcurrency: count('apply-concurrency', '16', 'objects of one Application applied at the same time', [1, 128]),
  maxRequests: count(
    'max-requests',
    '24',
    'most requests to the API server at the same time, without watches',
    [1, 256],
  ),
  requestTimeoutMs: duration('request-timeout', '35s', 'longest silence of the API server before or within an answer'),
  maxWatches: count('max-watches', '1000', 'most open watches', [1, 10_000]),
  maxNamespaceLiveMib: count(
    'max-namespace-live-mib',
    '64',
    'memory for live objects that the accounts of one namespace see; other objects are read by name',
    [1, 65_536],
  ),
  maxTotalLiveMib: count(
    'max-total-live-mib',
    '128',
    'memory for all live objects from which on a namespace gets no more than an equal share of it',
    [1, 65_536],
  ),
  maxApplications: count('max-applications', '5000', 'most Applications that the agent works on', [1, 100_000]),
  maxApplicationsPerNamespace: count(
    'max-applications-per-namespace',
    '5000',
    'most Applications of one namespace that the agent works on; the oldest ones come first',
    [1, 100_000],
  ),
  minBackoffMs: duration('min-backoff', '1s', 'first delay after a failed pass'),
  maxBackoffMs: duration('max-backoff', '5m', 'longest delay after failed passes'),
  minPollBackoffMs: duration('min-poll-backoff', '5s', 'first delay after a failed poll of a repository'),
  maxPollBackoffMs: duration(
    'max-poll-backoff',
    '5m',
    'longest delay after failed polls; never more than the interval',
  ),
  pollJitterPercent: count('poll-jitter-percent', '10', 'percentage by which poll intervals vary', [0, 50]),
  progressCheckMs: duration(
    'progress-check',
    '5s',
    'how often progressing objects are checked, in addition to watch events',
  ),
  unwatchedCheckMs: duration(
    'unwatched-check',
    '15s',
    'how often an object without the label of Tautline is read that is left as it is, since no watch reports it',
  ),
  answerAgeMs: duration(
    'answer-age',
    '1h',
    'how often the API server is asked again about an object that it has left different from Git, as a webhook may',
  ),
  handOverWaitMs: duration('hand-over-wait', '60s', 'how long a prune waits for other Applications of the repository'),
  discoveryRetryMs: duration('discovery-retry', '15s', 'how often discovery is repeated for a kind that is not served'),
  definitionCheckMs: duration(
    'definition-check',
    '5s',
    'how often definitions are compared while an Application waits for one to be installed or changed',
  ),
  awaitedDiscoveryRetryMs: duration(
    'awaited-discovery-retry',
    '300ms',
    'first pause before discovery is repeated for a kind whose definition was just applied; the pause doubles',
  ),
  pruneMaxPercent: count(
    'prune-max-percent',
    '30',
    'share of the objects above which a prune that also exceeds --prune-max-objects waits for a confirmation',
    [0, 100],
  ),
  pruneMaxObjects: count(
    'prune-max-objects',
    '10',
    'number of objects above which a prune that also exceeds --prune-max-percent waits for a confirmation',
    [0, 100_000],
  ),
  sourceAllow: {
    flag: 'source-allow',
    type: 'addresses',
    default: '',
    description:
      'the only addresses of repositories, separated by commas: host, *.host, host:port/path, network; empty: all',
  },
  sourceDeny: {
    flag: 'source-deny',
    type: 'addresses',
    default: 'loopback,link-local',
    description: 'addresses at which no repository is read, in the same form; checked after names are resolved',
  },
  remoteBaseHosts: {
    flag: 'remote-base-hosts',
    type: 'addresses',
    default: '',
    description:
      'hosts whose repositories a kustomization may name as bases, separated by commas: host, *.host, host:port/path; ' +
      'empty: none',
  },
  submoduleHosts: {
    flag: 'submodule-hosts',
    type: 'addresses',
    default: '',
    description: 'hosts beside that of its own repository on which a submodule may be, in the same form; empty: none',
  },
  chartHosts: {
    flag: 'chart-hosts',
    type: 'addresses',
    default: '',
    description:
      'hosts of Helm repositories and registries whose charts a chart or a kustomization may depend on, in the same ' +
      'form; empty: none',
  },
  remoteBaseAllowUnpinned: bool(
    'remote-base-allow-unpinned',
    'false',
    'whether a remote base may name no ?ref=, so that it follows the default branch of its repository',
  ),
  registryTokenHosts: {
    flag: 'registry-token-hosts',
    type: 'hosts',
    default: '',
    description:
      'hosts (host, *.host) that may give tokens for registries of other domains, and get their credentials; commas between',
  },
  registryPlainHttp: {
    flag: 'registry-plain-http',
    type: 'hosts',
    default: '',
    description:
      'registries (host, host:port) that speak http, separated by commas; credentials cross the network as text',
  },
  sshKnownHosts: text(
    'ssh-known-hosts',
    '',
    'file with the keys of SSH servers (known_hosts) for Secrets that hold none; empty: only those of the Secrets count',
  ),
  sshProxy: text('ssh-proxy', '', 'address of the http or https proxy for repositories by ssh; empty: no proxy'),
  gitTimeoutMs: duration(
    'git-timeout',
    '60s',
    'longest poll of a repository, and longest silence of the server in a fetch',
  ),
  gitFetchTimeoutMs: duration('git-fetch-timeout', '10m', 'longest fetch of one commit'),
  indexTimeoutMs: duration('index-timeout', '2m', 'longest check of a fetched commit'),
  maxPackMib: count('max-pack-mib', '512', 'largest answer to a fetch', [1, 65_536]),
  maxDataMib: count(
    'max-data-mib',
    '3072',
    'fetched data on disk, with room for one more fetch; the data that was not used for longest is removed first',
    [1, 1_000_000],
  ),
  maxRepositoryFiles: count('max-repository-files', '200000', 'most files of one revision', [1, 10_000_000]),
  maxFileMib: count('max-file-mib', '8', 'largest manifest file', [1, 1024]),
  maxNodes: count('max-yaml-nodes', '1000000', 'most values of one file, with aliases expanded', [1000, 100_000_000]),
  maxDepth: count('max-yaml-depth', '200', 'deepest nesting of one file', [10, 10_000]),
  maxObjects: count('max-objects', '50000', 'most objects of one render', [1, 1_000_000]),
  maxObjectMib: count('max-object-mib', '3', 'largest rendered object', [1, 1024]),
  maxRenderedMib: count('max-rendered-mib', '32', 'largest sum of the objects of one render', [1, 16_384]),
  maxNamespaceRenderedMib: count(
    'max-namespace-rendered-mib',
    '64',
    'largest sum of the rendered objects of all Applications of one namespace',
    [1, 65_536],
  ),
  maxTotalRenderedMib: count(
    'max-total-rendered-mib',
    '128',
    'sum of all rendered objects from which on a namespace gets no more than an equal share of it',
    [1, 65_536],
  ),
  maxRenderFiles: count('max-render-files', '20000', 'most files that one render reads', [1, 1_000_000]),
  renderTimeoutMs: duration('render-timeout', '60s', 'longest render'),
  sandboxSlots: count('sandbox-slots', '1', 'child processes for untrusted input', [1, 16]),
  sandboxHeapMib: count('sandbox-heap-mib', '512', 'largest heap of such a child process', [64, 16_384]),
  sandboxRssMib: count('sandbox-rss-mib', '1024', 'memory at which such a child process is killed', [128, 65_536]),
  landlockProgram: text(
    'landlock-program',
    '',
    'the program tautline-landlock, by which the kernel confines these processes; empty: only Node confines them',
  ),
  helmProgram: text('helm', 'helm', 'the program helm, which renders charts; a name is looked up in PATH'),
  helmTimeoutMs: duration('helm-timeout', '30s', 'longest run of helm'),
  helmMemoryMib: count('helm-memory-mib', '256', 'memory at which helm is stopped', [64, 16_384]),
  helmSlots: count('helm-slots', '1', 'runs of helm at the same time', [1, 16]),
  maxHelmOutputMib: count('max-helm-output-mib', '32', 'largest output of a chart', [1, 1024]),
  maxChartMib: count('max-chart-mib', '64', 'largest sum of the files of a chart', [1, 1024]),
  sopsProgram: text('sops', 'sops', 'the program sops, which opens sealed files; a name is looked up in PATH'),
  sopsTimeoutMs: duration('sops-timeout', '20s', 'longest run of sops, which opens one file'),
  sopsMemoryMib: count('sops-memory-mib', '128', 'memory at which sops is stopped', [64, 16_384]),
  sopsSlots: count('sops-slots', '1', 'runs of sops at the same time', [1, 16]),
  keyFolder: text('key-folder', '/dev/shm', 'a folder in memory (tmpfs), through which sops gets its keys'),
  renderCacheMib: count('render-cache-mib', '128', 'parsed files that such a child process keeps', [1, 16_384]),
  sandboxIdleMs: duration('sandbox-idle', '30s', 'how long such a child process is kept without work'),
} as const satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;

interface ValueOf {
  /** Host names in lower case. */
  names: readonly string[];
  networks: readonly Network[];
  addresses: readonly AddressRule[];
  hosts: readonly string[];
  text: string;
  /** undefined if no account is set. */
  account: string | undefined;
  level: 'debug' | 'info' | 'warn' | 'error';
  anonymous: 'nothing' | 'names';
  count: number;
  /** Milliseconds. */
  duration: number;
  boolean: boolean;
  address: { readonly host: string; readonly port: number };
}

/** A name that ends in `Ms` is in milliseconds, one that ends in `Mib` in MiB. */
export type Config = { readonly [K in SettingName]: ValueOf[(typeof SETTINGS)[K]['type']] };

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  /** `problem` names the flag or variable and the allowed values. */
  | { readonly ok: false; readonly problem: string };

/** Pairs of settings of which the first must not be larger than the second. */
const ORDERED = [
  ['minBackoffMs', 'maxBackoffMs'],
  ['minPollBackoffMs', 'maxPollBackoffMs'],
] as const satisfies readonly (readonly [SettingName, SettingName])[];

/** `flags` holds the values of the command line by the name of the setting. An empty variable counts as not set. */
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

/** The value of NODE_OPTIONS. */
export function readNodeOptions(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['NODE_OPTIONS'] ?? '';
}

/** The folders in which programs are looked up. */
export const searchPath = (environment = process.env): string => environment['PATH'] ?? '';

/** The files that KUBECONFIG names, separated by the path delimiter as for kubectl. */
export function kubeconfigFiles(environment: Readonly<Record<string, string | undefined>> = process.env): string[] {
  return (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
}

/** The whole environment, for a program that a person lets run in the same way as in a shell. */
export const ownEnvironment = (environment = process.env): Readonly<Record<string, string | undefined>> => environment;

/** The address of the API server in the environment of a Pod. `host` is empty outside a cluster. */
export function inClusterAddress(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly host: string;
  readonly port: string;
} {
  return {
    host: environment['KUBERNETES_SERVICE_HOST'] ?? '',
    port: environment['KUBERNETES_SERVICE_PORT'] ?? '443',
  };
}

/** The usual proxy variables, used for Git servers over http and https. A name in lower case takes precedence. */
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

/** Parsers by type. `problem` describes the allowed values; it continues a sentence that begins with "must be". */
const PARSERS: Readonly<Record<SettingType, (raw: string, range: Setting['range']) => Parsed>> = {
  names: (raw) => parseList(raw, parseHostName, 'host names, such as tautline.example.com, separated by commas'),
  networks: (raw) => parseList(raw, parseNetworks, 'addresses or networks, such as 10.0.0.0/8, separated by commas'),
  addresses: (raw) =>
    parseList(
      raw,
      parseAddressRules,
      'hosts or networks, such as git.example.com/team or 10.0.0.0/8, separated by commas',
    ),
  hosts: (raw) => parseList(raw, parseHost, 'hosts, such as registry.example.com:5000, separated by commas'),
  text: (raw) => ({ value: raw }),
  account: parseAccount,
  level: oneOf(['debug', 'info', 'warn', 'error']),
  anonymous: oneOf(['nothing', 'names']),
  boolean: (raw) => (/^(true|false)$/.test(raw) ? { value: raw === 'true' } : { problem: 'true or false' }),
  duration: parseDurationSetting,
  count: parseCount,
  address: parseAddress,
};

function oneOf(values: readonly string[]): (raw: string) => Parsed {
  return (raw) => (values.includes(raw) ? { value: raw } : { problem: `one of ${values.join(', ')}` });
}

function parseHostName(text: string): readonly string[] | undefined {
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text) ? [text.toLowerCase()] : undefined;
}

function parseList<T>(raw: string, parse: (text: string) => readonly T[] | undefined, problem: string): Parsed {
  const members = raw.split(/[\s,]+/).filter((text) => text !== '');
  const parsed = members.map(parse);
  return parsed.includes(undefined) ? { problem } : { value: parsed.flatMap((found) => found ?? []) };
}

function parseHost(text: string): readonly string[] | undefined {
  return /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i.test(text) ? [text.toLowerCase()] : undefined;
}

function parseAccount(raw: string): Parsed {
  if (raw === '') return { value: undefined };
  return isServiceAccountName(raw) ? { value: raw } : { problem: 'the name of a ServiceAccount, such as deployer' };
}

function parseDurationSetting(raw: string): Parsed {
  const ms = parseDuration(raw);
  const [least, most] = DURATION_RANGE_MS;
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
