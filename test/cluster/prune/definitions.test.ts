/** Prunes while an API does not answer or is removed, our own definition included. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printCrd } from '../../../src/application/crd.ts';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf, eventually } from '../../support/world.ts';
import { startFaultProxy } from '../../fault/proxy.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, definition, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld();

const API_SERVICE = '/apis/apiregistration.k8s.io/v1/apiservices/v1.dead.example.com';
const FLAGS = ['--discovery-retry', '1s', '--progress-check', '1s', '--max-backoff', '2s'];

/** Points the API to a Service that does not exist, like an aggregated API whose server has died. */
async function killApi(): Promise<void> {
  const stored = await untilObject(world, API_SERVICE, () => true);
  const labels = { ...(at(stored, 'metadata', 'labels') as object), 'kube-aggregator.kubernetes.io/automanaged': null };
  const absent = { namespace: 'default', name: 'nobody', port: 443 };
  const patch = { metadata: { labels }, spec: { service: absent, insecureSkipTLSVerify: true } };
  await edit(world, 'apiservice/v1.dead.example.com', { patch });
  await untilObject(world, API_SERVICE, (object) => {
    const conditions = (at(object, 'status', 'conditions') ?? []) as unknown[];
    return conditions.some((c) => at(c, 'type') === 'Available' && at(c, 'status') === 'False');
  });
}

test('while an aggregated API does not answer, an Application with objects of it prunes nothing, and others go on', async () => {
  await world.apply(definition({ group: 'dead.example.com', kind: 'Thing' }));
  await untilObject(world, '/apis/dead.example.com/v1', () => true);
  const thing = (name: string) => ({ apiVersion: 'dead.example.com/v1', kind: 'Thing', metadata: { name }, spec: {} });
  const first = await world.agent({ flags: FLAGS });
  const subject = await declareSubject(world, 'dead-api', {
    files: {
      'a.yaml': text(configMap('a', {}), thing('kept')),
      'b.yaml': text(configMap('b', {}), thing('gone')),
    },
  });
  await subject.application.untilReady();
  await first.stop();
  await killApi();
  await subject.repository.commit({ 'b.yaml': null });
  await using agent = await world.agent({ flags: FLAGS });
  const told = await subject.application.until('not known', (a) =>
    /^False (ObservationFailed|BuildFailed)/.test(readyReason(a)),
  );
  assert.match(readyMessage(told), /Thing|dead\.example\.com/);
  assert.equal(inventoryOf(told).length, 4);
  assert.ok(await subject.configMap('b'));
  const other = await declareSubject(world, 'beside', {
    files: { 'a.yaml': text(configMap('a', {}), configMap('b', {})) },
  });
  await other.application.untilReady();
  await other.repository.commit({ 'a.yaml': text(configMap('a', {})) });
  await other.application.refresh();
  await untilGone(world, configMapPath('beside', 'b'));
  await world.send('DELETE', API_SERVICE);
  await untilGone(world, configMapPath('dead-api', 'b'));
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap dead-api/a', 'dead.example.com/Thing dead-api/kept']);
  assert.equal(await world.read('/apis/dead.example.com/v1/namespaces/dead-api/things/gone'), undefined);
  assert.ok(await world.read('/apis/dead.example.com/v1/namespaces/dead-api/things/kept'));
  assert.equal(agent.process.exitCode, null);
});

test('objects that may be read but not watched are reported in a condition and pruned by name; the condition ends with the cause', async () => {
  const { url, caFile, adminToken } = world.plane;
  await using proxy = await startFaultProxy({ target: url, caFile, token: adminToken });
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: 403,
    reason: 'Forbidden',
    message: 'made up',
  };
  proxy.rules.push({ method: 'GET', path: /\/configmaps\?/, fault: { type: 'answer', status: 403, body } });
  const subject = await declareSubject(world, 'unwatched', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) },
  });
  {
    await using agent = await world.agent({ kubeconfig: proxy.kubeconfig, flags: FLAGS });
    const told = await subject.application.untilReady();
    const watching = conditionOf(told, 'Watching');
    assert.deepEqual([at(watching, 'status'), at(watching, 'reason')], ['False', 'WatchForbidden']);
    assert.match(String(at(watching, 'message')), /^ConfigMap.*namespace unwatched: /);
    await subject.repository.commit({ 'b.yaml': null });
    await subject.application.refresh();
    await untilGone(world, configMapPath('unwatched', 'b'));
    assert.ok(agent.log.length > 0);
  }
  await using next = await world.agent({ flags: FLAGS });
  await subject.application.until('watched', (a) => conditionOf(a, 'Watching') === undefined);
  assert.ok(next.apiUrl);
});

test('when our own definition is deleted, the objects of its Applications are kept, and adopted again afterwards', async () => {
  await using agent = await world.agent({ flags: FLAGS });
  const subject = await declareSubject(world, 'own-crd', {
    files: { 'a.yaml': text(configMap('a', { k: '1' }), configMap('b', { k: '1' })) },
  });
  await subject.application.untilReady();
  const uid = at(await subject.configMap('a'), 'metadata', 'uid');
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.tautline.dev';
  await world.send('DELETE', path);
  await untilGone(world, path);
  for (const name of ['a', 'b']) assert.ok(await subject.configMap(name));
  assert.equal(agent.process.exitCode, null);
  const { code, stderr } = await world.plane.kubectl(['apply', '--server-side', '-f', '-'], { input: printCrd() });
  assert.equal(code, 0, stderr);
  const spec = { source: { repoURL: subject.repository.url }, destination: { namespace: 'own-crd' } };
  const again = await eventually(async () => world.declare('own-crd', spec).catch(() => undefined));
  assert.ok(again);
  const ready = await again.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap own-crd/a', 'ConfigMap own-crd/b']);
  assert.equal(at(await subject.configMap('a'), 'metadata', 'uid'), uid);
});

test('an Application is not stuck when a definition is deleted by hand together with its objects', async () => {
  await world.apply(definition({ group: 'short.example.com', kind: 'Thing' }));
  await untilObject(world, '/apis/short.example.com/v1', () => true);
  await using agent = await world.agent({ flags: FLAGS });
  const thing = { apiVersion: 'short.example.com/v1', kind: 'Thing', metadata: { name: 'x' }, spec: {} };
  const subject = await declareSubject(world, 'short', {
    files: { 'a.yaml': text(configMap('a', {})), 'x.yaml': text(thing) },
  });
  await subject.application.untilReady();
  await world.send('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.short.example.com');
  await subject.repository.commit({ 'x.yaml': null });
  await subject.application.refresh();
  await subject.application.until('without', (a) => inventoryOf(a).length === 1 && /^True/.test(readyReason(a)));
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.equal(agent.process.exitCode, null);
});
