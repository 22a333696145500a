import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../../../src/object/error-code.ts';
import { sourceError } from '../../../../src/object/source-error.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import type { SecretAnswer } from '../../../../src/cluster/ports.ts';
import { refreshOthers } from '../../../../src/reconcile/desired/other-sources.ts';
import { forgetRefusedRender, isUsable, renderSnapshot } from '../../../../src/reconcile/desired/render-snapshot.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import type { SubmoduleNeed } from '../../../../src/render/needs.ts';
import { beginReading, type Reading } from '../../../../src/reconcile/pass.ts';
import { applicationOf, snapshotOf, sourceOf } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';
import { manifestOf, manifestsOf, scriptReading, type ReadingScript } from '../../../support/reading.ts';

const SNAPSHOT = snapshotOf('1');

interface Scene {
  /** Notes that the source was polled now. */
  readonly poll: () => void;
  readonly readingOf: (spec: Record<string, unknown>) => Reading;
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
    poll: () => {
      memory.desired.source = sourceOf({ snapshot: SNAPSHOT, polledMs: clock.monotonicMs() });
    },
    readingOf: (spec) =>
      beginReading({
        application: applicationOf({ spec: { source: { path: 'deploy' }, ...spec } }),
        memory,
        context,
        signal,
      }),
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

const SETTINGS = { type: 'data', key: 'ConfigMap settings', kind: 'ConfigMap', name: 'settings' } as const;

function dataAnswer(text: string): SecretAnswer {
  return { ok: true, data: new Map([['color', Buffer.from(text)]]) };
}

const SUBMODULE: SubmoduleNeed = {
  type: 'submodule',
  key: 'submodule:lib',
  repoURL: 'https://git.example.com/lib.git',
  parentURL: 'https://git.example.com/app.git',
  commit: 'a'.repeat(40),
  path: 'lib',
  owner: '',
  file: '.gitmodules',
  line: 3,
};

test('a submodule that could not be brought is rendered once it can, although no file has changed', async () => {
  let isServed = false;
  const mayBeUnchanged: boolean[] = [];
  const { at, clock } = scene({
    poll: () => {
      if (!isServed) throw sourceError('RevisionNotFound', 'no such commit');
      return snapshotOf('a');
    },
    render: (request) => {
      const answer = request.answers.get(SUBMODULE.key);
      if (answer === undefined) return manifestsOf([], { needs: [SUBMODULE] });
      mayBeUnchanged.push(request.mayBeUnchanged);
      const answersUsed = [SUBMODULE.key];
      if (answer.type === 'refused') return manifestsOf([], { problems: [answer.problem], answersUsed });
      return manifestsOf([manifestOf(idOf('web'))], { answersUsed });
    },
  });
  const refused = await renderSnapshot(at(), SNAPSHOT);
  assert.match(refused.problems[0]?.message ?? '', /^the submodule lib is at the commit a{40}, which the server/);
  assert.equal(await renderSnapshot(at(), SNAPSHOT), refused);
  isServed = true;
  clock.nowMs += 120_000;
  const { problems, manifests } = await renderSnapshot(at(), SNAPSHOT);
  assert.deepEqual([problems, manifests.length], [[], 1]);
  assert.deepEqual(mayBeUnchanged, [false, false]);
});

test('an outage of the server of a submodule is no problem of the repository', async () => {
  const { at } = scene({
    poll: () => {
      throw sourceError('Network', 'The server could not be reached.');
    },
    render: ({ answers }) => manifestsOf([], answers.has(SUBMODULE.key) ? {} : { needs: [SUBMODULE] }),
  });
  await assert.rejects(renderSnapshot(at(), SNAPSHOT), {
    code: 'Network',
    message: '.gitmodules:3: the submodule lib cannot be read: The server could not be reached.',
  });
});

test('data that a render asks for is read once, and again after the next poll of the source', async () => {
  let color = 'red';
  const answers: unknown[] = [];
  const { at, requests, clock, poll } = scene({
    configMap: () => dataAnswer(color),
    render: ({ answers: known, mayBeUnchanged }) => {
      if (!known.has(SETTINGS.key)) return manifestsOf([], { needs: [SETTINGS] });
      answers.push([known.get(SETTINGS.key), mayBeUnchanged]);
      return manifestsOf([manifestOf(idOf('web'))], { answersUsed: [SETTINGS.key] });
    },
  });
  const first = await renderSnapshot(at(), SNAPSHOT);
  assert.deepEqual(requests, ['find', 'render deploy', 'configmap settings', 'render deploy']);
  assert.equal(await renderSnapshot(at(), SNAPSHOT), first);
  assert.equal(requests.length, 4, 'nothing is asked before a poll');
  clock.nowMs += 1_000;
  poll();
  assert.equal(await renderSnapshot(at(), SNAPSHOT), first, 'the same data gives the same render');
  assert.deepEqual(requests.slice(4), ['configmap settings']);
  color = 'blue';
  clock.nowMs += 1_000;
  poll();
  await renderSnapshot(at(), SNAPSHOT);
  assert.deepEqual(requests.slice(5), ['configmap settings', 'find', 'render deploy']);
  assert.deepEqual(answers, [
    [{ type: 'data', data: { color: 'red' } }, false],
    [{ type: 'data', data: { color: 'blue' } }, false],
  ]);
});

test('data that may not be read fails the render, and says whose right is missing', async () => {
  const refusal = { code: 'Forbidden', message: 'forbidden', retry: 'never', status: 403 } as const;
  const { at } = scene({
    configMap: () => ({ ok: false, refusal }),
    render: () => manifestsOf([], { needs: [SETTINGS] }),
  });
  await assert.rejects(renderSnapshot(at(), SNAPSHOT), (error) => {
    assert.equal((error as StageError).code, 'DataForbidden');
    assert.match((error as StageError).message, /ConfigMap apps\/settings of spec.render may not be read by /);
    return true;
  });
});

test('the tree of another source is handed to the render by its name, and a new commit of it renders again', async () => {
  let commit = '3';
  const trees: unknown[] = [];
  const values = { name: 'values', repoURL: 'https://git.example.com/values.git', path: 'prod' };
  const { readingOf, clock, requests } = scene({
    poll: () => ({ ...snapshotOf(commit), id: `values ${commit}` }),
    render: ({ trees: given }) => {
      trees.push([...given].map(([name, { path, tree }]) => [name, path, tree.treeOid]));
      return manifestsOf([]);
    },
  });
  const reading = readingOf({ sources: [values] });
  const first = await renderSnapshot(reading, SNAPSHOT);
  assert.deepEqual(requests, [`poll ${values.repoURL}`, 'fetch', 'find', 'render deploy']);
  assert.equal(await renderSnapshot(reading, SNAPSHOT), first);
  clock.nowMs += 120_000;
  assert.deepEqual(await refreshOthers(reading, false), []);
  assert.equal(await renderSnapshot(reading, SNAPSHOT), first, 'the same commit');
  commit = '4';
  clock.nowMs += 120_000;
  assert.deepEqual(await refreshOthers(reading, false), []);
  await renderSnapshot(reading, SNAPSHOT);
  assert.deepEqual(trees, [
    [['$values', 'prod', snapshotOf('3').tree.treeOid]],
    [['$values', 'prod', snapshotOf('4').tree.treeOid]],
  ]);
});
