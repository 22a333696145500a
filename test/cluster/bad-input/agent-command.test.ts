/** `tautline agent` as a process: its messages when it cannot start, its probes, and how it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControlPlane } from '../../control-plane/control-plane.ts';
import type { RunningAgent } from '../../support/agent.ts';
import { useStarted } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { useScene } from './scene.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, declareSubject, inventoryOf, metricsOf, QUICK_FLAGS, untilGone } from '../../support/scene.ts';
import { nodeEnvironment } from '../../support/node-environment.ts';
import { builtFile } from '../../support/built-program.ts';

const ENTRY = builtFile('cli.js');

const folder = useStarted('the folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-command-')));
const scene = useScene();

type Ended = Awaited<ReturnType<typeof runAgent>>;

/** Runs the agent until it ends by itself. */
async function runAgent(flags: readonly string[], environment: Record<string, string> = {}) {
  const listeners = [
    '--api-address',
    '127.0.0.1:0',
    '--probes-address',
    '127.0.0.1:0',
    '--metrics-address',
    '127.0.0.1:0',
    '--webhook-address',
    '127.0.0.1:0',
    '--data-dir',
    join(folder.path, 'd'),
  ];
  const child = spawn(process.execPath, [ENTRY, 'agent', ...listeners, ...flags], {
    env: { ...nodeEnvironment(), HOME: folder.path, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  // An agent that does start would never end by itself.
  child.stdout.on('data', () => (stdout.includes('tautline started') ? child.kill('SIGKILL') : undefined));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** The command ended with code 1 and one line on standard error that matches, without a stack. */
function expectOneLine({ code, stderr }: Ended, pattern: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^tautline agent: [^\n]+\n$/);
  assert.match(stderr, pattern);
}

async function writeKubeconfig(server: string, user: Record<string, unknown> = {}): Promise<string> {
  const file = join(folder.path, `kubeconfig-${Math.random().toString(36).slice(2)}`);
  const cluster = { server, 'certificate-authority': scene.world.plane.caFile };
  await writeFile(file, kubeconfigText({ cluster, user }), { mode: 0o600 });
  return file;
}

test('a kubeconfig that is missing, malformed, or without the named context is reported', async () => {
  const missing = join(folder.path, 'none');
  expectOneLine(await runAgent(['--kubeconfig', missing]), /cannot read kubeconfig .*none: ENOENT/);
  const broken = join(folder.path, 'broken');
  await writeFile(broken, '{{{');
  expectOneLine(await runAgent(['--kubeconfig', broken]), /broken/);
  expectOneLine(
    await runAgent(['--kubeconfig', scene.world.plane.kubeconfig, '--context', 'nobody']),
    /context .*nobody/,
  );
});

test('outside a cluster and without a kubeconfig the agent asks for one', async () => {
  expectOneLine(await runAgent([]), /outside a cluster, name a kubeconfig/);
});

test('an API server that does not answer is reported with its address', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const kubeconfig = await writeKubeconfig(`https://127.0.0.1:${port}`);
  expectOneLine(await runAgent(['--kubeconfig', kubeconfig]), new RegExp(`127\\.0\\.0\\.1:${port}`));
});

test('credentials that the API server refuses are reported, and not repeated', async () => {
  const kubeconfig = await writeKubeconfig(scene.world.plane.url, { token: 'canary-token' });
  const ended = await runAgent(['--kubeconfig', kubeconfig]);
  expectOneLine(ended, /401|credential|unauthori[sz]ed/i);
  assert.doesNotMatch(ended.stdout + ended.stderr, /canary-token/);
});

test('a cluster without our definition is reported, with the command that installs it', async () => {
  await using plane = await startControlPlane({ mode: 'api-server-only' });
  expectOneLine(
    await runAgent(['--kubeconfig', plane.kubeconfig]),
    /does not serve Application of tautline\.dev\/v1alpha1; install it with: tautline crd \| kubectl apply/,
  );
});

test('an address in use is reported, with the flag that changes it', async () => {
  const taken = new URL(scene.agent.probesUrl).host;
  const kubeconfig = ['--kubeconfig', scene.world.plane.kubeconfig];
  expectOneLine(await runAgent([...kubeconfig, '--probes-address', taken]), /EADDRINUSE.*--probes-address/);
  expectOneLine(await runAgent([...kubeconfig, '--api-address', taken]), /EADDRINUSE.*--api-address/);
});

test('a data folder that cannot be written is reported', async () => {
  const ended = await runAgent(['--kubeconfig', scene.world.plane.kubeconfig, '--data-dir', '/dev/null/data']);
  expectOneLine(ended, /\/dev\/null\/data/);
});

test('SIGTERM at rest drains and ends with code 0', async () => {
  const agent = await scene.world.agent({ flags: QUICK_FLAGS });
  assert.equal(await eventually(async () => ((await isReady(agent.probesUrl)) ? true : undefined)), true);
  assert.equal(await agent.stop(), 0);
  assert.deepEqual(
    agent.log.slice(-2).map(({ msg }) => msg),
    ['draining', 'tautline stopped'],
  );
  assert.equal(agent.stderr(), '');
});

test('an agent that may not list Applications is not ready, reports the reason, and ends on SIGTERM', async () => {
  const token = await scene.world.plane.serviceAccountToken('default', 'nobody');
  const kubeconfig = await writeKubeconfig(scene.world.plane.url, { token });
  const agent = await scene.world.agent({ kubeconfig, flags: QUICK_FLAGS });
  const answer = await fetch(`${agent.probesUrl}/readyz`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /\[\+\] crd-found\n\[-\] applications-listed\n\[\+\] not-draining\nnot ready/);
  assert.equal((await fetch(`${agent.probesUrl}/healthz`)).status, 200);
  const warnings = (): string[] =>
    agent.log.filter(({ level }) => level === 'warn').map((line) => JSON.stringify(line));
  await eventually(async () => (warnings().some((line) => /forbidden/.test(line)) ? true : undefined));
  assert.equal(await agent.stop(), 0);
});

/** Runs once a test has stopped the agent of the scene. */
let next: RunningAgent | undefined;

test('after SIGTERM in the middle of a sync the inventory holds every applied object, and the next agent goes on', async () => {
  const world = scene.world;
  // The only agent is stopped in the middle of the sync, so that no other one finishes it.
  const first = scene.agent;
  const many = Array.from({ length: 400 }, (_, index) => configMap(`many-${index}`, { a: '1' }));
  const subject = await declareSubject(world, 'midst', { files: { 'many.yaml': text(...many) } });
  await eventually(async () => ((await listConfigMaps('midst')).length > 0 ? true : undefined));
  assert.equal(await first.stop(), 0);
  const known = new Set(inventoryOf(await subject.application.read()));
  for (const item of await listConfigMaps('midst')) {
    const name = String(at(item, 'metadata', 'name'));
    assert.ok(known.has(`ConfigMap midst/${name}`), `${name} is applied and not in the inventory`);
  }
  next = await world.agent({ flags: QUICK_FLAGS });
  await subject.application.untilReady();
  assert.equal((await listConfigMaps('midst')).length, many.length);
});

async function listConfigMaps(namespace: string): Promise<unknown[]> {
  return at(await scene.world.read(`/api/v1/namespaces/${namespace}/configmaps`), 'items') as unknown[];
}

async function isReady(probesUrl: string): Promise<boolean> {
  return (await fetch(`${probesUrl}/readyz`)).status === 200;
}

test('the metrics of an Application exist while it does, and end with it', async () => {
  const subject = await declareSubject(scene.world, 'series', {
    files: { 'a.yaml': text(configMap('a', { v: '1' })) },
  });
  await subject.application.untilReady();
  const metrics = (): Promise<string> => metricsOf(next ?? scene.agent);
  const shown = await metrics();
  for (const name of [
    'app_info',
    'drift_objects',
    'last_success_timestamp_seconds',
    'reconcile_duration_seconds_count',
  ]) {
    assert.match(shown, new RegExp(`^tautline_${name}\\{namespace="apps",name="series"`, 'm'));
  }
  for (const name of [
    'git_requests_total',
    'kubernetes_requests_total',
    'apply_changes_total',
    'workqueue_adds_total',
  ]) {
    assert.match(shown, new RegExp(`^tautline_${name}[{ ]`, 'm'));
  }
  await subject.application.remove();
  await untilGone(scene.world, subject.application.path);
  const gone = await eventually(async () => ((await metrics()).includes('"series"') ? undefined : true));
  assert.ok(gone, 'series of a deleted Application');
});

test('a pass that runs longer than its bound makes /healthz fail, and nothing else', async () => {
  const world = scene.world;
  const agent = await world.agent({ flags: [...QUICK_FLAGS, '--max-pass-time', '5s'] });
  await eventually(async () => ((await isReady(agent.probesUrl)) ? true : undefined));
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  const repository = await world.repository('hanging');
  await repository.commit({ 'a.yaml': text(configMap('a', { v: '1' })) });
  world.git.onRequest = ({ path }) => (path.startsWith('/hanging.git') ? released : undefined);
  const application = await world.declare('hanging', { source: { repoURL: repository.url } });
  const sick = await eventually(async () => {
    const answer = await fetch(`${agent.probesUrl}/healthz`);
    const told = await answer.text();
    // On a slow machine the passes of other Applications may take as long.
    return answer.status === 503 && told.includes('apps/hanging') ? told : undefined;
  });
  assert.match(sick ?? '', /^a pass over apps\/hanging has run for \d+ s\nnot healthy\n$/);
  assert.equal(await isReady(agent.probesUrl), true);
  release(undefined);
  world.git.onRequest = undefined;
  await application.untilReady();
  const well = await eventually(async () => ((await fetch(`${agent.probesUrl}/healthz`)).ok ? true : undefined));
  assert.ok(well);
  assert.equal(await agent.stop(), 0);
});
