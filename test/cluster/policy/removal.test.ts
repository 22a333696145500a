/** Annotations about the deletion of an object: kept, confirmed first, deleted last, or recreated. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { configMap, text, volumeClaim, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  OWNER,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: { flags: ['--progress-check', '1s', '--max-backoff', '2s'] } });

const options = (words: string): Record<string, unknown> => ({
  annotations: { 'argocd.argoproj.io/sync-options': words },
});

const KEPT: readonly (readonly [string, Record<string, unknown>])[] = [
  ['flux', { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } }],
  ['argo', options('Validate=true, Prune=false')],
  ['helm', { annotations: { 'helm.sh/resource-policy': 'keep' } }],
];

test('an object with a keep annotation is released when it leaves Git, and an Event reports it', async () => {
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
    assert.equal(at(live, 'metadata', 'annotations', OWNER), undefined);
  }
  const isTold = await eventually(async () => {
    const events = await world.read('/apis/events.k8s.io/v1/namespaces/apps/events');
    return /3 released.*its annotations forbid deleting it/.test(JSON.stringify(events)) ? true : undefined;
  });
  assert.ok(isTold, 'no Event tells of the released objects');
});

test('deleting an Application keeps objects with a keep annotation, and waits for a confirmation where one is required', async () => {
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
  const waiting = await untilObject(world, subject.application.path, (now) =>
    /asks for a confirmation/.test(readyMessage(now)),
  );
  const held = at(waiting, 'status', 'pruneGuard', 'held');
  assert.equal(at(held, 'objects'), 4);
  const refused = await subject.application.ask({ action: 'confirm-prune', digest: 'x'.repeat(43) });
  assert.equal(at(refused, 'status', 'lastRequest', 'outcome'), 'Refused');
  assert.match(String(at(refused, 'status', 'lastRequest', 'message')), /not that of the held prune/);
  assert.ok(await subject.configMap('gone'));
  await subject.application.request({ action: 'confirm-prune', digest: at(held, 'digest') });
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
  assert.match(readyMessage(held), /ConfigMap asking\/asks needs a confirmation/);
  await subject.application.request({ action: 'confirm-prune' });
  await untilGone(world, configMapPath('asking', 'asks'));
  await subject.application.untilReady();
  assert.equal(await subject.configMap('beside'), undefined);
});

function sealed(value: string, words: string): Manifest {
  return { ...configMap('sealed', { value }, options(words)), immutable: true };
}

test('an object that cannot be changed in place is recreated if its annotation allows it, but a volume claim never is', async () => {
  const files = (value: string, words: string, modes: string[]): Record<string, string> => ({
    'sealed.yaml': text(sealed(value, words)),
    'claim.yaml': text(volumeClaim('data', { accessModes: modes }, options('Force=true'))),
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
    /PersistentVolumeClaim is never deleted/.test(readyMessage(now)),
  );
});
