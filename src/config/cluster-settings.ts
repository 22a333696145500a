/** Settings of the process and of its passes: the cluster, rights, bounds, times. */
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bool, count, duration, text, type Setting } from './setting.ts';

export const CLUSTER_SETTINGS = {
  kubeconfig: text('kubeconfig', '', 'kubeconfig file; empty: KUBECONFIG, then the ServiceAccount of the Pod'),
  context: text('context', '', 'context of the kubeconfig; empty: its current context'),
  dataDir: text('data-dir', join(tmpdir(), 'tautline'), 'folder for fetched repositories; its content may be lost'),
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
  healthChecks: text(
    'health-checks',
    '',
    'file with checks of health for all Applications, in the form of spec.health.checks; empty: none',
  ),
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
} as const satisfies Record<string, Setting>;
