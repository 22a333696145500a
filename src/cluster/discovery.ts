/**
 * What kinds the cluster serves: aggregated discovery, two requests in all (core and groups), or one a group version
 * where the server has no aggregated discovery.
 *
 * Invariant: a group whose API doesn't answer is marked stale, never left out as if it were gone.
 */
import { parseJson } from '../object/json.ts';
import { apiVersionOf } from '../object/identity.ts';
import { listAt, stringAt, valueAt, type Value } from '../object/value.ts';
import { StageError } from '../object/stage-error.ts';
import { readAnswer } from './answers.ts';
import { agentIdentity } from './identity.ts';
import { kindKey, type KindInfo, type Kinds } from './kinds.ts';
import { retryAfterMs, type Transport } from './transport.ts';

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

export interface DiscoveryOptions {
  /** Ask in the way of servers before 1.26; for tests. */
  readonly legacy?: boolean;
}

/** Throws StageError `DiscoveryFailed` when neither root answers; a part that fails is stale. */
export async function discoverKinds(transport: Transport, options: DiscoveryOptions = {}): Promise<Kinds> {
  const accept = options.legacy ? 'application/json' : AGGREGATED;
  const [core, groups] = await Promise.all([ask(transport, '/api', accept), ask(transport, '/apis', accept)]);
  const found: Found = { served: new Map(), stale: new Set(), preferred: new Map() };
  for (const root of [core, groups]) {
    if (stringAt(root, 'kind') === 'APIGroupDiscoveryList') readAggregated(root, found);
    else await readLegacy(transport, root, found);
  }
  return found;
}

interface Found {
  readonly served: Map<string, KindInfo>;
  readonly stale: Set<string>;
  readonly preferred: Map<string, string>;
}

async function ask(transport: Transport, path: string, accept: string): Promise<Value> {
  const answer = await tryAsk(transport, path, accept);
  if (answer.ok) return answer.body;
  throw new StageError({
    stage: 'observe',
    code: 'DiscoveryFailed',
    retry: 'backoff',
    message: `cannot ask ${transport.server} which kinds it serves: ${answer.message}`,
  });
}

async function tryAsk(
  transport: Transport,
  path: string,
  accept: string,
): Promise<{ ok: true; body: Value } | { ok: false; message: string }> {
  const answer = await transport.send({
    verb: 'get',
    method: 'GET',
    path,
    identity: agentIdentity,
    category: 'discovery',
    accept,
    gzip: true,
  });
  if (answer.status === 200) {
    try {
      return { ok: true, body: parseJson(answer.text) };
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
async function readLegacy(transport: Transport, root: Value, found: Found): Promise<void> {
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
  transport: Transport,
  { group, version, found }: { group: string; version: string; found: Found },
): Promise<void> {
  const apiVersion = apiVersionOf(group, version);
  const answer = await tryAsk(transport, group ? `/apis/${apiVersion}` : `/api/${version}`, 'application/json');
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
