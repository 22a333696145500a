/**
 * What the tests of the whole agent share: manifests, a source, and what the agent has sent so far.
 *
 * Invariant: each test has an Application, a repository and a namespace of its own, so that the tests of one file can
 * share a world and one agent.
 */
import assert from 'node:assert/strict';
import type { Json, World, ApplicationHandle } from '../../support/world.ts';
import { eventually } from '../../support/world.ts';
import type { RunningAgent } from '../../support/agent.ts';
import type { TestRepository } from '../../support/git-repository.ts';

export type Manifest = Record<string, unknown>;

export function configMap(
  name: string,
  data: Record<string, string>,
  metadata: Record<string, unknown> = {},
): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function namespaceManifest(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/** A file of a repository: JSON is YAML. */
export function text(...manifests: Manifest[]): string {
  return manifests.map((manifest) => JSON.stringify(manifest, null, 2)).join('\n---\n');
}

/** The value at a path of an object as tests read it. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (found && typeof found === 'object' ? (found as Record<string | number, unknown>)[key] : undefined),
    value,
  );
}

export interface Subject {
  readonly name: string;
  /** Where its objects go; made before the Application is. */
  readonly namespace: string;
  readonly repository: TestRepository;
  readonly application: ApplicationHandle;
  /** undefined: 404. */
  configMap(name: string): Promise<Json | undefined>;
}

export interface SubjectOptions {
  readonly files: Readonly<Record<string, string>>;
  /** Merged over the defaults. */
  readonly spec?: Record<string, unknown>;
}

/** Declares an Application over a new repository; both, and its namespace, have the given name. */
export async function declareSubject(
  world: World,
  name: string,
  { files, spec = {} }: SubjectOptions,
): Promise<Subject> {
  const repository = await world.repository(name);
  await repository.commit(files);
  await makeNamespace(world, name);
  const application = await world.declare(name, {
    source: { repoURL: repository.url },
    destination: { namespace: name },
    ...spec,
  });
  return {
    name,
    namespace: name,
    repository,
    application,
    configMap: (object) => world.read(configMapPath(name, object)),
  };
}

export function configMapPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}

export async function makeNamespace(world: World, name: string): Promise<void> {
  const { code } = await world.plane.request('POST', '/api/v1/namespaces', namespaceManifest(name));
  assert.ok(code === 201 || code === 409);
}

export async function untilGone(world: World, path: string): Promise<void> {
  const gone = await eventually(async () => ((await world.read(path)) === undefined ? true : undefined));
  assert.ok(gone, `${path} is still there`);
}

/** Waits until an object is so; answers it. */
export async function untilObject(world: World, path: string, holds: (object: Json) => boolean): Promise<Json> {
  let last: Json | undefined;
  const found = await eventually(async () => {
    last = await world.read(path);
    return last && holds(last) ? last : undefined;
  });
  return found ?? assert.fail(`${path} did not become so: ${JSON.stringify(last)}`);
}

export function resourceVersion(object: unknown): string {
  return String(at(object, 'metadata', 'resourceVersion'));
}

export function readyReason(application: Json): string {
  return `${readyField(application, 'status')} ${readyField(application, 'reason')}`;
}

export function readyMessage(application: Json): string {
  return readyField(application, 'message');
}

function readyField(application: Json, field: string): string {
  const conditions = at(application, 'status', 'conditions');
  const ready = Array.isArray(conditions)
    ? conditions.find((condition) => at(condition, 'type') === 'Ready')
    : undefined;
  return String(at(ready, field));
}

/** The ids of status.inventory as `Kind namespace/name`, sorted. */
export function inventoryOf(application: Json | undefined): string[] {
  const objects = (at(application, 'status', 'inventory', 'objects') ?? {}) as Record<string, Record<string, string>>;
  return Object.entries(objects)
    .flatMap(([kind, byNamespace]) =>
      Object.entries(byNamespace).flatMap(([namespace, names]) =>
        names.split(' ').map((name) => `${kind} ${namespace}/${name}`),
      ),
    )
    .sort();
}

/** Requests to the API server so far by verb, from the agent's own metrics. */
export async function requestsByVerb(agent: Pick<RunningAgent, 'probesUrl'>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { labels, value } of await readSeries(agent, 'tautline_kubernetes_requests_total')) {
    const verb = /verb="([^"]*)"/.exec(labels)?.[1] ?? '';
    counts[verb] = (counts[verb] ?? 0) + value;
  }
  return counts;
}

/** Passes that ended so far over one Application. */
export async function passesOf(agent: Pick<RunningAgent, 'probesUrl'>, name: string): Promise<number> {
  const series = await readSeries(agent, 'tautline_reconcile_duration_seconds_count');
  return series.filter(({ labels }) => labels.includes(`name="${name}"`)).reduce((sum, { value }) => sum + value, 0);
}

/** Waits until at least so many passes have ended. */
export async function untilPasses(agent: Pick<RunningAgent, 'probesUrl'>, name: string, least: number): Promise<void> {
  const found = await eventually(async () => ((await passesOf(agent, name)) >= least ? true : undefined));
  assert.ok(found, `no ${least} passes over ${name}`);
}

async function readSeries(
  { probesUrl }: Pick<RunningAgent, 'probesUrl'>,
  name: string,
): Promise<{ labels: string; value: number }[]> {
  const exposition = await (await fetch(`${probesUrl}/metrics`)).text();
  return exposition.split('\n').flatMap((line) => {
    const match = /^(\w+)\{(.*)\} ([\d.e+]+)$/.exec(line);
    return match?.[1] === name ? [{ labels: match[2] ?? '', value: Number(match[3]) }] : [];
  });
}

/** What the status API says of one Application. */
export async function detailOf(
  agent: Pick<RunningAgent, 'apiUrl'>,
  name: string,
  namespace = 'apps',
): Promise<unknown> {
  return (await fetch(`${agent.apiUrl}/api/v1/applications/${namespace}/${name}`)).json();
}
