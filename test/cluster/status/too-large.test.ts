/** Commits whose inventory, namespaces or Jobs have no room in the stored Application. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  syncOf,
  untilFailed,
  untilObject,
  type Subject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({ agent: true });

/** Characters that cannot be compressed. */
function longName(chars: number): string {
  return Array.from(randomBytes(chars), (byte) => (byte % 36).toString(36)).join('');
}

async function untilRefused(subject: Subject, what: RegExp): Promise<number> {
  await subject.application.request({ action: 'refresh' });
  const { isStalled, message } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, what);
  assert.match(message, /divide it into several Applications/);
  assert.ok(isStalled);
  assert.equal(syncOf(await subject.application.read()), 'OutOfSync');
  const fits = /about (\d+) such \w+ fit/.exec(message)?.[1];
  assert.ok(fits !== undefined, message);
  return Number(fits);
}

/** Nothing of the revision is applied, and what was applied before is healed. */
async function isLeftInPeace(subject: Subject): Promise<void> {
  await world.send('PATCH', configMapPath(subject.namespace, 'a'), { data: { v: 'hand' } });
  await untilObject(world, configMapPath(subject.namespace, 'a'), (object) => at(object, 'data', 'v') === 'git');
  const { items } = (await world.read(`${configMapPath(subject.namespace, '').slice(0, -1)}?limit=10`)) ?? {};
  assert.deepEqual(
    ((items ?? []) as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name),
    ['a'],
  );
}

test('objects whose ids have no room in the status are refused before the first of them is created, with the number that fits', async () => {
  const subject = await declareSubject(world, 'large', { files: { 'a.yaml': text(configMap('a', { v: 'git' })) } });
  await subject.application.untilReady();
  const names = Array.from({ length: 10_000 }, () => longName(253));
  await subject.repository.commit({ 'b.yaml': text(...names.map((name) => configMap(name, {}))) });
  const fits = await untilRefused(subject, /the ids of its 10001 objects \(1 of them applied before\) take/);
  assert.ok(fits > 4_000 && fits < 8_000, String(fits));
  await isLeftInPeace(subject);
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.refresh();
  await subject.application.untilReady();
});

test('namespaces that have no room in the annotations are refused, with the number that fits', async () => {
  const subject = await declareSubject(world, 'wide', { files: { 'a.yaml': text(configMap('a', { v: 'git' })) } });
  await subject.application.untilReady();
  const placed = Array.from({ length: 4_300 }, (_, index) =>
    configMap('c', {}, { namespace: `team-${String(index).padStart(6, '0')}-${'x'.repeat(48)}` }),
  );
  await subject.repository.commit({ 'b.yaml': text(...placed) });
  const fits = await untilRefused(subject, /its objects are in 4301 other namespaces/);
  assert.ok(fits > 3_900 && fits < 4_300, String(fits));
  await isLeftInPeace(subject);
});
