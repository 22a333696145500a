/** Definitions that are deleted and made again with another scope, while the agent runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANY_FIELDS, configMap, definition, text, type Manifest } from '../../support/objects.ts';
import { declareSubject, inventoryOf, QUICK_FLAGS, untilGone, untilObject, type Subject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';

const { world } = useWorld({ agent: { flags: QUICK_FLAGS } });

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

type Scope = 'Cluster' | 'Namespaced';

/** Installs the definition, and waits until its kind is served in that scope. */
async function define(group: string, scope: Scope): Promise<void> {
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: ANY_FIELDS } }];
  const wanted = definition({ group, kind: 'Thing', versions });
  const spec = { ...(wanted as unknown as { spec: Manifest }).spec, scope };
  await world.send('POST', DEFINITIONS, { ...wanted, spec });
  await untilTrue(async () => {
    const found = await world.plane.request('GET', `${pathOf(group, scope, 'any')}/absent`);
    return found.code === 404 && JSON.stringify(found.body).includes('"kind":"things"');
  }, `Thing.${group} is served`);
}

async function undefine(group: string): Promise<void> {
  await world.send('DELETE', `${DEFINITIONS}/things.${group}`);
  await untilGone(world, `${DEFINITIONS}/things.${group}`);
}

function pathOf(group: string, scope: Scope, namespace: string): string {
  const place = scope === 'Cluster' ? '' : `/namespaces/${namespace}`;
  return `/apis/${group}/v1${place}/things`;
}

function declare(name: string, group: string): Promise<Subject> {
  const thing = { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 't' }, spec: { a: 1 } };
  return declareSubject(world, name, { files: { 'a.yaml': text(configMap('a'), thing) } });
}

const CHANGES = [
  ['to-namespaced', 'Cluster', 'Namespaced'],
  ['to-cluster', 'Namespaced', 'Cluster'],
] as const;

for (const [name, before, after] of CHANGES) {
  test(`an object is made again when its kind comes back ${after} instead of ${before}, and it stays`, async () => {
    const group = `${name}.example.com`;
    await define(group, before);
    const subject = await declare(name, group);
    await subject.application.untilReady();
    const namespaceOf = (scope: Scope): string => (scope === 'Cluster' ? '' : name);
    const inventoryIn = (scope: Scope): string[] => [`ConfigMap ${name}/a`, `${group}/Thing ${namespaceOf(scope)}/t`];
    assert.deepEqual(inventoryOf(await subject.application.read()), inventoryIn(before));
    await undefine(group);
    await define(group, after);
    const made = await untilObject(world, `${pathOf(group, after, name)}/t`, () => true);
    // The inventory still holds the object of the old scope for a while: the new one is not deleted for it.
    await subject.application.until(
      'the old object is forgotten',
      (found) => JSON.stringify(inventoryOf(found)) === JSON.stringify(inventoryIn(after)),
    );
    await subject.application.untilReady();
    const left = await world.read(`${pathOf(group, after, name)}/t`);
    assert.deepEqual(
      left?.['metadata'] && (left['metadata'] as Manifest)['uid'],
      (made['metadata'] as Manifest)['uid'],
    );
    await subject.application.remove();
    await untilGone(world, subject.application.path);
    await untilGone(world, `${pathOf(group, after, name)}/t`);
  });
}
