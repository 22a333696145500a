/** An Application whose own object or own Namespace leaves Git keeps it, tells so, and prunes the other objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, namespaceManifest, text, type Manifest } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  inventoryOf,
  outcomeOf,
  readyMessage,
  readyReason,
  untilGone,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const CASES = [
  {
    name: 'own-object',
    title: 'its own object',
    path: '/apis/tautline.dev/v1alpha1/namespaces/own-object/applications/me',
    inventory: 'tautline.dev/Application own-object/me',
    resource: ['application', 'me', '-n', 'own-object'],
    manifestOf: (spec: unknown): Manifest => ({
      apiVersion: 'tautline.dev/v1alpha1',
      kind: 'Application',
      metadata: { namespace: 'own-object', name: 'me' },
      spec,
    }),
  },
  {
    name: 'own-place',
    title: 'its own Namespace',
    path: '/api/v1/namespaces/own-place',
    inventory: 'Namespace /own-place',
    resource: ['namespace', 'own-place'],
    manifestOf: (): Manifest => namespaceManifest('own-place'),
  },
] as const;

for (const { name, title, path, inventory, resource, manifestOf } of CASES) {
  test(`an Application never prunes ${title}, whatever is confirmed, and prunes the rest`, async () => {
    const repository = await world.repository(name);
    const spec = { source: { repoURL: repository.url }, sync: { allowLiveAnnotations: true } };
    await repository.commit({
      'self.yaml': text(manifestOf(spec)),
      'old.yaml': text(configMap('old', {})),
      'a.yaml': text(configMap('a', {})),
    });
    const application = await world.declare('me', spec, name);
    assert.ok(inventoryOf(await application.untilReady()).includes(inventory));
    await repository.commit({ 'self.yaml': null, 'old.yaml': null });
    await application.refresh();
    const told = await application.until('held', (a) => readyReason(a) === 'False PruneHeld');
    assert.match(readyMessage(told), /left Git and is not deleted: .*(itself|lives in it)/);
    await untilGone(world, configMapPath(name, 'old'));
    const answered = await application.ask({ action: 'confirm-prune' });
    assert.notEqual(outcomeOf(answered), 'Succeeded', answerOf(answered));
    assert.equal(at(await world.read(path), 'metadata', 'deletionTimestamp'), undefined);
    await kubectl(world, ['annotate', ...resource, 'kustomize.toolkit.fluxcd.io/prune=disabled']);
    const ready = await application.untilReady();
    assert.deepEqual(inventoryOf(ready), [`ConfigMap ${name}/a`]);
    assert.equal(at(await world.read(path), 'metadata', 'deletionTimestamp'), undefined);
  });
}
