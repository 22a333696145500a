/** Hand-over: one commit moves an object from the folder of one Application to that of another, and it is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestRepository } from '../../support/git-repository.ts';
import { useWorld } from '../../support/use-world.ts';
import type { ApplicationHandle, Json } from '../../support/world.ts';
import type { RunningAgent } from '../../support/agent.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  inventoryOf,
  makeNamespace,
  PART_OF,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent: first } = useWorld({ agent: true });
let agent: RunningAgent = first;

interface Pair {
  readonly name: string;
  readonly repository: TestRepository;
  /** Applies `moved` and `a`, from the folder `one`. */
  readonly one: ApplicationHandle;
  /** Applies `b`, from the folder `two`. */
  readonly two: ApplicationHandle;
  readonly uid: string;
  readonly path: string;
}

interface PairOptions {
  readonly two?: Record<string, unknown>;
  readonly twoNamespace?: string;
}

/** Declares two Applications of one repository with an interval of an hour. */
async function declarePair(name: string, options: PairOptions = {}): Promise<Pair> {
  const repository = await world.repository(name);
  await repository.commit({
    'one/a.yaml': text(configMap('a', {})),
    'one/moved.yaml': text(configMap('moved', { from: 'one', dropped: 'yes' })),
    'two/b.yaml': text(configMap('b', {})),
  });
  await makeNamespace(world, name);
  const specOf = (path: string) => ({
    source: { repoURL: repository.url, path, interval: '1h' },
    destination: { namespace: name },
  });
  const one = await world.declare(`${name}-one`, specOf('one'));
  const two = await world.declare(`${name}-two`, { ...specOf('two'), ...options.two }, options.twoNamespace);
  await one.untilReady();
  if (!options.two) await two.untilReady();
  const path = configMapPath(name, 'moved');
  return { name, repository, one, two, uid: uidOf(await world.read(path)), path };
}

function uidOf(object: Json | undefined): string {
  return String(at(object, 'metadata', 'uid'));
}

function move({ repository }: Pair): Promise<string> {
  return repository.commit({ 'one/moved.yaml': null, 'two/moved.yaml': text(configMap('moved', { from: 'two' })) });
}

/** The second Application has the object, with the same uid and only its own fields; the first is Ready without it. */
async function assertHandedOver({ name, one, two, uid, path }: Pair, commit: string): Promise<void> {
  const object = await untilObject(world, path, (found) => at(found, 'data', 'from') === 'two');
  assert.equal(uidOf(object), uid);
  assert.deepEqual(at(object, 'data'), { from: 'two' });
  const [first, second] = [await one.untilReady(commit), await two.untilReady(commit)];
  assert.deepEqual(inventoryOf(first), [`ConfigMap ${name}/a`]);
  assert.deepEqual(inventoryOf(second), [`ConfigMap ${name}/b`, `ConfigMap ${name}/moved`]);
  assert.equal(uidOf(await world.read(path)), uid);
}

/** No conflict was logged: a hand-over is not a conflict. */
function assertQuiet({ name }: Pair): void {
  const told = agent.log.filter(
    ({ application, detail }) => String(application).includes(name) && /conflict|managed by/i.test(String(detail)),
  );
  assert.deepEqual(told, []);
}

test('an object is handed over when the Application that loses it is refreshed first', async () => {
  const pair = await declarePair('loser-first');
  const commit = await move(pair);
  await pair.one.refresh();
  await assertHandedOver(pair, commit);
  assertQuiet(pair);
});

test('an object is handed over when the Application that gains it is refreshed first', async () => {
  const pair = await declarePair('winner-first');
  const commit = await move(pair);
  await pair.two.refresh();
  await assertHandedOver(pair, commit);
  assertQuiet(pair);
});

test('an object is handed over between Applications of different namespaces', async () => {
  const pair = await declarePair('two-namespaces', { twoNamespace: 'other-apps' });
  await pair.two.untilReady();
  const commit = await move(pair);
  await pair.one.refresh();
  await assertHandedOver(pair, commit);
});

test('an object is handed over when both Applications follow one branch under two names', async () => {
  const pair = await declarePair('two-names');
  await pair.two.patch({ source: { revision: 'main' } });
  await pair.two.untilReady();
  const commit = await move(pair);
  await pair.one.refresh();
  await assertHandedOver(pair, commit);
});

test('an object that a suspended Application gains is kept for it, and taken over when the Application is resumed', async () => {
  const pair = await declarePair('sleeper', { two: { suspend: true } });
  await pair.two.until('suspended', (a) => readyReason(a) === 'False Suspended');
  const polls = world.git.requests.length;
  await pair.one.refresh();
  const pollsOfOne = world.git.requests.length - polls;
  const commit = await move(pair);
  const ready = await (await pair.one.refresh(), pair.one.untilReady(commit));
  assert.deepEqual(inventoryOf(ready), ['ConfigMap sleeper/a', 'ConfigMap sleeper/moved']);
  assert.equal(uidOf(await world.read(pair.path)), pair.uid);
  assert.equal(at(await world.read(pair.path), 'data', 'from'), 'one');
  assert.ok(pollsOfOne >= 1);
  assert.equal(at(await pair.two.read(), 'status', 'inventory'), undefined);
  await pair.two.patch({ suspend: false });
  await assertHandedOver(pair, commit);
});

test('an object that an Application in mode detect gains is released, and adopted in mode auto', async () => {
  const pair = await declarePair('onlooker', { two: { sync: { mode: 'detect' } } });
  await pair.two.until('out of sync', (a) => readyReason(a) === 'False OutOfSync');
  const commit = await move(pair);
  await pair.one.refresh();
  const ready = await pair.one.untilReady(commit);
  assert.deepEqual(inventoryOf(ready), ['ConfigMap onlooker/a']);
  const left = await world.read(pair.path);
  assert.equal(uidOf(left), pair.uid);
  assert.equal(at(left, 'metadata', 'labels', PART_OF), undefined);
  await pair.two.patch({ sync: { mode: 'auto' } });
  await assertHandedOver(pair, commit);
});

test('an object is kept while the Application that gains it cannot be rendered, and handed over once it can', async () => {
  const pair = await declarePair('stumbles');
  await pair.repository.commit({
    'one/moved.yaml': null,
    'two/moved.yaml': text(configMap('moved', { from: 'two' })),
    'two/kustomization.yaml': 'resources: [b.yaml, moved.yaml, nowhere.yaml]',
  });
  await pair.one.refresh();
  const waits = await pair.one.until('waits', (a) => /stumbles-two/.test(readyMessage(a)));
  assert.equal(readyReason(waits), 'False Progressing');
  assert.match(readyMessage(waits), /ConfigMap stumbles\/moved: .*Application apps\/stumbles-two/);
  assert.equal(uidOf(await world.read(pair.path)), pair.uid);
  const broken = await pair.two.until('broken', (a) => readyReason(a) === 'False BuildFailed');
  assert.deepEqual(inventoryOf(broken), ['ConfigMap stumbles/b'], 'it keeps what it had');
  const commit = await pair.repository.commit({ 'two/kustomization.yaml': null });
  await pair.two.refresh();
  await assertHandedOver(pair, commit);
});

test('an object that no other Application of the source claims is pruned as soon as all of them have read the commit', async () => {
  const pair = await declarePair('unwanted');
  const commit = await pair.repository.commit({ 'one/moved.yaml': null });
  await pair.one.refresh();
  await untilGone(world, pair.path);
  await pair.one.untilReady(commit);
  // The other Application was polled too, although its interval is an hour.
  await pair.two.untilReady(commit);
});

test('objects that two Applications exchange, and one that moves to a third, are kept', async () => {
  const pair = await declarePair('carousel');
  const three = await world.declare('carousel-three', {
    source: { repoURL: pair.repository.url, path: 'three', interval: '1h' },
    destination: { namespace: 'carousel' },
  });
  await three.until('no path', (a) => readyReason(a) === 'False BuildFailed');
  const names = ['a', 'b', 'moved'];
  const uids = async () =>
    Promise.all(names.map(async (name) => uidOf(await world.read(configMapPath('carousel', name)))));
  const before = await uids();
  const commit = await pair.repository.commit({
    'one/a.yaml': null,
    'one/moved.yaml': null,
    'one/b.yaml': text(configMap('b', { now: 'one' })),
    'two/b.yaml': null,
    'two/a.yaml': text(configMap('a', { now: 'two' })),
    'three/moved.yaml': text(configMap('moved', { now: 'three' })),
  });
  await pair.two.refresh();
  const found = [await pair.one.untilReady(commit), await pair.two.untilReady(commit), await three.untilReady(commit)];
  assert.deepEqual(found.map(inventoryOf), [
    ['ConfigMap carousel/b'],
    ['ConfigMap carousel/a'],
    ['ConfigMap carousel/moved'],
  ]);
  assert.deepEqual(await uids(), before);
});

test('an object that moves while no agent runs is handed over by the next agent', async () => {
  const pair = await declarePair('asleep');
  await agent.stop();
  const commit = await move(pair);
  agent = await world.agent({ flags: ['--concurrency', '1'] });
  await assertHandedOver(pair, commit);
});

test('a prune does not wait for Applications of another repository', async () => {
  const pair = await declarePair('alone');
  const elsewhere = await world.declare('alone-elsewhere', {
    source: { repoURL: `${world.git.url}/nowhere.git`, path: 'two', interval: '1h' },
  });
  await elsewhere.until('no repository', (a) => readyReason(a) === 'False ArtifactFailed');
  await pair.repository.commit({ 'one/moved.yaml': null });
  await pair.one.refresh();
  await untilGone(world, pair.path);
});
