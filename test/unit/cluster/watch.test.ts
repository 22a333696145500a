import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import { noMetrics } from '../../../src/cluster/metrics.ts';
import type { HttpAnswer, HttpRequest, StreamAnswer } from '../../../src/cluster/transport.ts';
import { startWatch, type Watch } from '../../../src/cluster/watch.ts';
import { stringAt } from '../../../src/object/value.ts';

/** One scripted connection: what the watch asked for, and what it is told. */
interface Stream {
  readonly path: string;
  send(...events: object[]): void;
  sendText(text: string): void;
  end(): void;
  readonly isCut: boolean;
}

interface Script {
  readonly opened: Stream[];
  readonly listed: string[];
  readonly restarts: string[];
  readonly told: string[];
  readonly watch: Watch;
  recover(isSuspect: boolean): void;
}

interface ScriptOptions {
  readonly openStatus?: (n: number) => number;
  readonly list?: (path: string) => HttpAnswer;
  readonly maxWatchLineBytes?: number;
}

const noAnswer: HttpAnswer = { status: 0, headers: {}, text: '', failure: 'nothing there' };
const configMaps = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  hasStatus: false,
  watchable: true,
};

function play({
  openStatus = () => 200,
  list = () => noAnswer,
  maxWatchLineBytes = 10_000,
}: ScriptOptions = {}): Script {
  const opened: Stream[] = [];
  const listed: string[] = [];
  const restarts: string[] = [];
  const told: string[] = [];
  let onRecovery: (isSuspect: boolean) => void = () => {};
  const watch = startWatch({
    transport: {
      server: 'https://api.example.com',
      send(request: HttpRequest) {
        listed.push(request.path);
        return Promise.resolve(list(request.path));
      },
      openStream(request: HttpRequest, signal: AbortSignal): Promise<StreamAnswer> {
        const stream = createStream(request.path, signal);
        opened.push(stream);
        return Promise.resolve({ status: openStatus(opened.length), headers: {}, chunks: stream.chunks });
      },
      onRecovery(listener) {
        onRecovery = listener;
        return () => {};
      },
    },
    limits: { ...defaultClusterLimits, maxWatchLineBytes },
    clock: { monotonicMs: () => Date.now() },
    chance: () => 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: { ...noMetrics, onWatchRestart: ({ reason }) => void restarts.push(reason) },
    identity: agentIdentity,
    kind: configMaps,
    namespace: 'shop',
    labelSelector: 'part-of',
    sink: {
      begin: (isReset) => void told.push(isReset ? 'begin reset' : 'begin'),
      upsert: (value) =>
        void told.push(`put ${stringAt(value, 'metadata', 'name')}@${stringAt(value, 'metadata', 'resourceVersion')}`),
      deleted: (value) => void told.push(`deleted ${stringAt(value, 'metadata', 'name')}`),
      complete: (resourceVersion) => void told.push(`complete ${resourceVersion}`),
      live: () => void told.push('live'),
      failed: ({ code }) => void told.push(`failed ${code}`),
    },
  });
  return { opened, listed, restarts, told, watch, recover: (isSuspect) => onRecovery(isSuspect) };
}

function createStream(path: string, signal: AbortSignal): Stream & { chunks: AsyncIterable<Uint8Array> } {
  const queue: Uint8Array[] = [];
  let isEnded = false;
  let wake = (): void => {};
  signal.addEventListener('abort', () => wake());
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk) yield chunk;
      else if (signal.aborted) throw new DOMException('aborted', 'AbortError');
      else if (isEnded) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const stream = {
    path,
    chunks: read(),
    sendText(text: string) {
      queue.push(Buffer.from(text));
      wake();
    },
    send: (...events: object[]) => stream.sendText(events.map((event) => `${JSON.stringify(event)}\n`).join('')),
    end() {
      isEnded = true;
      wake();
    },
    get isCut() {
      return signal.aborted;
    },
  };
  return stream;
}

const object = (name: string, resourceVersion: string): object => ({ metadata: { name, resourceVersion } });
const added = (name: string, resourceVersion: string): object => ({
  type: 'ADDED',
  object: object(name, resourceVersion),
});
const endOfList = (resourceVersion: string): object => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } },
});
const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } };

async function settle(): Promise<void> {
  for (let n = 0; n < 30; n++) await turn();
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settle();
}

describe('a watch', () => {
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

  it('lists within the stream and is complete at the bookmark, in one request', async () => {
    script = play();
    await settle();
    assert.match(stream(0).path, /sendInitialEvents=true&resourceVersionMatch=NotOlderThan$/);
    assert.match(stream(0).path, /watch=1&allowWatchBookmarks=true&labelSelector=part-of&timeoutSeconds=270&/);
    stream(0).send(added('b', '7'), added('a', '5'), endOfList('9'), added('c', '11'));
    await settle();
    assert.deepEqual(script.told, ['begin', 'put b@7', 'put a@5', 'complete 9', 'live', 'put c@11']);
    assert.deepEqual(script.listed, []);
  });

  it('goes on where it was when the server ends it in its time', async () => {
    script = play();
    await listed();
    stream(0).send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } });
    await settle();
    stream(0).end();
    await settle();
    assert.match(stream(1).path, /&resourceVersion=40$/);
    assert.deepEqual(script.told, ['live']);
    assert.deepEqual([script.listed, script.restarts], [[], []]);
  });

  it('lists anew at once when the revision is too old, which comes as an event', async () => {
    script = play();
    await listed();
    stream(0).send(expired);
    await settle();
    assert.match(stream(1).path, /sendInitialEvents=true/);
    assert.deepEqual(script.restarts, ['expired']);
    stream(1).send(added('a', '50'), endOfList('51'));
    await settle();
    assert.deepEqual(script.told, ['begin', 'put a@50', 'complete 51', 'live']);
  });

  it('backs off when lists expire again and again', async () => {
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

  it('lists in pages where the server cannot list within a watch', async () => {
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
    assert.deepEqual(script.told, ['begin', 'put a@2', 'put b@3', 'complete 20', 'live']);
    assert.match(stream(1).path, /&resourceVersion=20$/);
    assert.ok(script.listed.every((path) => !path.includes('resourceVersion')));
  });

  it('lists in pages where the server never marks the end of its list', async () => {
    const page = JSON.stringify({ metadata: { resourceVersion: '20' }, items: [] });
    script = play({ list: () => ({ status: 200, headers: {}, text: page }) });
    await settle();
    stream(0).send(added('a', '2'));
    await settle();
    await pass(defaultClusterLimits.watchOpenTimeoutMs);
    assert.ok(stream(0).isCut);
    assert.deepEqual(script.told, ['begin', 'put a@2', 'begin', 'complete 20', 'live']);
  });

  it('is opened anew after silence, having asked how far the server is', async () => {
    script = play({
      list: () => ({
        status: 200,
        headers: {},
        text: JSON.stringify({ metadata: { resourceVersion: '12' }, items: [] }),
      }),
    });
    await listed();
    await pass(defaultClusterLimits.watchSilenceMs - 1);
    assert.equal(stream(0).isCut, false);
    await pass(1);
    assert.ok(stream(0).isCut);
    assert.deepEqual(script.restarts, ['silent']);
    assert.match(script.listed[0] ?? '', /limit=1$/);
    assert.match(stream(1).path, /&resourceVersion=9$/);
  });

  it('is cut some time after the server should have ended it', async () => {
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

  it('replaces all it knows when the history of the cluster went back', async () => {
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
    assert.deepEqual(script.told, ['begin reset', 'put a@2', 'complete 3', 'live']);
  });

  it('is opened anew when a request of the cluster timed out', async () => {
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

  it('is told as failed when it never listed, and tried again ever more slowly', async () => {
    script = play({ openStatus: () => 403 });
    await settle();
    stream(0).end();
    await settle();
    assert.deepEqual(script.told, ['failed Forbidden']);
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

  it('is told as failed after a while without an API server, and not before', async () => {
    script = play();
    await listed();
    stream(0).sendText('no json\n');
    await settle();
    for (let seconds = 0; seconds < 55; seconds++) await pass(1_000);
    assert.deepEqual(script.told, []);
    for (let seconds = 0; seconds < 40; seconds++) await pass(1_000);
    assert.deepEqual([...new Set(script.told)], ['failed Unavailable']);
  });

  it('tries at once when the API server answers somebody else again', async () => {
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

  it('holds no more of a line than it may', async () => {
    script = play({ maxWatchLineBytes: 1_000 });
    await settle();
    stream(0).sendText('x'.repeat(1_001));
    await settle();
    assert.ok(stream(0).isCut);
    assert.deepEqual(script.told, ['begin', 'failed Unavailable']);
  });

  it('tells nothing more once it is stopped', async () => {
    script = play();
    await listed();
    script.watch.stop();
    stream(0).send(added('z', '99'));
    await settle();
    assert.ok(stream(0).isCut);
    assert.deepEqual(script.told, []);
  });
});
