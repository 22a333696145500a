/** What annotations say about the end of an object: kept, asked about, last, or made anew. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startWorld, type World } from '../../support/world.ts';
import {
  at,
  configMap,
  declareSubject,
  inventoryOf,
  readyMessage,
  readyReason,
  text,
  untilGone,
  untilObject,
  type Manifest,
} from '../agent/scene.ts';

let world: World;
before(async () => {
  world = await startWorld();
  await world.agent({ flags: ['--progress-check', '1s', '--max-backoff', '2s'] });
});
after(() => world?.[Symbol.asyncDispose]());

const options = (words: string): Record<string, unknown> => ({
  annotations: { 'argocd.argoproj.io/sync-options': words },
});

const KEPT: readonly (readonly [string, Record<string, unknown>])[] = [
  ['flux', { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } }],
  ['argo', options('Validate=true, Prune=false')],
  ['helm', { annotations: { 'helm.sh/resource-policy': 'keep' } }],
];

test('what its annotations keep is let go when it leaves Git, and an event says so', async () => {
  const rest = text(configMap('rest', { a: '1' }));
  const kept = text(...KEPT.map(([name, metadata]) => configMap(name, { a: '1' }, metadata)));
  const subject = await declareSubject(world, 'kept', { files: { 'rest.yaml': rest, 'kept.yaml': kept } });
  await subject.application.untilReady();
  await subject.repository.commit({ 'kept.yaml': text(configMap('other', {})) });
  await subject.application.refresh();
  const ready = await subject.application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap kept/other', 'ConfigMap kept/rest']);
  for (const [name] of KEPT) {
    const live = await subject.configMap(name);
    assert.equal(at(live, 'metadata', 'labels'), undefined, `${name} still carries our label`);
    assert.equal(at(live, 'metadata', 'annotations', 'tautline.dev/owner'), undefined);
  }
  const events = await world.read('/apis/events.k8s.io/v1/namespaces/apps/events');
  assert.match(JSON.stringify(events), /3 released.*its annotations forbid deleting it/);
});

test('deleting the Application leaves what its annotations keep then, and asks where they ask for that', async () => {
  const files = {
    'all.yaml': text(
      configMap('gone', {}, options('Prune=false')),
      configMap('stays', {}, options('Delete=false')),
      configMap('flux', {}, { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'Disabled' } }),
      configMap('asks', {}, options('Delete=confirm')),
    ),
  };
  const subject = await declareSubject(world, 'leaving', { files });
  await subject.application.untilReady();
  await world.send('DELETE', subject.application.path);
  await untilObject(world, subject.application.path, (now) => /asks for a confirmation/.test(readyMessage(now)));
  assert.ok(await subject.configMap('gone'));
  const request = JSON.stringify({ id: 'yes', action: 'confirm-prune' });
  const annotate = ['annotate', '--overwrite', 'tla', 'leaving', '-n', 'apps', `tautline.dev/request=${request}`];
  assert.equal((await world.plane.kubectl(annotate)).code, 0);
  await untilGone(world, subject.application.path);
  assert.equal(await subject.configMap('gone'), undefined);
  assert.equal(await subject.configMap('asks'), undefined);
  assert.ok(await subject.configMap('stays'));
  assert.ok(await subject.configMap('flux'));
});

test('Prune=confirm holds the prune until a person confirms it', async () => {
  const asks = text(configMap('asks', {}, options('Prune=confirm,PruneLast=true')), configMap('beside', {}));
  const subject = await declareSubject(world, 'asking', {
    files: { 'asks.yaml': asks, 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'asks.yaml': text(configMap('c', {})) });
  await subject.application.refresh();
  const held = await subject.application.until('the prune is held', (now) => /PruneHeld/.test(readyReason(now)));
  assert.match(readyMessage(held), /pruning ConfigMap asking\/asks needs a confirmation/);
  const request = JSON.stringify({ id: 'yes', action: 'confirm-prune' });
  const annotate = ['annotate', '--overwrite', 'tla', 'asking', '-n', 'apps', `tautline.dev/request=${request}`];
  assert.equal((await world.plane.kubectl(annotate)).code, 0);
  await untilGone(world, '/api/v1/namespaces/asking/configmaps/asks');
  await subject.application.untilReady();
  assert.equal(await subject.configMap('beside'), undefined);
});

function sealed(value: string, words: string): Manifest {
  return { ...configMap('sealed', { value }, options(words)), immutable: true };
}

function claim(size: string, accessModes: string[]): Manifest {
  const spec = { accessModes, resources: { requests: { storage: size } } };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', ...options('Force=true') },
    spec,
  };
}

test('what cannot be changed in place is made anew where it asks for that, but never a volume', async () => {
  const files = (value: string, words: string, modes: string[]): Record<string, string> => ({
    'sealed.yaml': text(sealed(value, words)),
    'claim.yaml': text(claim('1Gi', modes)),
  });
  const subject = await declareSubject(world, 'anew', { files: files('1', 'Validate=true', ['ReadWriteOnce']) });
  await subject.application.untilReady();
  const before = await subject.configMap('sealed');
  await subject.repository.commit(files('2', 'Validate=true', ['ReadWriteOnce']));
  await subject.application.refresh();
  await subject.application.until('it is refused', (now) => /cannot be changed in place/.test(readyMessage(now)));
  assert.equal(at(await subject.configMap('sealed'), 'data', 'value'), '1');
  await subject.repository.commit(files('2', 'Replace=true', ['ReadWriteOnce']));
  await subject.application.refresh();
  await subject.application.untilReady();
  const made = await subject.configMap('sealed');
  assert.equal(at(made, 'data', 'value'), '2');
  assert.notEqual(at(made, 'metadata', 'uid'), at(before, 'metadata', 'uid'));
  await subject.repository.commit(files('2', 'Replace=true', ['ReadWriteMany']));
  await subject.application.refresh();
  await subject.application.until('the claim stays', (now) =>
    /Tautline never deletes a PersistentVolumeClaim/.test(readyMessage(now)),
  );
});
