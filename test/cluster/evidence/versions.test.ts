/** Objects whose managedFields name a version of their definition that is served no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definition, text, type Manifest } from '../../support/objects.ts';
import { answerOf, at, declareSubject, outcomeOf, type Subject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue, type Json } from '../../support/world.ts';

const { world } = useWorld({ agent: true });

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Serves a kind in these versions, of which the last one is stored, and waits until it does so. */
async function serve(group: string, ...names: readonly string[]): Promise<void> {
  const fields = Object.fromEntries(['size', 'note'].map((name) => [name, { type: 'string' }]));
  const schema = { type: 'object', properties: { spec: { type: 'object', properties: fields } } };
  const versions = names.map((name) => ({
    name,
    served: true,
    storage: name === names.at(-1),
    schema: { openAPIV3Schema: schema },
  }));
  await world.apply(definition({ group, kind: 'Pump', versions }));
  await untilTrue(
    async () => {
      const codes = await Promise.all(
        ['v1alpha1', 'v1beta1', 'v1'].map(async (name) => {
          const { code } = await world.plane.request('GET', `/apis/${group}/${name}/pumps`);
          return code === (names.includes(name) ? 200 : 404);
        }),
      );
      return codes.every(Boolean);
    },
    `Pump.${group} is served in ${names.join(', ')}`,
  );
}

/** Serves and stores version v1 alone. */
async function dropOldVersions(group: string): Promise<void> {
  const path = `${DEFINITIONS}/pumps.${group}`;
  const live = await world.read(path);
  await world.send('PUT', `${path}/status`, {
    ...live,
    status: { ...(live?.['status'] as Json), storedVersions: ['v1'] },
  });
  await serve(group, 'v1');
}

function pump(group: string, version: string, spec: Manifest): Manifest {
  return { apiVersion: `${group}/${version}`, kind: 'Pump', metadata: { name: 'p' }, spec };
}

const pathOf = (group: string, version: string, namespace: string): string =>
  `/apis/${group}/${version}/namespaces/${namespace}/pumps/p`;

async function push({ application, repository }: Subject, manifest: Manifest): Promise<Json> {
  await repository.commit({ 'a.yaml': text(manifest) });
  await application.refresh();
  return application.untilReady();
}

test('an object that another client wrote in versions that are gone is applied, and keeps what the client wrote', async () => {
  const group = 'others.example.org';
  await serve(group, 'v1alpha1', 'v1beta1', 'v1');
  const files = { 'a.yaml': text(pump(group, 'v1', { size: '2' })) };
  const subject = await declareSubject(world, 'others', { files });
  await subject.application.untilReady();
  for (const version of ['v1alpha1', 'v1beta1']) {
    const patch = { metadata: { annotations: { [`example.org/${version}`]: 'x' } } };
    await world.send('PATCH', pathOf(group, version, 'others'), patch);
  }
  await dropOldVersions(group);
  await subject.application.patch({ sync: { mode: 'manual' } });
  await subject.repository.commit({ 'a.yaml': text(pump(group, 'v1', { size: '3' })) });
  const tried = await subject.application.ask({ action: 'sync', dryRun: true });
  assert.equal(outcomeOf(tried), 'Failed');
  assert.match(answerOf(tried), /managedFields names others\.example\.org\/v1(alpha1|beta1)/);
  const synced = await subject.application.ask({ action: 'sync' });
  assert.equal(outcomeOf(synced), 'Succeeded', answerOf(synced));
  const live = await world.read(pathOf(group, 'v1', 'others'));
  assert.equal(at(live, 'spec', 'size'), '3');
  assert.equal(at(live, 'metadata', 'annotations', 'example.org/v1beta1'), 'x');
});

test('an object that was applied in a version that is gone is applied in the new one, and loses what left Git', async () => {
  const group = 'ours.example.org';
  await serve(group, 'v1beta1', 'v1');
  const files = { 'a.yaml': text(pump(group, 'v1beta1', { size: '2', note: 'old' })) };
  const subject = await declareSubject(world, 'ours', { files });
  await subject.application.untilReady();
  await dropOldVersions(group);
  await push(subject, pump(group, 'v1', { size: '3' }));
  const live = await world.read(pathOf(group, 'v1', 'ours'));
  assert.deepEqual(live?.['spec'], { size: '3' });
});
