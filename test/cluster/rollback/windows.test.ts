/** Sync windows over a change of clocks, with the test's own wall clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAgentInProcess } from '../../support/agent-in-process.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  outcomeOf,
  readyMessage,
  syncOf,
  untilObject,
} from '../../support/scene.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';

const { world } = useWorld();
/** Added to the clock of the machine. */
let aheadMs = 0;
const setClock = (time: string): void => void (aheadMs = Date.parse(time) - Date.now());
useStarted('the agent', async () => {
  setClock('2027-03-28T00:30:00Z');
  const agent = await startAgentInProcess(world.plane.kubeconfig, { now: () => Date.now() + aheadMs });
  return { ...agent, [Symbol.asyncDispose]: () => agent.stop() };
});

const file = (value: string) => ({ 'a.yaml': text(configMap('a', { k: value })) });
const isAt = (value: string) => (object: Json) => at(object, 'data', 'k') === value;
const windowOf = (application: Json): unknown => at(application, 'status', 'window');

test('a window that spring skips opens at the change, and in autumn it is open both times', async () => {
  const windows = [{ kind: 'allow', schedule: '30 2 * * *', duration: '30m', timeZone: 'Europe/Berlin' }];
  const subject = await declareSubject(world, 'windows', { files: file('1'), spec: { sync: { windows } } });
  const { application, repository } = subject;
  const closed = await application.until('closed', (it) => syncOf(it) === 'OutOfSync');
  assert.deepEqual(windowOf(closed), {
    isOpen: false,
    message: 'closed by allow 30 2 * * * for 30m (Europe/Berlin); it opens at 2027-03-28T01:00:00Z',
    changesAt: '2027-03-28T01:00:00Z',
  });
  assert.match(readyMessage(closed), /it opens at 2027-03-28T01:00:00Z/);
  const refused = await application.ask({ action: 'sync' });
  assert.equal(outcomeOf(refused), 'Refused');
  assert.match(answerOf(refused), /spec\.sync\.windows forbid it now/);
  assert.equal(await subject.configMap('a'), undefined);

  setClock('2027-03-28T00:59:58Z');
  await application.refresh();
  await untilObject(world, configMapPath('windows', 'a'), isAt('1'));
  const open = await application.until('open', (it) => at(it, 'status', 'window', 'isOpen') === true);
  assert.deepEqual(windowOf(open), { isOpen: true, changesAt: '2027-03-28T01:30:00Z' });

  setClock('2027-10-31T00:29:00Z');
  await repository.commit(file('2'));
  assert.equal(syncOf(await application.refresh()), 'OutOfSync');
  setClock('2027-10-31T01:15:00Z');
  const between = await application.refresh();
  assert.equal(at(windowOf(between), 'changesAt'), '2027-10-31T01:30:00Z');
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '1');
  setClock('2027-10-31T01:40:00Z');
  await application.refresh();
  await untilObject(world, configMapPath('windows', 'a'), isAt('2'));
});

test('a request syncs while a window with manual is closed, and drift waits for the opening', async () => {
  setClock('2027-06-01T12:00:00Z');
  const windows = [{ kind: 'deny', schedule: '0 12 * * *', duration: '1h', manual: true }];
  const subject = await declareSubject(world, 'asked', { files: file('1'), spec: { sync: { windows } } });
  await subject.application.until('closed', (it) => syncOf(it) === 'OutOfSync');
  assert.equal(outcomeOf(await subject.application.ask({ action: 'sync' })), 'Succeeded');
  await world.apply(configMap('a', { k: 'by hand' }, { namespace: 'asked' }), 'someone');
  await subject.application.until('drift is reported', (it) => syncOf(it) === 'OutOfSync');
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'by hand');
  setClock('2027-06-01T13:00:00Z');
  await subject.application.refresh();
  await untilObject(world, configMapPath('asked', 'a'), isAt('1'));
});
