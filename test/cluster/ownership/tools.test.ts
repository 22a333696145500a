/** Objects of other tools: fields that the tool applied are taken over, fields of controllers stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, text, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  makeNamespace,
  OWNER,
  PART_OF,
  readyMessage,
  resourceVersion,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

/** Field managers of other tools, how they write, and the labels and annotations that they set. */
const TOOLS: readonly { manager: string; how: 'apply' | 'create'; metadata: Record<string, unknown> }[] = [
  {
    manager: 'helm',
    how: 'create',
    metadata: {
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'shop' },
    },
  },
  { manager: 'Helm', how: 'create', metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
  { manager: 'helm', how: 'apply', metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
  {
    manager: 'argocd-controller',
    how: 'apply',
    metadata: { annotations: { 'argocd.argoproj.io/tracking-id': 'shop' } },
  },
  {
    manager: 'argocd-application-controller',
    how: 'create',
    metadata: { labels: { 'app.kubernetes.io/instance': 'shop' } },
  },
  {
    manager: 'kustomize-controller',
    how: 'apply',
    metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop' } },
  },
  { manager: 'helm-controller', how: 'create', metadata: { labels: { 'helm.toolkit.fluxcd.io/name': 'shop' } } },
  { manager: 'kubectl-create', how: 'create', metadata: { labels: { theirs: 'yes' } } },
  { manager: 'kubectl-client-side-apply', how: 'create', metadata: { labels: { theirs: 'yes' } } },
];

async function make(manager: string, how: 'apply' | 'create', object: Manifest, namespace: string): Promise<void> {
  if (how === 'apply') return world.apply(object, manager);
  await world.send('POST', `/api/v1/namespaces/${namespace}/configmaps?fieldManager=${manager}`, object);
}

TOOLS.forEach(({ manager, how, metadata }, index) => {
  test(`an object that ${manager} wrote by ${how} is taken over once, with all of its fields`, async () => {
    const name = `tool-${index}`;
    await makeNamespace(world, name);
    const theirs = configMap('a', { kept: '1', changed: 'old', gone: '1' }, { namespace: name, ...metadata });
    await make(manager, how, theirs, name);
    // A controller has added a field that Git does not have.
    await world.apply(configMap('a', { added: 'by a controller' }, { namespace: name }), 'some-controller');
    const uid = at(await world.read(configMapPath(name, 'a')), 'metadata', 'uid');
    const subject = await declareSubject(world, name, {
      files: { 'a.yaml': text(configMap('a', { kept: '1', changed: 'new' })) },
    });
    const ready = await subject.application.untilReady();
    assert.deepEqual(inventoryOf(ready), [`ConfigMap ${name}/a`]);
    const object = await subject.configMap('a');
    assert.equal(at(object, 'metadata', 'uid'), uid);
    assert.deepEqual(at(object, 'data'), { kept: '1', changed: 'new', added: 'by a controller' });
    assert.deepEqual(Object.keys(at(object, 'metadata', 'labels') as object), [PART_OF]);
    assert.deepEqual(Object.keys(at(object, 'metadata', 'annotations') as object), [OWNER]);
    assert.deepEqual(managersOf(object), ['some-controller', 'tautline']);
    const again = resourceVersion(object);
    await subject.application.refresh();
    assert.equal(resourceVersion(await subject.configMap('a')), again);
  });
});

function managersOf(object: unknown): unknown[] {
  const entries = (at(object, 'metadata', 'managedFields') ?? []) as unknown[];
  return entries.map((entry) => at(entry, 'manager')).sort();
}

/** Removes all managedFields, as some guides advise: the server then forgets the owners of fields. */
async function wipe(namespace: string, name: string): Promise<void> {
  await edit(world, `configmap/${name}`, { namespace, patch: { metadata: { managedFields: [{}] } } });
  assert.deepEqual(managersOf(await world.read(configMapPath(namespace, name))), []);
}

test('wiped managedFields are not drift and lead to no write', async () => {
  const subject = await declareSubject(world, 'wiped', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await subject.application.untilReady();
  await wipe('wiped', 'a');
  await subject.application.refresh();
  await subject.application.untilReady();
  const settled = resourceVersion(await subject.configMap('a'));
  for (let n = 0; n < 3; n++) await subject.application.refresh();
  assert.equal(resourceVersion(await subject.configMap('a')), settled);
});

test('after managedFields were wiped, a field that leaves Git is removed, and so is a later one', async () => {
  const subject = await declareSubject(world, 'wiped-change', {
    files: { 'a.yaml': text(configMap('a', { kept: '1', gone: '1', later: '1' })) },
  });
  await subject.application.untilReady();
  await wipe('wiped-change', 'a');
  await subject.application.refresh();
  const first = await subject.repository.commit({ 'a.yaml': text(configMap('a', { kept: '2', later: '1' })) });
  await subject.application.refresh();
  await subject.application.untilReady(first);
  const object = await subject.configMap('a');
  assert.deepEqual(at(object, 'data'), { kept: '2', later: '1' });
  assert.deepEqual(managersOf(object), ['tautline']);
  const second = await subject.repository.commit({ 'a.yaml': text(configMap('a', { kept: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(second);
  const settled = await subject.configMap('a');
  assert.deepEqual(at(settled, 'data'), { kept: '2' });
  await subject.application.refresh();
  assert.equal(resourceVersion(await subject.configMap('a')), resourceVersion(settled));
});

test('an edit by hand after managedFields were wiped is healed', async () => {
  const subject = await declareSubject(world, 'wiped-drift', {
    files: { 'a.yaml': text(configMap('a', { kept: '1', other: '1' })) },
  });
  await subject.application.untilReady();
  await wipe('wiped-drift', 'a');
  await edit(world, 'configmap/a', { namespace: 'wiped-drift', patch: { data: { kept: 'drift' } } });
  await subject.application.until('healed', () => true);
  await subject.application.refresh();
  await subject.application.untilReady();
  assert.deepEqual(at(await subject.configMap('a'), 'data'), { kept: '1', other: '1' });
});

test('with ssaConflicts: fail a field of another manager is left, named, and applied once it is given up', async () => {
  const name = 'conflicts';
  await makeNamespace(world, name);
  await world.apply(configMap('a', { level: 'theirs' }, { namespace: name }), 'night-shift');
  const subject = await declareSubject(world, name, {
    files: { 'a.yaml': text(configMap('a', { level: 'git', more: 'git' }), configMap('b', { level: 'git' })) },
    spec: { sync: { ssaConflicts: 'fail' } },
  });
  const refused = await subject.application.until('refused', (a) => readyMessage(a).includes('night-shift owns'));
  assert.match(readyMessage(refused), /ConfigMap conflicts\/a .*night-shift owns \.data\.level/);
  assert.deepEqual(at(await subject.configMap('a'), 'data'), { level: 'theirs' });
  assert.deepEqual(at(await subject.configMap('b'), 'data'), { level: 'git' });
  const { data: _data, ...givenUp } = configMap('a', {}, { namespace: name });
  await world.apply(givenUp, 'night-shift');
  await subject.application.untilReady();
  assert.deepEqual(at(await subject.configMap('a'), 'data'), { level: 'git', more: 'git' });
  await world.apply(configMap('a', { level: 'again' }, { namespace: name }), 'night-shift');
  await subject.application.until('refused again', (a) => readyMessage(a).includes('night-shift owns'));
  assert.deepEqual(at(await subject.configMap('a'), 'data'), { level: 'again', more: 'git' });
});
