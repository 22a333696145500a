/** Manifests that cannot be read or are refused: each is reported by its own message, and the good ones are applied. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useScene } from './scene.ts';
import { conditionOf, eventually } from '../../support/world.ts';
import { configMap, definition, service, text, workload, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  detailOf,
  fingerprint,
  makeNamespace,
  requestsByVerb,
  syncOf,
  untilFailed,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const scene = useScene();

const KEPT = { 'kept.yaml': text(configMap('kept', { a: '1' })), 'left.yaml': text(configMap('left', { a: '1' })) };

test('a YAML syntax error is reported with file, line and text; other files are applied, and nothing is pruned', async () => {
  const subject = await declareSubject(scene.world, 'syntax', { files: KEPT });
  await subject.application.untilReady();
  // `left` leaves Git in the same commit that holds the error.
  await subject.repository.commit({
    'left.yaml': null,
    'more.yaml': text(configMap('more', { a: '1' })),
    'broken.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: broken\ndata: {a: 1\nmore: 2\n',
  });
  await subject.application.refresh();
  const { message, isStalled } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /^broken\.yaml:[56]: /);
  assert.match(message, /\n {2}5 \| data: \{a: 1\n/);
  assert.ok(isStalled, 'only a new commit mends it');
  assert.ok(await subject.configMap('more'), 'good files of the same folder are applied');
  assert.ok(await subject.configMap('left'), 'nothing is pruned on incomplete knowledge');
  await scene.expectBystanderGoesOn();

  const commit = await subject.repository.commit({ 'broken.yaml': null });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await untilGone(scene.world, configMapPath('syntax', 'left'));
});

test('drift is healed while the newest commit cannot be read', async () => {
  const subject = await declareSubject(scene.world, 'drift', { files: KEPT });
  await subject.application.untilReady();
  await subject.repository.commit({ 'broken.yaml': '{', 'kept.yaml': null, 'left.yaml': null });
  await subject.application.refresh();
  await untilFailed(subject, 'BuildFailed');
  await scene.world.apply(configMap('kept', { a: 'by hand' }, { namespace: 'drift' }));
  const healed = await subject.application.until('healed', () => true);
  assert.ok(healed);
  await untilData('drift', 'kept', '1');
});

test('an object of an unknown kind is reported, and applied once its definition is installed by hand', async () => {
  const gadget = { apiVersion: 'gadgets.example.com/v1', kind: 'Gadget', metadata: { name: 'one' }, spec: { size: 3 } };
  const subject = await declareSubject(scene.world, 'kinds', { files: { ...KEPT, 'gadget.yaml': text(gadget) } });
  const { message, isStalled } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /^gadget\.yaml:1: .*does not serve the kind Gadget in gadgets\.example\.com\/v1/);
  assert.match(message, /Install the CustomResourceDefinition or API server that defines the kind/);
  assert.equal(isStalled, false, 'it may heal by itself');
  assert.ok(await subject.configMap('kept'), 'the good objects of the same Application are applied');
  await scene.expectBystanderGoesOn();

  await scene.world.apply(definition({ group: 'gadgets.example.com', kind: 'Gadget' }));
  await subject.application.untilReady();
  const applied = await scene.world.read('/apis/gadgets.example.com/v1/namespaces/kinds/gadgets/one');
  assert.equal(at(applied, 'spec', 'size'), 3);
});

/** The 1-based line that holds a word. */
const lineOf = (file: string, word: string): number => file.split('\n').findIndex((line) => line.includes(word)) + 1;

test('an unknown field and a wrong type are reported by path and line, without the value, and not sent again in a loop', async () => {
  const idle = (name: string, fields: Manifest = {}): string =>
    text(workload('Deployment', name, { spec: { replicas: 0, ...fields } }));
  const field = idle('field', { replicaz: 12345 });
  const subject = await declareSubject(scene.world, 'typed', {
    files: { ...KEPT, 'field.yaml': field, 'type.yaml': idle('type', { replicas: 'wrong-value' }) },
  });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  const place = `(field.yaml:${lineOf(field, 'replicaz')})`;
  assert.equal(message, `Deployment.apps typed/field ${place}: .spec.replicaz: no such field; 1 more failed`);
  assert.ok(isStalled);
  const application = await subject.application.read();
  const resources = at(application, 'status', 'resources') as unknown[];
  const messages = resources.map((resource) => String(at(resource, 'message')));
  assert.ok(
    messages.some((text) => text.includes('.spec.replicas: expected')),
    messages.join('\n'),
  );
  assert.doesNotMatch(JSON.stringify(at(application, 'status')), /12345|wrong-value/);
  const isQuiet = await eventually(async () => {
    const sentBefore = (await requestsByVerb(scene.agent))['apply'];
    // Several times the longest backoff of this agent. Another Application may still have something to apply at first.
    await sleep(3000);
    return (await requestsByVerb(scene.agent))['apply'] === sentBefore ? true : undefined;
  });
  assert.ok(isQuiet, 'they are sent again and again');
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  const commit = await subject.repository.commit({
    'field.yaml': idle('field'),
    'type.yaml': idle('type'),
  });
  await subject.application.refresh();
  await subject.application.until(
    'applied',
    (candidate) =>
      String(at(candidate, 'status', 'sync', 'revision')).endsWith(commit) && syncOf(candidate) === 'Synced',
  );
});

test('an object that is defined twice is reported with both places, and neither is applied', async () => {
  const subject = await declareSubject(scene.world, 'twice', { files: KEPT });
  await subject.application.untilReady();
  const beforeIt = await subject.configMap('kept');
  await subject.repository.commit({ 'again.yaml': `# a comment\n\n${text(configMap('kept', { a: '2' }))}` });
  await subject.application.refresh();
  const { message } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /again\.yaml:\d/);
  assert.match(message, /kept\.yaml:1/);
  assert.equal(fingerprint(await subject.configMap('kept')), fingerprint(beforeIt), 'what is applied stays');
  await scene.expectBystanderGoesOn();

  const commit = await subject.repository.commit({ 'again.yaml': null });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
});

test('objects in a namespace that does not exist are reported, and applied once it exists', async () => {
  const elsewhere = text(configMap('far', { a: '1' }, { namespace: 'not-yet' }));
  const subject = await declareSubject(scene.world, 'nowhere', { files: { ...KEPT, 'far.yaml': elsewhere } });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /not-yet\/far \(far\.yaml:1\): its namespace does not exist/);
  assert.equal(isStalled, false);
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();

  await makeNamespace(scene.world, 'not-yet');
  await subject.application.untilReady();
  assert.ok(await scene.world.read(configMapPath('not-yet', 'far')));
});

test('a file that does not hold an object is reported, and the others are applied', async () => {
  const subject = await declareSubject(scene.world, 'noobject', {
    files: { ...KEPT, 'values.yaml': 'replicas: 3\nimage: shop\n', 'list.yaml': '- 1\n- 2\n' },
  });
  const { message } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /^(values|list)\.yaml:1: /);
  assert.match(message, /and 1 more/);
  const rendered = conditionOf(await subject.application.read(), 'Rendered');
  assert.match(String(at(rendered, 'message')), /values\.yaml/);
  assert.match(String(at(rendered, 'message')), /list\.yaml/);
  assert.ok(await subject.configMap('kept'));
  await scene.expectBystanderGoesOn();
});

test('a refused field of a patched object is reported by its line in the file of the object, or by the line of the object', async () => {
  const base = `# The base.
---
apiVersion: v1
kind: Service
metadata:
  name: base
spec:
  selector: {app: x}
  ports:
    - name: a
      port: 80
      nodePort: 99999
`;
  const patch = '- {op: add, path: /spec/sessionAffinity, value: Sometimes}\n';
  const subject = await declareSubject(scene.world, 'patched', {
    files: {
      'base/all.yaml': base,
      'base/two.yaml': base.replace('name: base', 'name: two').replace('      nodePort: 99999\n', ''),
      'base/kustomization.yaml': 'resources: [all.yaml, two.yaml]\n',
      'kustomization.yaml': `resources: [base]\npatches: [{path: patch.yaml, target: {name: two}}]\nnamePrefix: p-\n`,
      'patch.yaml': patch,
    },
  });
  await untilFailed(subject, 'ReconciliationFailed');
  const objects = at(await detailOf(scene.agent, 'patched'), 'objects') as unknown[];
  const places = objects.map((one) => [at(one, 'name'), at(one, 'file'), at(one, 'line')]);
  assert.deepEqual(places, [
    ['p-base', 'base/all.yaml', 12],
    ['p-two', 'base/two.yaml', 3],
  ]);
});

test('a value that the API server finds invalid is reported by its field, without the value', async () => {
  const bad = service('bad', { ports: [{ port: 80, protocol: 'SECRETPROTO' }], selector: { app: 'x' } });
  const subject = await declareSubject(scene.world, 'invalid', { files: { ...KEPT, 'service.yaml': text(bad) } });
  const { message, isStalled } = await untilFailed(subject, 'ReconciliationFailed');
  const place = `Service invalid/bad (service.yaml:${lineOf(text(bad), 'protocol')}): spec.ports[0].protocol`;
  assert.ok(message.startsWith(place), message);
  assert.doesNotMatch(message, /SECRETPROTO/);
  assert.ok(isStalled);
  assert.ok(await subject.configMap('kept'));
});

async function untilData(namespace: string, name: string, value: string): Promise<void> {
  await untilObject(scene.world, configMapPath(namespace, name), (object) => at(object, 'data', 'a') === value);
}
