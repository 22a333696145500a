/** Drift: objects that were changed are healed, and unchanged objects are not written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepare, useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, text, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  OWNER,
  PART_OF,
  passesOf,
  requestsByVerb,
  resourceVersion,
  syncOf,
  untilObject,
  untilPasses,
  type Subject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: true });
let subject: Subject;
/** Edits by hand, each of an object of its own, since a second heal of one object is delayed by the brake. */
const EDITS: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  'a value changed by another manager': (name) =>
    world.apply(configMap(name, { one: 'other' }, { namespace: 'drift' }), 'someone'),
  'a value changed by hand': (name) => patch(name, { data: { two: 'other' } }),
  'a field removed': (name) => patch(name, { data: { one: null } }),
  'all data removed': (name) => patch(name, { data: null }),
  'a label changed': (name) => patch(name, { metadata: { labels: { team: 'z' } } }),
  'a label removed': (name) => patch(name, { metadata: { labels: { team: null } } }),
  'an annotation removed': (name) => patch(name, { metadata: { annotations: { note: null } } }),
  'our label removed': (name) => patch(name, { metadata: { labels: { [PART_OF]: null } } }),
  'our label changed': (name) => patch(name, { metadata: { labels: { [PART_OF]: 'nobody' } } }),
  'our annotation removed': (name) => patch(name, { metadata: { annotations: { [OWNER]: null } } }),
  'both our marks removed': (name) =>
    patch(name, { metadata: { labels: { [PART_OF]: null }, annotations: { [OWNER]: null } } }),
  'the object deleted': (name) => world.send('DELETE', configMapPath('drift', name)),
};

const nameOf = (index: number): string => `edited-${index}`;
const manifestOf = (name: string): Manifest =>
  configMap(name, { one: '1', two: '2' }, { labels: { team: 'x' }, annotations: { note: 'y' } });

prepare(async () => {
  const edited = Object.keys(EDITS).map((_, index) => manifestOf(nameOf(index)));
  subject = await declareSubject(world, 'drift', {
    files: { 'edited.yaml': text(...edited), 'a.yaml': text(manifestOf('a')), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
});

function patch(name: string, merge: unknown): Promise<void> {
  return edit(world, `configmap/${name}`, { namespace: 'drift', patch: merge });
}

/** Waits until the object equals Git and the Application is Ready. */
async function untilHealed(name: string): Promise<Json> {
  const healed = await untilObject(
    world,
    configMapPath('drift', name),
    (object) =>
      at(object, 'data', 'one') === '1' &&
      at(object, 'data', 'two') === '2' &&
      at(object, 'metadata', 'labels', 'team') === 'x' &&
      at(object, 'metadata', 'annotations', 'note') === 'y' &&
      /^applyset-/.test(String(at(object, 'metadata', 'labels', PART_OF))) &&
      /\/drift$/.test(String(at(object, 'metadata', 'annotations', OWNER))),
  );
  await subject.application.untilReady();
  return healed;
}

Object.entries(EDITS).forEach(([what, change], index) => {
  test(`drift is healed without a request: ${what}`, async () => {
    const sibling = resourceVersion(await subject.configMap('b'));
    await change(nameOf(index));
    await untilHealed(nameOf(index));
    assert.equal(resourceVersion(await subject.configMap('b')), sibling, 'the sibling was written');
  });
});

test('a field that another manager adds is not drift and is not removed', async () => {
  await world.apply(configMap('a', { theirs: '1' }, { namespace: 'drift', labels: { theirs: '1' } }), 'someone');
  const asked = await subject.application.refresh();
  assert.equal(syncOf(asked), 'Synced');
  const object = await untilHealed('a');
  assert.equal(at(object, 'data', 'theirs'), '1');
  assert.equal(at(object, 'metadata', 'labels', 'theirs'), '1');
});

test('passes over unchanged objects send no request, not even for the status', async () => {
  await untilHealed('a');
  const versions = async (): Promise<string[]> => [
    resourceVersion(await subject.configMap('a')),
    resourceVersion(await subject.application.read()),
  ];
  // An annotation of another manager is not drift, but its event starts a pass.
  let before = await requestsByVerb(agent);
  for (let n = 0; n < 5; n++) {
    const passes = await passesOf(agent, 'drift');
    await patch('a', { metadata: { annotations: { theirs: String(n) } } });
    const written = await versions();
    await untilPasses(agent, 'drift', passes + 1);
    assert.deepEqual(await versions(), written);
    const after = await requestsByVerb(agent);
    for (const verb of Object.keys(after)) if (verb !== 'watch') assert.equal(after[verb], before[verb], verb);
    before = after;
  }
});

test('a request for a refresh writes its answer and nothing else', async () => {
  const versions = async (): Promise<string[]> =>
    Promise.all(['a', 'b'].map(async (name) => resourceVersion(await subject.configMap(name))));
  const written = await versions();
  const before = await requestsByVerb(agent);
  for (let n = 0; n < 5; n++) await subject.application.refresh();
  const after = await requestsByVerb(agent);
  assert.deepEqual(await versions(), written);
  for (const verb of ['get', 'list', 'apply', 'patch', 'delete', 'create']) {
    assert.equal(after[verb], before[verb], verb);
  }
  assert.equal(after['update'], (before['update'] ?? 0) + 5);
});

test('drift is healed to the last good revision while the newest one cannot be read', async () => {
  await subject.repository.commit({ 'a.yaml': '{ no: [yaml' }, { replaceAll: true });
  await subject.application.refresh();
  await patch('a', { data: { one: 'other' } });
  await untilObject(world, configMapPath('drift', 'a'), (object) => at(object, 'data', 'one') === '1');
});
