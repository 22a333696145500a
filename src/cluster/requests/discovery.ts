/**
 * Discovery of the kinds that the cluster serves: aggregated discovery, two requests in all (core and groups), or one
 * request for each group version where the server has no aggregated discovery. A repeated discovery is answered by ETag
 * when nothing has changed.
 *
 * Invariant: a group version whose API does not answer is marked stale, never left out as if it had been removed.
 */
import { parseJson } from '../../object/json.ts';
import { apiVersionOf } from '../../object/identity.ts';
import { listAt, stringAt, valueAt, type Value } from '../../object/value.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { agentIdentity } from '../identity.ts';
import { kindKey, type KindInfo, type Kinds } from '../kinds.ts';
import type { ClusterLimits } from '../limits.ts';
import type { Transport } from '../transport/transport.ts';
import { refusalOf } from './refusal.ts';

const ACCEPT_AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

export interface DiscoveryOptions {
  readonly transport: Pick<Transport, 'send' | 'server'>;
  readonly limits: Pick<ClusterLimits, 'discoveryDoubtMs'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** For tests: ask as a server before Kubernetes 1.26 is asked. Default false. */
  readonly isLegacy?: boolean;
}

export interface Discovery {
  /**
   * The known kinds. They are discovered first if none are known, and again with `refresh` or after `doubt`; concurrent
   * calls share one discovery. As long as nothing has changed, the same value is returned. Rejects with StageError
   * `DiscoveryFailed` if a root does not answer while nothing is known or `refresh` is set. A part that fails is stale.
   */
  kinds(options?: { readonly refresh: boolean }): Promise<Kinds>;
  /** A kind that is known as served turned out not to be served: the known kinds may be out of date. */
  doubt(): void;
}

export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { limits, clock } = options;
  let known: Kinds | undefined;
  let roots: readonly DiscoveryRoot[] = [];
  let underWay: Promise<Kinds> | undefined;
  let startedAtMs = -Infinity;
  let isDoubted = false;

  async function discover(): Promise<Kinds> {
    startedAtMs = clock.monotonicMs();
    isDoubted = false;
    const current = await Promise.all(['/api', '/apis'].map((path, index) => readRoot(options, path, roots[index])));
    if (known && current.every((root, index) => root === roots[index])) return known;
    roots = current;
    return (known = merge(current));
  }

  return {
    kinds({ refresh } = { refresh: false }) {
      const isDue = isDoubted && clock.monotonicMs() - startedAtMs >= limits.discoveryDoubtMs;
      if (known && !refresh && !isDue) return Promise.resolve(known);
      underWay ??= discover().finally(() => (underWay = undefined));
      // Without `refresh` the known kinds are good enough while the server does not answer.
      return known && !refresh ? underWay.catch(() => known as Kinds) : underWay;
    },
    doubt() {
      isDoubted = true;
    },
  };
}

interface DiscoveredKinds {
  readonly served: Map<string, KindInfo>;
  readonly stale: Set<string>;
  readonly preferred: Map<string, string>;
}

/** The kinds below `/api` or `/apis`, and the ETag with which the server confirms that they still hold. */
interface DiscoveryRoot extends DiscoveredKinds {
  readonly etag: string | undefined;
}

async function readRoot(
  options: DiscoveryOptions,
  path: string,
  before: DiscoveryRoot | undefined,
): Promise<DiscoveryRoot> {
  const { transport } = options;
  const accept = options.isLegacy ? 'application/json' : ACCEPT_AGGREGATED;
  const answer = await readDocument(transport, { path, accept, ifNoneMatch: before?.etag });
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
  // The ETag of a legacy answer says nothing about the group versions below it.
  const etag = isAggregated ? answer.etag : undefined;
  const root: DiscoveryRoot = { served: new Map(), stale: new Set(), preferred: new Map(), etag };
  if (isAggregated) addAggregated(root, body);
  else await addLegacy(root, body, transport);
  return root;
}

function merge(roots: readonly DiscoveryRoot[]): Kinds {
  return {
    served: new Map(roots.flatMap(({ served }) => [...served])),
    stale: new Set(roots.flatMap(({ stale }) => [...stale])),
    preferred: new Map(roots.flatMap(({ preferred }) => [...preferred])),
  };
}

interface DocumentRequest {
  readonly path: string;
  readonly accept: string;
  readonly ifNoneMatch?: string | undefined;
}

type DocumentAnswer =
  | { readonly ok: true; readonly isSame: boolean; readonly body: Value; readonly etag: string | undefined }
  | { readonly ok: false; readonly message: string };

async function readDocument(
  transport: Pick<Transport, 'send'>,
  { path, accept, ifNoneMatch }: DocumentRequest,
): Promise<DocumentAnswer> {
  const answer = await transport.send({
    verb: 'get',
    method: 'GET',
    path,
    identity: agentIdentity,
    category: 'discovery',
    accept,
    acceptsGzip: true,
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  });
  const etag = typeof answer.headers['etag'] === 'string' ? answer.headers['etag'] : undefined;
  if (answer.status === 304 && ifNoneMatch !== undefined) return { ok: true, isSame: true, body: null, etag };
  if (answer.status !== 200) {
    return { ok: false, message: refusalOf(answer, 'get', { group: '', kind: 'API' }).message };
  }
  try {
    return { ok: true, isSame: false, body: parseJson(answer.text), etag };
  } catch {
    return { ok: false, message: 'the answer is not JSON' };
  }
}

/** Adds the resources of an APIGroupDiscoveryList: groups, their versions by preference, their resources. */
function addAggregated(kinds: DiscoveredKinds, list: Value): void {
  for (const item of listAt(list, 'items')) {
    const group = stringAt(item, 'metadata', 'name') ?? '';
    const versions = listAt(item, 'versions');
    const preferred = stringAt(versions[0], 'version');
    if (preferred !== undefined) kinds.preferred.set(group, preferred);
    for (const entry of versions) {
      const version = stringAt(entry, 'version') ?? '';
      if (stringAt(entry, 'freshness') === 'Stale') kinds.stale.add(apiVersionOf(group, version));
      for (const resource of listAt(entry, 'resources')) {
        addKind(kinds, {
          group,
          version,
          kind: stringAt(resource, 'responseKind', 'kind') ?? '',
          plural: stringAt(resource, 'resource') ?? '',
          isNamespaced: stringAt(resource, 'scope') === 'Namespaced',
          hasStatus: listAt(resource, 'subresources').some((sub) => stringAt(sub, 'subresource') === 'status'),
          isWatchable: canListAndWatch(listAt(resource, 'verbs')),
        });
      }
    }
  }
}

interface LegacyGroup {
  readonly group: string;
  readonly versions: readonly string[];
  readonly preferred: string | undefined;
}

/** Adds the kinds of APIVersions (core group) or an APIGroupList, with one request for each group version. */
async function addLegacy(kinds: DiscoveredKinds, root: Value, transport: Pick<Transport, 'send'>): Promise<void> {
  await Promise.all(
    legacyGroups(root).flatMap(({ group, versions, preferred }) => {
      if (preferred !== undefined) kinds.preferred.set(group, preferred);
      return versions.map((version) => addLegacyVersion(kinds, { group, version, transport }));
    }),
  );
}

function legacyGroups(root: Value): LegacyGroup[] {
  if (stringAt(root, 'kind') === 'APIVersions') {
    const versions = stringsIn(listAt(root, 'versions'));
    return [{ group: '', versions, preferred: versions[0] }];
  }
  return listAt(root, 'groups').map((item) => ({
    group: stringAt(item, 'name') ?? '',
    versions: stringsIn(listAt(item, 'versions').map((entry) => valueAt(entry, 'version') ?? null)),
    preferred: stringAt(item, 'preferredVersion', 'version'),
  }));
}

interface LegacyVersion {
  readonly group: string;
  readonly version: string;
  readonly transport: Pick<Transport, 'send'>;
}

async function addLegacyVersion(kinds: DiscoveredKinds, { group, version, transport }: LegacyVersion): Promise<void> {
  const apiVersion = apiVersionOf(group, version);
  const path = group ? `/apis/${apiVersion}` : `/api/${version}`;
  const answer = await readDocument(transport, { path, accept: 'application/json' });
  if (!answer.ok) {
    kinds.stale.add(apiVersion);
    return;
  }
  const resources = listAt(answer.body, 'resources');
  const names = new Set(resources.map((resource) => stringAt(resource, 'name')));
  for (const resource of resources) {
    const plural = stringAt(resource, 'name') ?? '';
    if (plural.includes('/')) continue;
    addKind(kinds, {
      group,
      version,
      kind: stringAt(resource, 'kind') ?? '',
      plural,
      isNamespaced: valueAt(resource, 'namespaced') === true,
      hasStatus: names.has(`${plural}/status`),
      isWatchable: canListAndWatch(listAt(resource, 'verbs')),
    });
  }
}

/** Two resources may have one kind, as reviews that exist per namespace and cluster-wide do: the first one is kept. */
function addKind(kinds: DiscoveredKinds, info: KindInfo): void {
  if (info.kind === '' || info.plural === '') return;
  const key = kindKey(apiVersionOf(info.group, info.version), info.kind);
  if (!kinds.served.has(key)) kinds.served.set(key, info);
}

function canListAndWatch(verbs: readonly Value[]): boolean {
  return verbs.includes('list') && verbs.includes('watch');
}

function stringsIn(values: readonly Value[]): string[] {
  return values.filter((value) => typeof value === 'string');
}
