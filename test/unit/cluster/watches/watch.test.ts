import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { defaultClusterLimits } from '../../../../src/cluster/limits.ts';
import {
  added,
  endOfList,
  expired,
  object,
  pass,
  play,
  reached,
  settle,
  type Script,
  type Stream,
} from './scripted-watch.ts';

let script: Script;
beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
afterEach(() => {
  script.watch.stop();
  mock.timers.reset();
});

const stream = (index: number): Stream => {
  const found = script.opened[index];
  assert.ok(found, `stream ${index} was opened`);
  return found;
};

async function listed(): Promise<void> {
  await settle();
  stream(0).send(added('b', '7'), added('a', '5'), endOfList('9'));
  await settle();
  script.told.splice(0);
}

test('a watch lists within its stream, in one request, and the list is complete at the bookmark', async () => {
  script = play();
  await settle();
  assert.match(stream(0).path, /sendInitialEvents=true&resourceVersionMatch=NotOlderThan$/);
  assert.match(stream(0).path, /watch=1&allowWatchBookmarks=true&labelSelector=part-of&timeoutSeconds=270&/);
  stream(0).send(added('b', '7'), added('a', '5'), endOfList('9'), added('c', '11'));
  await settle();
  assert.deepEqual(script.told, ['begin', 'put b@7', 'put a@5', 'complete 9', 'opened', 'put c@11']);
  assert.deepEqual(script.listed, []);
});

test('a stream that the server ends in time is followed by one from the same resourceVersion', async () => {
  script = play();
  await listed();
  stream(0).send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } });
  await settle();
  stream(0).end();
  await settle();
  assert.match(stream(1).path, /&resourceVersion=40$/);
  assert.deepEqual(script.told, ['opened']);
  assert.deepEqual([script.listed, script.restarts], [[], []]);
});

test('an expired resourceVersion, which comes as an event, is followed by a list at once', async () => {
  script = play();
  await listed();
  stream(0).send(expired);
  await settle();
  assert.match(stream(1).path, /sendInitialEvents=true/);
  assert.deepEqual(script.restarts, ['expired']);
  stream(1).send(added('a', '50'), endOfList('51'));
  await settle();
  assert.deepEqual(script.told, ['begin', 'put a@50', 'complete 51', 'opened']);
});

test('lists that expire again and again are retried with a backoff', async () => {
  script = play();
  await settle();
  stream(0).send(expired);
  await settle();
  stream(1).send(expired);
  await settle();
  assert.equal(script.opened.length, 2);
  await pass(100);
  assert.equal(script.opened.length, 3);
});

test('objects are listed in pages if the server refuses to list within a watch', async () => {
  script = play({
    openStatus: (n) => (n === 1 ? 422 : 200),
    list: (path) => ({
      status: 200,
      headers: {},
      text: path.includes('continue=next')
        ? JSON.stringify({ metadata: { resourceVersion: '20' }, items: [object('b', '3')] })
        : JSON.stringify({ metadata: { resourceVersion: '20', continue: 'next' }, items: [object('a', '2')] }),
    }),
  });
  await settle();
  stream(0).end();
  await settle();
  assert.deepEqual(script.told, ['begin', 'put a@2', 'put b@3', 'complete 20', 'opened']);
  assert.match(stream(1).path, /&resourceVersion=20$/);
  assert.ok(script.listed.every((path) => !path.includes('resourceVersion')));
});

test('objects are listed in pages if the server never marks the end of a list in a watch', async () => {
  const page = JSON.stringify({ metadata: { resourceVersion: '20' }, items: [] });
  script = play({ list: () => ({ status: 200, headers: {}, text: page }) });
  await settle();
  stream(0).send(added('a', '2'));
  await settle();
  await pass(defaultClusterLimits.watchOpenTimeoutMs);
  assert.ok(stream(0).isCut);
  assert.deepEqual(script.told, ['begin', 'put a@2', 'begin', 'complete 20', 'opened']);
});

test("a silent stream is cut, and followed by a check of the server's resourceVersion and a list", async () => {
  script = play({ list: reached('12') });
  await listed();
  await pass(defaultClusterLimits.watchSilenceMs - 1);
  assert.equal(stream(0).isCut, false);
  await pass(1);
  assert.ok(stream(0).isCut);
  assert.deepEqual(script.restarts, ['silent']);
  assert.match(script.listed[0] ?? '', /limit=1$/);
  assert.match(stream(1).path, /sendInitialEvents=true/);
});

test('a broken stream is followed by a list, since a restored etcd may have passed the resourceVersion again', async () => {
  script = play({ list: reached('12') });
  await listed();
  stream(0).sendText('no json\n');
  await settle();
  await pass(1_000);
  assert.match(stream(1).path, /sendInitialEvents=true/);
  stream(1).send(added('a', '3'), endOfList('12'));
  await settle();
  assert.deepEqual(script.told, ['begin', 'put a@3', 'complete 12', 'opened']);
});

test('a stream is cut if the server does not end it in time', async () => {
  script = play();
  await listed();
  for (let second = 0; second < 284; second += 4) {
    await pass(4_000);
    if (!stream(0).isCut) stream(0).send(added('a', String(100 + second)));
    await settle();
  }
  assert.equal(stream(0).isCut, false);
  await pass(2_000);
  assert.ok(stream(0).isCut);
});

test('all known objects are replaced when the history of the cluster went back', async () => {
  script = play({
    list: () => ({
      status: 200,
      headers: {},
      text: JSON.stringify({ metadata: { resourceVersion: '3' }, items: [] }),
    }),
  });
  await listed();
  await pass(defaultClusterLimits.watchSilenceMs);
  stream(1).send(added('a', '2'), endOfList('3'));
  await settle();
  assert.deepEqual(script.told, ['begin reset', 'put a@2', 'complete 3', 'opened']);
});

test('a stream is opened again when another request timed out', async () => {
  script = play({
    list: () => ({
      status: 200,
      headers: {},
      text: JSON.stringify({ metadata: { resourceVersion: '9' }, items: [] }),
    }),
  });
  await listed();
  script.recover(false);
  await settle();
  assert.equal(stream(0).isCut, false);
  script.recover(true);
  await settle();
  assert.ok(stream(0).isCut);
  assert.deepEqual(script.restarts, ['suspect']);
  assert.equal(script.opened.length, 2);
});

test('a watch that never listed is reported as failed, and is retried with a growing backoff', async () => {
  script = play({ openStatus: () => 500 });
  await settle();
  stream(0).end();
  await settle();
  assert.deepEqual(script.told, ['failed Unavailable']);
  for (const [index, delayMs] of [100, 200, 400, 800].entries()) {
    await pass(delayMs - 1);
    assert.equal(script.opened.length, index + 1);
    await pass(1);
    stream(index + 1).end();
    await settle();
  }
  for (let n = 0; n < 20; n++) {
    await pass(defaultClusterLimits.maxWatchBackoffMs / 2);
    script.opened.at(-1)?.end();
    await settle();
  }
  assert.equal(script.opened.length, 25);
});

test('a forbidden watch is retried at an interval, and starts over with a list', async () => {
  let mayWatch = true;
  script = play({ openStatus: () => (mayWatch ? 200 : 403), list: reached('9') });
  await listed();
  mayWatch = false;
  stream(0).end();
  await settle();
  for (let n = 0; n < 30; n++) {
    script.opened.at(-1)?.end();
    await pass(defaultClusterLimits.forbiddenWatchRetryMs / 2);
  }
  assert.deepEqual([...new Set(script.told)], ['failed Forbidden']);
  const before = script.opened.length;
  script.opened.at(-1)?.end();
  await pass(defaultClusterLimits.forbiddenWatchRetryMs / 2 - 1);
  assert.equal(script.opened.length, before);
  mayWatch = true;
  await pass(1);
  assert.match(script.opened.at(-1)?.path ?? '', /sendInitialEvents=true/);
});

test('a watch that recovers at its first or second retry logs no warning', async () => {
  let failures = 0;
  script = play({ openStatus: () => (failures-- > 0 ? 500 : 200), list: reached('9') });
  await listed();
  failures = 2;
  stream(0).end();
  for (const index of [1, 2]) {
    await settle();
    stream(index).end();
    await settle();
    await pass(1_000);
  }
  stream(3).send(endOfList('10'));
  await settle();
  assert.deepEqual(script.told.at(-1), 'opened');
  assert.ok(script.logged.every((line) => line.startsWith('debug')));
  assert.equal(script.logged.length, 2);
});

test('the third failure in a row logs one warning, and the recovery is logged', async () => {
  let isDown = false;
  script = play({ openStatus: () => (isDown ? 500 : 200), list: reached('9') });
  await listed();
  isDown = true;
  stream(0).end();
  for (let n = 0; n < 20; n++) {
    await pass(500);
    script.opened.at(-1)?.end();
  }
  isDown = false;
  await pass(defaultClusterLimits.maxWatchBackoffMs);
  script.opened.at(-1)?.send(added('a', '60'), endOfList('61'));
  await settle();
  const loud = script.logged.filter((line) => !line.startsWith('debug'));
  assert.deepEqual(loud, ['warn watch failed, retrying', 'info watch recovered']);
  assert.equal(script.logged.indexOf('warn watch failed, retrying'), 2);
});

test('a watch is reported as failed only after a while without an API server', async () => {
  script = play();
  await listed();
  stream(0).sendText('no json\n');
  await settle();
  for (let seconds = 0; seconds < 55; seconds++) await pass(1_000);
  assert.deepEqual(script.told, []);
  for (let seconds = 0; seconds < 40; seconds++) await pass(1_000);
  assert.deepEqual([...new Set(script.told)], ['failed Unavailable']);
});

test('a watch is retried at once when the API server answers another request again', async () => {
  script = play();
  await listed();
  stream(0).sendText('no json\n');
  await settle();
  for (let seconds = 0; seconds < 50; seconds++) await pass(1_000);
  const before = script.listed.length;
  script.recover(false);
  await settle();
  assert.equal(script.listed.length, before + 1);
});

test('a stream is cut at a line that exceeds the bound', async () => {
  script = play({ maxWatchLineBytes: 1_000 });
  await settle();
  stream(0).sendText('x'.repeat(1_001));
  await settle();
  assert.ok(stream(0).isCut);
  assert.deepEqual(script.told, ['begin', 'failed Unavailable']);
});

test('a stopped watch calls its sink no more', async () => {
  script = play();
  await listed();
  script.watch.stop();
  stream(0).send(added('z', '99'));
  await settle();
  assert.ok(stream(0).isCut);
  assert.deepEqual(script.told, []);
});
