import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../../../src/object/error-code.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import { forgetRefusedRender, isUsable, renderSnapshot } from '../../../../src/reconcile/desired/render-snapshot.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { beginReading, type Reading } from '../../../../src/reconcile/pass.ts';
import { applicationOf, snapshotOf } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';
import { manifestOf, manifestsOf, scriptReading, type ReadingScript } from '../../../support/reading.ts';

const SNAPSHOT = snapshotOf('1');

interface Scene {
  readonly clock: ReturnType<typeof scriptReading>['clock'];
  /** A reading of the folder `path`; all share one memory. */
  readonly at: (path?: string, source?: Record<string, string>) => Reading;
  readonly requests: string[];
}

function scene(script: ReadingScript = {}): Scene {
  const { context, requests, clock } = scriptReading(script);
  const memory = emptyMemory();
  const { signal } = new AbortController();
  return {
    clock,
    requests,
    at: (path = 'deploy', source = {}) =>
      beginReading({ application: applicationOf({ spec: { source: { path, ...source } } }), memory, context, signal }),
  };
}

test('a tree is rendered once for each path', async () => {
  const { at, requests } = scene();
  const first = await renderSnapshot(at('./deploy/'), SNAPSHOT);
  assert.deepEqual(requests, ['find', 'render deploy']);
  const { tree } = SNAPSHOT;
  assert.equal(await renderSnapshot(at('deploy'), { ...snapshotOf('2'), tree }), first, 'the files are the same');
  assert.deepEqual(requests, ['find', 'render deploy']);
  await renderSnapshot(at('other'), SNAPSHOT);
  await renderSnapshot(at('other'), snapshotOf('2'));
  assert.deepEqual(requests.slice(2), ['find', 'render other', 'find', 'render other']);
});

test('the render of a changed tree is given the last one of the same path', async () => {
  const previous: unknown[] = [];
  const { at } = scene({
    render: (request) => {
      previous.push(request.previous);
      return manifestsOf([]);
    },
  });
  const first = await renderSnapshot(at('deploy'), SNAPSHOT);
  await renderSnapshot(at('deploy'), snapshotOf('2'));
  await renderSnapshot(at('other'), snapshotOf('2'));
  await renderSnapshot(at(''), snapshotOf('2'));
  assert.deepEqual(previous, [undefined, first, undefined, undefined]);
});

test('a snapshot that has left the disk is fetched again, with the credential of the Application', async () => {
  const { at, requests } = scene({ isOnDisk: false, secret: { ok: true, data: new Map(LOGIN) } });
  await renderSnapshot(at('deploy', {}), SNAPSHOT);
  assert.deepEqual(requests, ['find', 'fetch', 'render deploy']);
  const reading = at('other');
  const application = applicationOf({ spec: { source: { path: 'other', secretRef: { name: 'git' } } } });
  await renderSnapshot({ ...reading, application }, SNAPSHOT);
  assert.deepEqual(requests.slice(3), ['find', 'secret git', 'fetch', 'render other']);
});

const LOGIN = Object.entries({ username: 'me', password: 'word' }).map(
  ([key, text]) => [key, Buffer.from(text)] as const,
);

const FAILURES: readonly (readonly [ErrorCode, boolean])[] = [
  ['CorruptPack', true],
  ['IncompletePack', true],
  ['SnapshotGone', true],
  ['Killed', false],
  ['LimitExceeded', false],
];
for (const [code, isDiscarded] of FAILURES) {
  test(`a snapshot whose render fails with ${code} is ${isDiscarded ? 'discarded' : 'kept'}`, async () => {
    let isFailing = false;
    const { at, requests } = scene({
      render: () => {
        if (isFailing) throw new StageError({ stage: 'render', code, retry: 'backoff', message: 'it failed' });
        return manifestsOf([]);
      },
    });
    const reading = at();
    await renderSnapshot(reading, SNAPSHOT);
    const { rendered } = reading.memory.desired;
    requests.length = 0;
    isFailing = true;
    await assert.rejects(renderSnapshot(reading, snapshotOf('2')), (error) => (error as StageError).code === code);
    assert.deepEqual(requests, ['find', 'render deploy', ...(isDiscarded ? ['discard'] : [])]);
    assert.equal(reading.memory.desired.rendered, rendered, 'the last render stays');
  });
}

const HOUR_MS = 3_600_000;

const REFUSALS = [
  ['was killed for its memory', 'Killed', 'memory', true],
  ['was killed for its time', 'Killed', 'time', true],
  ['is too large', 'TooLarge', undefined, true],
  ['crashed', 'Killed', 'crash', false],
  ['found no free process', 'SandboxBusy', undefined, false],
] as const;
for (const [outcome, code, reason, isRemembered] of REFUSALS) {
  test(`a render that ${outcome} is ${isRemembered ? 'not repeated for an hour' : 'repeated'}`, async () => {
    const cause = { reason };
    const { at, requests, clock } = scene({
      render: () => {
        throw new StageError({ stage: 'render', code, retry: 'backoff', message: 'it failed', cause });
      },
    });
    const jobs = () => requests.filter((request) => request.startsWith('render')).length;
    const fail = async (snapshot = SNAPSHOT, path = 'deploy') => {
      await assert.rejects(renderSnapshot(at(path), snapshot), (error) => (error as StageError).code === code);
    };
    await fail();
    clock.nowMs += HOUR_MS - 1;
    await fail();
    await fail({ ...snapshotOf('2'), tree: SNAPSHOT.tree });
    assert.equal(jobs(), isRemembered ? 1 : 3);
    if (!isRemembered) return;
    clock.nowMs += 1;
    await fail();
    assert.equal(jobs(), 2, 'after an hour');
    forgetRefusedRender(at().memory);
    await fail();
    assert.equal(jobs(), 3, 'after a request');
    await fail(snapshotOf('2'));
    assert.equal(jobs(), 4, 'another tree');
    await fail(snapshotOf('2'), 'other');
    assert.equal(jobs(), 5, 'another path');
  });
}

test('a render for which its namespace has no room is TooLarge, and tried again after a minute', async () => {
  let namespaceBytes = 900;
  const { at, requests, clock } = scene({
    render: () => manifestsOf([], { sizeBytes: 200 }),
    get renderedSizes() {
      return { namespaceBytes, totalBytes: namespaceBytes, namespaces: 1 };
    },
  });
  const isTooLarge = (error: unknown) => (error as StageError).code === 'TooLarge';
  await assert.rejects(renderSnapshot(at(), SNAPSHOT), isTooLarge);
  namespaceBytes = 100;
  await assert.rejects(renderSnapshot(at(), SNAPSHOT), isTooLarge);
  clock.nowMs += 60_000;
  assert.equal((await renderSnapshot(at(), SNAPSHOT)).sizeBytes, 200);
  assert.deepEqual(requests, ['find', 'render deploy', 'find', 'render deploy']);
});

test('a render without objects is usable if it has no problems', () => {
  const problems = [{ code: 'YamlSyntax', message: 'it is not YAML' }] as const;
  const manifests = [manifestOf(idOf('a'))];
  assert.equal(isUsable({ ...manifestsOf([]) }), true);
  assert.equal(isUsable({ ...manifestsOf([]), problems }), false);
  assert.equal(isUsable({ ...manifestsOf(manifests), problems }), true);
});
