/**
 * What kinds the cluster serves: aggregated discovery, two requests in all (core and groups), or one a group version
 * where the server has no aggregated discovery. Asked again, the server says by ETag that nothing has changed.
 *
 * Invariant: a group whose API doesn't answer is marked stale, never left out as if it were gone.
 */
import { parseJson } from '../object/json.ts';
import { apiVersionOf } from '../object/identity.ts';
import { listAt, stringAt, valueAt, type Value } from '../object/value.ts';
import { StageError } from '../object/stage-error.ts';
import type { Clock } from '../telemetry/ports.ts';
import { readAnswer } from './answers.ts';
import { agentIdentity } from './identity.ts';
import { kindKey, type KindInfo, type Kinds } from './kinds.ts';
import type { ClusterLimits } from './limits.ts';
import { retryAfterMs, type Transport } from './transport/transport.ts';

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

export interface DiscoveryOptions {
  readonly transport: Pick<Transport, 'send' | 'server'>;
  readonly limits: Pick<ClusterLimits, 'discoveryDoubtMs'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Ask in the way of servers before 1.26; for tests. */
  readonly legacy?: boolean;
}

export interface Discovery {
  /**
   * What is known; asked first if nothing is, and again if wished (at most once at a time) or in doubt. The same value
   * as long as nothing has changed. Rejects with StageError `DiscoveryFailed` when a root doesn't answer and it must
   * ask; a part that fails is stale.
   */
  kinds(options?: { readonly refresh: boolean }): Promise<Kinds>;
  /** A kind that is known as served turned out not to be: what is known may be out of date. */
  doubt(): void;
}

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { limits, clock } = options;
  let known: Kinds | undefined;
  let roots: readonly Root[] = [];
  let asking: Promise<Kinds> | undefined;
  let askedAtMs = -Infinity;
  let isDoubted = false;

  async function ask(): Promise<Kinds> {
    askedAtMs = clock.monotonicMs();
    isDoubted = false;
    const asked = await Promise.all(['/api', '/apis'].map((path, index) => askRoot(options, path, roots[index])));
    if (known && asked.every((root, index) => root === roots[index])) return known;
    roots = asked;
    return (known = merge(asked));
  }

  return {
    kinds({ refresh } = { refresh: false }) {
      const isDue = isDoubted && clock.monotonicMs() - askedAtMs >= limits.discoveryDoubtMs;
      if (known && !refresh && !isDue) return Promise.resolve(known);
      asking ??= ask().finally(() => (asking = undefined));
      // Nobody asked for more than what is known: that the server is away right now is no reason to fail.
      return known && !refresh ? asking.catch(() => known as Kinds) : asking;
    },
    doubt() {
      isDoubted = true;
    },
  };
}

/** One root and what it said, with the ETag by which it says that this still holds. */
interface Root extends Found {
  readonly etag: string | undefined;
}

async function askRoot(options: DiscoveryOptions, path: string, before: Root | undefined): Promise<Root> {
  const { transport } = options;
  const accept = options.legacy ? 'application/json' : AGGREGATED;
  const answer = await tryAsk(transport, { path, accept, ifNoneMatch: before?.etag });
  if (answer.ok && answer.isSame && before) return before;
  if (!answer.ok) {
    throw new StageError({
      stage: 'observe',
      code: 'DiscoveryFailed',
      retry: 'backoff',
      message: `cannot ask ${transport.server} which kinds it serves: ${answer.message}`,
    });
  }
  const { body } = answer;
  const isAggregated = stringAt(body, 'kind') === 'APIGroupDiscoveryList';
  // Only the aggregated answer changes with all that is below it.
  const etag = isAggregated ? answer.etag : undefined;
  const root: Root = { served: new Map(), stale: new Set(), preferred: new Map(), etag };
  if (isAggregated) readAggregated(body, root);
  else await readLegacy(transport, body, root);
  return root;
}

function merge(roots: readonly Root[]): Kinds {
  return {
    served: new Map(roots.flatMap(({ served }) => [...served])),
    stale: new Set(roots.flatMap(({ stale }) => [...stale])),
    preferred: new Map(roots.flatMap(({ preferred }) => [...preferred])),
  };
}

interface Found {
  readonly served: Map<string, KindInfo>;
  readonly stale: Set<string>;
  readonly preferred: Map<string, string>;
}

interface Question {
  readonly path: string;
  readonly accept: string;
  readonly ifNoneMatch?: string | undefined;
}

type Reply =
  | { readonly ok: true; readonly isSame: boolean; readonly body: Value; readonly etag: string | undefined }
  | { readonly ok: false; readonly message: string };

async function tryAsk(transport: Pick<Transport, 'send'>, { path, accept, ifNoneMatch }: Question): Promise<Reply> {
  const answer = await transport.send({
    verb: 'get',
    method: 'GET',
    path,
    identity: agentIdentity,
    category: 'discovery',
    accept,
    gzip: true,
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  });
  const etag = typeof answer.headers['etag'] === 'string' ? answer.headers['etag'] : undefined;
  if (answer.status === 304 && ifNoneMatch !== undefined) return { ok: true, isSame: true, body: null, etag };
  if (answer.status === 200) {
    try {
      return { ok: true, isSame: false, body: parseJson(answer.text), etag };
    } catch {
      return { ok: false, message: 'the answer is no JSON' };
    }
  }
  const asked = { verb: 'get', group: '', kind: 'API' };
  const refusal = readAnswer({ ...answer, retryAfterMs: retryAfterMs(answer.headers) }, asked);
  return { ok: false, message: refusal.message };
}

/** APIGroupDiscoveryList: groups, in each its versions by preference, in each its resources. */
function readAggregated(root: Value, found: Found): void {
  for (const item of listAt(root, 'items')) {
    const group = stringAt(item, 'metadata', 'name') ?? '';
    const versions = listAt(item, 'versions');
    const preferred = stringAt(versions[0], 'version');
    if (preferred !== undefined) found.preferred.set(group, preferred);
    for (const entry of versions) {
      const version = stringAt(entry, 'version') ?? '';
      if (stringAt(entry, 'freshness') === 'Stale') found.stale.add(apiVersionOf(group, version));
      for (const resource of listAt(entry, 'resources')) {
        addKind(found, {
          group,
          version,
          kind: stringAt(resource, 'responseKind', 'kind') ?? '',
          plural: stringAt(resource, 'resource') ?? '',
          namespaced: stringAt(resource, 'scope') === 'Namespaced',
          hasStatus: listAt(resource, 'subresources').some((sub) => stringAt(sub, 'subresource') === 'status'),
          watchable: isWatchable(listAt(resource, 'verbs')),
        });
      }
    }
  }
}

/** APIVersions of the core group, or APIGroupList; then an APIResourceList for each version. */
async function readLegacy(transport: Pick<Transport, 'send'>, root: Value, found: Found): Promise<void> {
  const groups: { group: string; versions: string[]; preferred: string | undefined }[] =
    stringAt(root, 'kind') === 'APIVersions'
      ? [{ group: '', versions: strings(listAt(root, 'versions')), preferred: strings(listAt(root, 'versions'))[0] }]
      : listAt(root, 'groups').map((item) => ({
          group: stringAt(item, 'name') ?? '',
          versions: strings(listAt(item, 'versions').map((entry) => valueAt(entry, 'version') ?? null)),
          preferred: stringAt(item, 'preferredVersion', 'version'),
        }));
  await Promise.all(
    groups.flatMap(({ group, versions, preferred }) => {
      if (preferred !== undefined) found.preferred.set(group, preferred);
      return versions.map((version) => readLegacyVersion(transport, { group, version, found }));
    }),
  );
}

async function readLegacyVersion(
  transport: Pick<Transport, 'send'>,
  { group, version, found }: { group: string; version: string; found: Found },
): Promise<void> {
  const apiVersion = apiVersionOf(group, version);
  const path = group ? `/apis/${apiVersion}` : `/api/${version}`;
  const answer = await tryAsk(transport, { path, accept: 'application/json' });
  if (!answer.ok) {
    found.stale.add(apiVersion);
    return;
  }
  const resources = listAt(answer.body, 'resources');
  const names = new Set(resources.map((resource) => stringAt(resource, 'name')));
  for (const resource of resources) {
    const plural = stringAt(resource, 'name') ?? '';
    if (plural.includes('/')) continue;
    addKind(found, {
      group,
      version,
      kind: stringAt(resource, 'kind') ?? '',
      plural,
      namespaced: valueAt(resource, 'namespaced') === true,
      hasStatus: names.has(`${plural}/status`),
      watchable: isWatchable(listAt(resource, 'verbs')),
    });
  }
}

/** Where two resources answer in one kind (reviews that exist per namespace and for all), the first stands for it. */
function addKind(found: Found, info: KindInfo): void {
  if (info.kind === '' || info.plural === '') return;
  const key = kindKey(apiVersionOf(info.group, info.version), info.kind);
  if (!found.served.has(key)) found.served.set(key, info);
}

function isWatchable(verbs: readonly Value[]): boolean {
  return verbs.includes('list') && verbs.includes('watch');
}

function strings(values: readonly Value[]): string[] {
  return values.filter((value) => typeof value === 'string');
}
