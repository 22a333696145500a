/**
 * Shared by the tests of the whole agent: declares an Application over a repository, waits for states of objects, and
 * reads statuses, Events and the agent's metrics.
 *
 * Invariant: each test has an Application, a repository and a namespace of its own, so that the tests of one file can
 * share a world and one agent.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from './agent.ts';
import type { TestRepository } from './git-repository.ts';
import { namespaceManifest, type Manifest } from './objects.ts';
import { conditionOf, eventually, type ApplicationHandle, type Json, type World } from './world.ts';

/** The marks of the agent on the objects that it manages. */
export const PART_OF = 'applyset.kubernetes.io/part-of';
export const OWNER = 'tautline.dev/owner';

/** Flags of an agent that tries again quickly, so that a test sees it recover by itself. */
export const QUICK_FLAGS: readonly string[] = [
  ['--min-backoff', '100ms'],
  ['--max-backoff', '1s'],
  ['--min-poll-backoff', '200ms'],
  ['--max-poll-backoff', '1s'],
  ['--discovery-retry', '200ms'],
  ['--progress-check', '500ms'],
].flat();

/** Flags of an agent that looks often at objects that become Healthy: Pods are in no watch. */
export const PROGRESS_FLAGS: readonly string[] = ['--progress-check', '500ms'];

/** The value at a path within an object; undefined if there is none. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (found && typeof found === 'object' ? (found as Record<string | number, unknown>)[key] : undefined),
    value,
  );
}

export interface Subject {
  readonly name: string;
  /** The destination of its objects; created before the Application. */
  readonly namespace: string;
  readonly repository: TestRepository;
  readonly application: ApplicationHandle;
  /** undefined if it does not exist. */
  configMap(name: string): Promise<Json | undefined>;
}

export interface SubjectOptions {
  readonly files: Readonly<Record<string, string>>;
  /** Fields of the spec; they replace the defaults. */
  readonly spec?: Record<string, unknown>;
}

/** Declares an Application over a new repository. Application, repository and destination have the given name. */
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

export function deploymentPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

export function jobPath(namespace: string, name: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
}

/** The path of an Application in the namespace `apps`, or of all of them if no name is given. */
export function applicationPath(name?: string): string {
  const collection = '/apis/tautline.dev/v1alpha1/namespaces/apps/applications';
  return name === undefined ? collection : `${collection}/${name}`;
}

export async function makeNamespace(world: World, name: string): Promise<void> {
  const { code } = await world.plane.request('POST', '/api/v1/namespaces', namespaceManifest(name));
  assert.ok(code === 201 || code === 409);
}

export async function untilGone(world: World, path: string): Promise<void> {
  let last: Json | undefined;
  const isGone = await eventually(async () => {
    last = await world.read(path);
    return last === undefined ? true : undefined;
  });
  assert.ok(isGone, `${path} is still there: ${JSON.stringify(last?.['status'])}`);
}

/** Waits until an object exists for which `holds` is true, and resolves to it. */
export async function untilObject(world: World, path: string, holds: (object: Json) => boolean): Promise<Json> {
  let last: Json | undefined;
  const found = await eventually(async () => {
    last = await world.read(path);
    return last && holds(last) ? last : undefined;
  });
  return found ?? assert.fail(`${path} did not become so: ${JSON.stringify(last)}`);
}

/** Waits until an object exists, and replaces its status as a controller would. */
export async function putStatus(world: World, path: string, status: Manifest): Promise<void> {
  const live = await untilObject(world, path, () => true);
  await world.send('PUT', `${path}/status`, { ...live, status });
}

/** Ends a Job as its controller would, in a control plane without controllers. */
export function endJob(world: World, path: string, end: 'Complete' | 'Failed' = 'Complete'): Promise<void> {
  const isComplete = end === 'Complete';
  const condition = { status: 'True', ...(isComplete ? {} : { reason: 'BackoffLimitExceeded' }) };
  return putStatus(world, path, {
    startTime: '2026-01-01T00:00:00Z',
    ...(isComplete ? { completionTime: '2026-01-01T00:01:00Z', succeeded: 1 } : { failed: 1 }),
    uncountedTerminatedPods: {},
    conditions: [isComplete ? 'SuccessCriteriaMet' : 'FailureTarget', end].map((type) => ({ type, ...condition })),
  });
}

export function resourceVersion(object: unknown): string {
  return String(at(object, 'metadata', 'resourceVersion'));
}

/** uid and resourceVersion: while both stay the same, the object was neither written nor replaced. */
export function fingerprint(object: unknown): string {
  return `${String(at(object, 'metadata', 'uid'))} ${resourceVersion(object)}`;
}

/** Status and reason of the condition Ready, for example `False PruneHeld`. */
export function readyReason(application: Json): string {
  const ready = conditionOf(application, 'Ready');
  return `${String(ready?.['status'])} ${String(ready?.['reason'])}`;
}

export function readyMessage(application: Json): string {
  return String(conditionOf(application, 'Ready')?.['message']);
}

export function syncOf(application: Json | undefined): unknown {
  return at(application, 'status', 'sync', 'status');
}

/** How the last request ended: `Succeeded`, `Failed`, `Refused`, or `InProgress`. */
export function outcomeOf(application: Json): unknown {
  return at(application, 'status', 'lastRequest', 'outcome');
}

/** The message of the answer to the last request. */
export function answerOf(application: Json): string {
  return String(at(application, 'status', 'lastRequest', 'message'));
}

/** The reason of the condition SourceReady, for example `RepositoryNotFound`. */
export async function sourceReason({ application }: Pick<Subject, 'application'>): Promise<string> {
  return String(conditionOf(await application.read(), 'SourceReady')?.['reason']);
}

export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly isStalled: boolean;
}

/** Waits until the Application is not Ready for this reason, and resolves to the content of its conditions. */
export async function untilFailed({ application }: Pick<Subject, 'application'>, reason: string): Promise<Failure> {
  const failed = await application.until(
    `Ready=False for ${reason}`,
    (candidate) => readyReason(candidate) === `False ${reason}`,
  );
  const message = readyMessage(failed);
  assert.doesNotMatch(message, /\n\s+at |node:internal|\/src\//, 'a message holds no stack');
  return { reason, message, isStalled: at(conditionOf(failed, 'Stalled'), 'status') === 'True' };
}

/** Waits until status.health has this status and a message that matches. Default: no message. */
export function untilHealth(
  application: Pick<ApplicationHandle, 'until'>,
  health: string,
  message: RegExp = /^$/,
): Promise<Json> {
  return application.until(`health ${health} ${message}`, (found) => {
    const summary = at(found, 'status', 'health');
    return at(summary, 'status') === health && message.test(String(at(summary, 'message') ?? ''));
  });
}

/** The ids in status.inventory as `Kind namespace/name`, sorted. */
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

/** When the last read of an agent's metrics ended, by address; of `performance.now`. */
const readAtMs = new Map<string, number>();

/**
 * The agent's metrics in the text format of Prometheus, as they are now: scrapes within a second share an answer, so
 * this waits until the answer to the last read is too old to be given again.
 */
export async function metricsOf({ metricsUrl }: Pick<RunningAgent, 'metricsUrl'>): Promise<string> {
  const last = readAtMs.get(metricsUrl);
  if (last !== undefined) await sleep(Math.max(0, last + SHARED_FOR_MS - performance.now()));
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  readAtMs.set(metricsUrl, performance.now());
  return text;
}

/** How long scrapes share an answer, in milliseconds, and a little more. */
const SHARED_FOR_MS = 1_050;

/** The Events about an Application of the namespace `apps`. */
export async function eventsOf(world: World, { name }: Pick<Subject, 'name'>): Promise<Json[]> {
  const list = await world.read('/apis/events.k8s.io/v1/namespaces/apps/events');
  const items = (at(list, 'items') ?? []) as Json[];
  return items.filter((event) => at(event, 'regarding', 'name') === name);
}

/** The number of requests that the agent has sent to the API server, by verb, from its metrics. */
export async function requestsByVerb(agent: Pick<RunningAgent, 'metricsUrl'>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { labels, value } of await readSeries(agent, 'tautline_kubernetes_requests_total')) {
    const verb = /verb="([^"]*)"/.exec(labels)?.[1] ?? '';
    counts[verb] = (counts[verb] ?? 0) + value;
  }
  return counts;
}

/** The number of passes over an Application that have ended. */
export async function passesOf(agent: Pick<RunningAgent, 'metricsUrl'>, name: string): Promise<number> {
  const series = await readSeries(agent, 'tautline_reconcile_duration_seconds_count');
  return series.filter(({ labels }) => labels.includes(`name="${name}"`)).reduce((sum, { value }) => sum + value, 0);
}

/** Waits until at least so many passes over an Application have ended. */
export async function untilPasses(agent: Pick<RunningAgent, 'metricsUrl'>, name: string, least: number): Promise<void> {
  const found = await eventually(async () => ((await passesOf(agent, name)) >= least ? true : undefined));
  assert.ok(found, `no ${least} passes over ${name}`);
}

async function readSeries(
  { metricsUrl }: Pick<RunningAgent, 'metricsUrl'>,
  name: string,
): Promise<{ labels: string; value: number }[]> {
  const exposition = await metricsOf({ metricsUrl });
  return exposition.split('\n').flatMap((line) => {
    const match = /^(\w+)\{(.*)\} ([\d.e+]+)$/.exec(line);
    return match?.[1] === name ? [{ labels: match[2] ?? '', value: Number(match[3]) }] : [];
  });
}

/** The answer of the status API about one Application. */
export async function detailOf(
  agent: Pick<RunningAgent, 'readApi'>,
  name: string,
  namespace = 'apps',
): Promise<unknown> {
  return (await agent.readApi(`/applications/${namespace}/${name}`)).json();
}
