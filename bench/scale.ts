/**
 * `npm run bench -- scale`: runs 200 Applications with 10,000 objects of five kinds from ten repositories in one built
 * agent. It measures the time until all are Synced, the time of a restart, and memory and requests at rest.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../test/support/agent.ts';
import { conditionOf, startWorld, type Json, type World } from '../test/support/world.ts';
import { pssMiB } from './process-figures.ts';
import type { BenchOptions } from './bench-options.ts';

const APPLICATIONS = 200;
const REPOSITORIES = 10;
const NAMESPACES = 20;
/** Number of objects of each Application by kind. */
const OBJECTS = { ConfigMap: 25, Secret: 10, Service: 5, ServiceAccount: 5, Role: 5 } as const;
const COLLECTIONS = [
  '/api/v1/configmaps',
  '/api/v1/secrets',
  '/api/v1/services',
  '/api/v1/serviceaccounts',
  '/apis/rbac.authorization.k8s.io/v1/roles',
];
const IDLE_MS = 60_000;
const REST_MS = 35_000;
const PATIENCE_MS = 600_000;

export interface ScaleFigures {
  readonly applications: number;
  readonly objects: number;
  /** From the first declaration until every Application is Ready and Synced. */
  readonly allSyncedMs: number;
  /** The same 10,000 objects applied by `kubectl apply --server-side`, for comparison. */
  readonly kubectlApplyMs: number;
  /** From the start of a second process on the same cluster until each Application has had a pass and is Synced. */
  readonly restartMs: number;
  /** Number of objects whose resourceVersion was changed by the restart. */
  readonly restartResourceVersionsChanged: number;
  /** Memory of the agent and its children at rest after the restart. */
  readonly pssMiB: number;
  /** All requests to the API server, including watches that are reopened. */
  readonly idleRequestsPerMinute: number;
}

export async function run({ say }: BenchOptions): Promise<ScaleFigures> {
  execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/build.ts', import.meta.url))]);
  await using world = await startWorld();
  const urls = await makeRepositories(world);
  for (let index = 0; index < NAMESPACES; index++) await createNamespace(world, namespaceOf(index));
  await createNamespace(world, 'kubectl');
  say('kubectl apply --server-side');
  const kubectlApplyMs = await applyByKubectl(world);
  const first = await startBuilt(world);
  say('first sync of all');
  const startedMs = performance.now();
  for (let index = 0; index < APPLICATIONS; index++) await declare(world, index, urls);
  await untilAllSynced(world);
  const allSyncedMs = performance.now() - startedMs;
  await first.stop();
  say('restart');
  const before = await resourceVersions(world);
  const restartedMs = performance.now();
  await using second = await startBuilt(world);
  await untilAllSeen(second);
  const restartMs = performance.now() - restartedMs;
  await untilAllSynced(world);
  await sleep(REST_MS);
  const after = await resourceVersions(world);
  say('idle');
  const requests = await countRequests(second);
  await sleep(IDLE_MS);
  const idleRequests = (await countRequests(second)) - requests;
  return {
    applications: APPLICATIONS,
    objects: [...before.keys()].length,
    allSyncedMs: Math.round(allSyncedMs),
    kubectlApplyMs: Math.round(kubectlApplyMs),
    restartMs: Math.round(restartMs),
    restartResourceVersionsChanged: [...before].filter(([key, version]) => after.get(key) !== version).length,
    pssMiB: pssMiB(second.process.pid ?? 0),
    idleRequestsPerMinute: Math.round((idleRequests * 60_000) / IDLE_MS),
  };
}

function startBuilt(world: World): Promise<RunningAgent> {
  return world.agent({ entry: fileURLToPath(new URL('../dist/cli.js', import.meta.url)) });
}

async function makeRepositories(world: World): Promise<string[]> {
  const urls: string[] = [];
  for (let repository = 0; repository < REPOSITORIES; repository++) {
    const files: Record<string, string> = {};
    for (let index = repository; index < APPLICATIONS; index += REPOSITORIES) {
      files[`${nameOf(index)}/all.yaml`] = manifestsOf(nameOf(index));
    }
    const made = await world.repository(`scale-${repository}`);
    await made.commit(files);
    urls.push(made.url);
  }
  return urls;
}

function manifestsOf(application: string): string {
  return Object.entries(OBJECTS)
    .flatMap(([kind, count]) =>
      Array.from({ length: count }, (_item, index) => JSON.stringify(manifestOf(kind, `${application}-${index}`))),
    )
    .join('\n---\n');
}

function manifestOf(kind: string, name: string): object {
  const labels = { app: name, 'app.kubernetes.io/part-of': 'scale' };
  const data = Object.fromEntries(Array.from({ length: 8 }, (_item, key) => [`key-${key}`, `value ${key} of ${name}`]));
  const base = { apiVersion: 'v1', kind, metadata: { name, labels } };
  switch (kind) {
    case 'ConfigMap':
      return { ...base, data };
    case 'Secret':
      return { ...base, stringData: data };
    case 'Service':
      return { ...base, spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } };
    case 'Role': {
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }];
      return { ...base, apiVersion: 'rbac.authorization.k8s.io/v1', rules };
    }
    default:
      return base;
  }
}

async function declare(world: World, index: number, urls: readonly string[]): Promise<void> {
  const repoURL = urls[index % REPOSITORIES];
  await world.send('POST', `/apis/tautline.dev/v1alpha1/namespaces/${namespaceOf(index)}/applications`, {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: nameOf(index), namespace: namespaceOf(index) },
    spec: { source: { repoURL, path: nameOf(index) } },
  });
}

async function applyByKubectl(world: World): Promise<number> {
  const input = Array.from({ length: APPLICATIONS }, (_item, index) => manifestsOf(nameOf(index))).join('\n---\n');
  const startedMs = performance.now();
  const { code, stderr } = await world.plane.kubectl(['apply', '--server-side', '-n', 'kubectl', '-f', '-'], { input });
  assert.equal(code, 0, stderr);
  return performance.now() - startedMs;
}

async function untilAllSynced(world: World): Promise<void> {
  let behind: Json[] = [];
  await until(
    async () => {
      const list = await world.read('/apis/tautline.dev/v1alpha1/applications');
      const items = (list?.['items'] ?? []) as unknown as Json[];
      behind = items.filter((item) => !isSynced(item));
      return items.length === APPLICATIONS && behind.length === 0;
    },
    () => `${behind.length} Applications are not Synced: ${JSON.stringify(behind[0]?.['status']?.['conditions'])}`,
  );
}

function isSynced(application: Json): boolean {
  const isReady = conditionOf(application, 'Ready')?.['status'] === ('True' as unknown);
  return isReady && application['status']?.['sync']?.['status'] === ('Synced' as unknown);
}

/** Waits until each Application has had a pass in this process and is Synced. */
async function untilAllSeen(agent: RunningAgent): Promise<void> {
  const unseen = new Set(
    Array.from({ length: APPLICATIONS }, (_item, index) => `${namespaceOf(index)}/${nameOf(index)}`),
  );
  await until(
    async () => {
      for (const key of unseen) {
        const answer = await agent.readApi(`/applications/${key}`);
        const detail = (await answer.json()) as { isObserved?: boolean; sync?: { status?: string } };
        if (!detail.isObserved || detail.sync?.status !== 'Synced') break;
        unseen.delete(key);
      }
      return unseen.size === 0;
    },
    () => `${unseen.size} Applications have not had a pass`,
  );
}

async function until(holds: () => Promise<boolean>, complaint: () => string): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - startedMs < PATIENCE_MS, complaint());
    await sleep(100);
  }
}

async function resourceVersions(world: World): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  const selector = `labelSelector=${encodeURIComponent('applyset.kubernetes.io/part-of')}`;
  for (const collection of COLLECTIONS) {
    const list = await world.read(`${collection}?${selector}`);
    for (const item of (list?.['items'] ?? []) as unknown as Json[]) {
      const { namespace, name, resourceVersion } = item['metadata'] as unknown as Record<string, string>;
      versions.set(`${collection} ${namespace}/${name}`, resourceVersion ?? '');
    }
  }
  return versions;
}

async function countRequests(agent: RunningAgent): Promise<number> {
  const text = await (await fetch(`${agent.metricsUrl}/metrics`)).text();
  const lines = [...text.matchAll(/^tautline_kubernetes_requests_total\{.*\} (\d+)$/gm)];
  return lines.reduce((total, [, count]) => total + Number(count), 0);
}

async function createNamespace(world: World, name: string): Promise<void> {
  await world.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

function nameOf(index: number): string {
  return `app-${String(index).padStart(3, '0')}`;
}

function namespaceOf(index: number): string {
  return `team-${String(index % NAMESPACES).padStart(2, '0')}`;
}
