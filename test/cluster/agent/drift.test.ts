/** Drift: what a hand changed is pulled straight, and what nobody changed is not written. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startWorld, type Json, type World } from '../../support/world.ts';
import type { RunningAgent } from '../../support/agent.ts';
import {
  at,
  configMap,
  configMapPath,
  declareSubject,
  passesOf,
  requestsByVerb,
  resourceVersion,
  text,
  untilObject,
  untilPasses,
  type Subject,
} from './scene.ts';

let world: World;
let agent: RunningAgent;
let subject: Subject;
const PATH = configMapPath('drift', 'a');
before(async () => {
  world = await startWorld();
  agent = await world.agent();
  subject = await declareSubject(world, 'drift', {
    files: {
      'a.yaml': text(configMap('a', { one: '1', two: '2' }, { labels: { team: 'x' }, annotations: { note: 'y' } })),
      'b.yaml': text(configMap('b', { k: '1' })),
    },
  });
  await subject.application.untilReady();
});
after(() => world?.[Symbol.asyncDispose]());

async function patch(merge: unknown): Promise<void> {
  const args = ['patch', 'configmap', 'a', '-n', 'drift', '--type=merge', '-p', JSON.stringify(merge)];
  const { code, stderr } = await world.plane.kubectl(args);
  assert.equal(code, 0, stderr);
}

/** Waits until the object is as Git says and the Application says so. */
async function untilHealed(): Promise<Json> {
  const healed = await untilObject(
    world,
    PATH,
    (object) =>
      at(object, 'data', 'one') === '1' &&
      at(object, 'data', 'two') === '2' &&
      at(object, 'metadata', 'labels', 'team') === 'x' &&
      at(object, 'metadata', 'annotations', 'note') === 'y' &&
      at(object, 'metadata', 'labels', 'applyset.kubernetes.io/part-of') !== undefined &&
      /\/drift$/.test(String(at(object, 'metadata', 'annotations', 'tautline.dev/owner'))),
  );
  await subject.application.untilReady();
  return healed;
}

const EDITS: Readonly<Record<string, () => Promise<unknown>>> = {
  'a value changed by another manager': () =>
    world.apply(configMap('a', { one: 'other' }, { namespace: 'drift' }), 'someone'),
  'a value changed by hand': () => patch({ data: { two: 'other' } }),
  'a field removed': () => patch({ data: { one: null } }),
  'all data removed': () => patch({ data: null }),
  'a label changed': () => patch({ metadata: { labels: { team: 'z' } } }),
  'a label removed': () => patch({ metadata: { labels: { team: null } } }),
  'an annotation removed': () => patch({ metadata: { annotations: { note: null } } }),
  'our label removed': () => patch({ metadata: { labels: { 'applyset.kubernetes.io/part-of': null } } }),
  'our label changed': () => patch({ metadata: { labels: { 'applyset.kubernetes.io/part-of': 'nobody' } } }),
  'our annotation removed': () => patch({ metadata: { annotations: { 'tautline.dev/owner': null } } }),
  'both our marks removed': () =>
    patch({
      metadata: {
        labels: { 'applyset.kubernetes.io/part-of': null },
        annotations: { 'tautline.dev/owner': null },
      },
    }),
  'the object deleted': () => world.send('DELETE', PATH),
};

for (const [what, edit] of Object.entries(EDITS)) {
  test(`healed without being asked: ${what}`, async () => {
    const b = resourceVersion(await subject.configMap('b'));
    await edit();
    await untilHealed();
    assert.equal(resourceVersion(await subject.configMap('b')), b, 'the sibling was written');
  });
}

test('a field that another manager adds is neither drift nor taken away', async () => {
  await world.apply(configMap('a', { theirs: '1' }, { namespace: 'drift', labels: { theirs: '1' } }), 'someone');
  const asked = await subject.application.refresh();
  assert.equal(at(asked, 'status', 'sync', 'status'), 'Synced');
  const object = await untilHealed();
  assert.equal(at(object, 'data', 'theirs'), '1');
  assert.equal(at(object, 'metadata', 'labels', 'theirs'), '1');
});

test('passes over unchanged objects write nothing and ask nothing, not even the status', async () => {
  await untilHealed();
  const versions = async (): Promise<string[]> => [
    resourceVersion(await subject.configMap('a')),
    resourceVersion(await subject.application.read()),
  ];
  // Somebody else's annotation is no business of ours, but its event starts a pass.
  let before = await requestsByVerb(agent);
  for (let n = 0; n < 5; n++) {
    const passes = await passesOf(agent, 'drift');
    await patch({ metadata: { annotations: { theirs: String(n) } } });
    const written = await versions();
    await untilPasses(agent, 'drift', passes + 1);
    assert.deepEqual(await versions(), written);
    const after = await requestsByVerb(agent);
    for (const verb of Object.keys(after)) if (verb !== 'watch') assert.equal(after[verb], before[verb], verb);
    before = after;
  }
});

test('requests for a refresh write their answer and nothing else', async () => {
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

test('drift is healed by the last good revision while Git is down or broken', async () => {
  await subject.repository.commit({ 'a.yaml': '{ no: [yaml', 'b.yaml': '{ no: [yaml' });
  await subject.application.refresh();
  await patch({ data: { one: 'other' } });
  await untilObject(world, PATH, (object) => at(object, 'data', 'one') === '1');
});
