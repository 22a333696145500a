/**
 * The import law as data; docs/architecture.md tells it in prose. Values flow one way: a module that decides is pure
 * and knows the stages before it by their types only; a module that acts does not import another that acts. /
 */

/** The stages in the order of the pipeline: a module may import types of those before it. */
export const PIPELINE = ['source', 'render', 'cluster', 'bind', 'diff', 'health', 'plan', 'apply', 'status'];

/** Deterministic in their arguments: no clock, no chance, no files, no network. */
export const PURE = ['object', 'application', 'render', 'bind', 'diff', 'plan', 'health', 'status'];

/** They act on the world, and never import each other's values, but for those in EDGES_BELOW. */
export const EDGES = [
  'source',
  'cluster',
  'apply',
  'notify',
  'telemetry',
  'sandbox',
  'process',
  'helm',
  'sops',
  'registry',
];

/**
 * Edges that stand on another one. `registry` knows charts and artifacts and no way to a server: `source` hands it one,
 * and makes snapshots of what it finds. `process` runs any program within bounds: `helm` and `sops` know theirs.
 */
const EDGES_BELOW: Readonly<Record<string, readonly string[]>> = {
  source: ['registry'],
  helm: ['process'],
  sops: ['process'],
};

/** The modules that each upper module may import by value. */
export const UPPER: Readonly<Record<string, readonly string[]>> = {
  observe: [...PURE, ...EDGES],
  reconcile: [...PURE, ...EDGES, 'observe'],
  server: [...PURE, ...EDGES, 'reconcile'],
  cli: [...PURE, ...EDGES, 'config', 'observe', 'reconcile', 'server'],
};

/** Files that may import everything, and that only each other may import. */
export const ROOTS = ['src/main.ts', 'src/agent-limits.ts', 'src/cli.ts', 'src/child.ts'];

/** The module that runs in a browser. It knows the agent by the answers of the status API alone. */
export const BROWSER = {
  folder: 'ui',
  types: ['src/server/api/schema.ts'],
  values: ['src/object/printable.ts'],
} as const;

/** Files that every module may import by value: plain vocabulary without effects. */
export const VOCABULARY = [
  'src/telemetry/ports.ts',
  'src/cluster/kinds.ts',
  'src/cluster/identity.ts',
  'src/cluster/concurrency.ts',
];

/** The modules that a module may import by value. undefined: the law does not know the module. */
export function allowedValues(folder: string): readonly string[] | undefined {
  if (folder === 'object') return [];
  if (folder === 'application') return ['object'];
  if (folder === 'config') return ['object', 'application'];
  if (PURE.includes(folder)) return ['object', 'application'];
  if (EDGES.includes(folder)) return [...PURE, ...(EDGES_BELOW[folder] ?? [])];
  return UPPER[folder];
}

/** The modules that a module may import types of, beside those that it may import by value. */
export function allowedTypes(folder: string): readonly string[] {
  if (folder === 'object') return [];
  if (folder === 'application') return ['object'];
  const position = PIPELINE.indexOf(folder);
  // Modules beside the pipeline (notify, sandbox…) may use the types of every stage.
  return position < 0 ? PIPELINE : PIPELINE.slice(0, position);
}

/**
 * Modules of Node that a pure module may use: they compute, and touch nothing outside (`node:module` loads a package
 * that few inputs need once one does).
 */
export const PURE_BUILTINS = [
  ...['node:crypto', 'node:zlib', 'node:buffer', 'node:util', 'node:path', 'node:path/posix'],
  'node:module',
];

/** Floors of rooms, the lowest floor first. A room is a folder or a file of the module. */
export type Floors = readonly (readonly string[])[];

/**
 * The rooms of modules that have several. A room imports rooms on lower floors and its own files, types included; rooms
 * on one floor do not import each other. Every file of the module belongs to a room: to the longest name that fits.
 */
export const ROOMS: Readonly<Record<string, Floors>> = {
  'src/reconcile': [
    [
      'attempt.ts',
      'requests.ts',
      ...['decide', 'deletion', 'desired', 'effect', 'report'].map((room) => `${room}/memory.ts`),
    ],
    ['hold-goal.ts', 'memory.ts'],
    ['neighbours'],
    ['context.ts'],
    ['pass.ts'],
    ['accepted.ts', 'desired'],
    ['decide'],
    ['report'],
    ['deletion', 'effect'],
    ['reconcile.ts'],
    ['queue'],
  ],
  'src/cluster': [
    ['concurrency.ts', 'identity.ts', 'kinds.ts', 'limits.ts', 'metrics.ts', 'resource-version.ts'],
    ['answer-text.ts', 'live.ts'],
    ['answers.ts', 'live-object.ts'],
    ['ports.ts'],
    ['transport'],
    ['requests'],
    ['watches'],
    ['live'],
    ['applications.ts'],
    ['caller-clients.ts', 'follow-applications.ts'],
    ['connection.ts', 'expect-crd.ts', 'user-cluster.ts'],
  ],
  'src/server': [
    ['connection-limit.ts', 'failure-budget.ts', 'read-body.ts', 'refuse.ts', 'registry-events.ts'],
    ['same-site.ts', 'shared-answer.ts'],
    ['session'],
    [
      'access.ts',
      'client-address.ts',
      'host-check.ts',
      'listener.ts',
      'page.ts',
      'webhook-providers.ts',
      'webhook-secrets.ts',
    ],
    ['api', 'metrics.ts', 'probes.ts', 'webhooks.ts'],
    ['owner-page.ts'],
  ],
  'src/source': [
    [
      'docker-config.ts',
      'limits.ts',
      'poll-pace.ts',
      'signatures',
      'single-flight.ts',
      'snapshot.ts',
      'ssh-address.ts',
    ],
    ['github-app.ts', 'known-hosts.ts', 'mask.ts', 'repository-url.ts', 'revision.ts'],
    ['credential.ts'],
    ['app-failure.ts', 'ports.ts', 'repository.ts', 'verification.ts'],
    ['app-tokens.ts'],
    ['packs', 'transport'],
    ['app-transport.ts', 'fetch-artifact.ts', 'fetch-commit.ts', 'lfs', 'origin.ts'],
    ['signer-memory.ts'],
    ['verify-provenance.ts', 'verify-revision.ts'],
    ['artifact-origin.ts', 'git-origin.ts', 'lfs-origin.ts'],
    ['source.ts'],
  ],
};

/** The room of a file, undefined if it has none, with the number of its floor. */
export function roomOf(path: string, folder: string, floors: Floors): { name: string; floor: number } | undefined {
  const rooms = floors.flatMap((names, floor) => names.map((name) => ({ name, floor })));
  return rooms
    .filter(({ name }) => path === `${folder}/${name}` || path.startsWith(`${folder}/${name}/`))
    .reduce<{ name: string; floor: number } | undefined>(
      (longest, room) => (longest && longest.name.length >= room.name.length ? longest : room),
      undefined,
    );
}
