/** The announcements of an Application, and those in the name of a suspended one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { Problem } from '../../../../src/object/problem.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import { announceDesired, readForSuspended, type ReadDesired } from '../../../../src/reconcile/decide/plan-pass.ts';
import type { BoundSet } from '../../../../src/reconcile/desired/bind-desired.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import {
  applicationOf,
  createNeighbourhood,
  snapshotOf,
  sourceOf,
  type StoredOptions,
} from '../../../support/applications.ts';
import { kindsOf, manifestOf, manifestsOf, scriptReading } from '../../../support/reading.ts';
import { desiredOf, idOf } from '../../../support/changes.ts';

const SNAPSHOT = snapshotOf('1');
const A = idOf('a');
const PROBLEM: Problem = { code: 'YamlSyntax', message: 'it is not YAML' };

const SUSPENDED = { name: 'other', spec: { suspend: true, destination: { namespace: 'apps' } } };
const IN_APPS = idOf('a', { namespace: 'apps' });

/** Reads `apps/other` for an Application that waits, and returns what was announced in its name. */
async function readOther(script: Parameters<typeof scriptReading>[0], other: StoredOptions = SUSPENDED) {
  const { add, neighbours } = createNeighbourhood();
  const { memory } = add(other);
  const { context, requests } = scriptReading({ discoveries: [kindsOf(IN_APPS)], ...script });
  const neighbour = neighbours.get('apps/other');
  assert.ok(neighbour);
  const { signal } = new AbortController();
  await readForSuspended({ context: { ...context, neighbours }, memory: emptyMemory(), signal }, [neighbour], SNAPSHOT);
  assert.deepEqual(memory, emptyMemory());
  const { commit, ids, isComplete } = neighbours.get('apps/other')?.announced ?? {};
  return { announced: commit === undefined ? undefined : { commit, ids: [...(ids ?? [])], isComplete }, requests };
}

test('a suspended Application is rendered in a memory of its own, and announced in its name', async () => {
  const manifests = manifestsOf([manifestOf(IN_APPS)]);
  const { announced, requests } = await readOther({ render: () => manifests });
  assert.deepEqual(announced, { commit: SNAPSHOT.commit, ids: [idKey(IN_APPS)], isComplete: true });
  assert.deepEqual(requests, ['find', 'render ']);
});

test('a suspended Application whose folder cannot be rendered or bound is announced as incomplete', async () => {
  const unbindable = manifestsOf([manifestOf({ ...IN_APPS, kind: 'Widget' }), manifestOf(IN_APPS)]);
  const bound = await readOther({ render: () => unbindable });
  assert.deepEqual(bound.announced, { commit: SNAPSHOT.commit, ids: [idKey(IN_APPS)], isComplete: false });
  const failing = (): never => {
    throw new StageError({ stage: 'render', code: 'Killed', retry: 'backoff', message: 'out of memory' });
  };
  const failed = await readOther({ render: failing });
  assert.deepEqual(failed.announced, { commit: SNAPSHOT.commit, ids: [], isComplete: false });
  const unreadable = { name: 'other', spec: { suspend: true, sync: { mode: 'sometimes' } } };
  assert.deepEqual(await readOther({}, unreadable), { announced: undefined, requests: [] });
});

test('a defect in the render of a suspended Application, and the end of the agent, end the pass', async () => {
  const defect = (): never => {
    throw new TypeError('a defect');
  };
  await assert.rejects(readOther({ render: defect }), TypeError);
  const { add, neighbours } = createNeighbourhood();
  add(SUSPENDED);
  const controller = new AbortController();
  const { context } = scriptReading({
    render: () => {
      controller.abort();
      throw new StageError({ stage: 'render', code: 'Cancelled', retry: 'backoff', message: 'cancelled' });
    },
  });
  const reader = { context: { ...context, neighbours }, memory: emptyMemory(), signal: controller.signal };
  await assert.rejects(readForSuspended(reader, [...neighbours.all()], SNAPSHOT), StageError);
});

const BOUND: BoundSet = {
  desired: { objects: [desiredOf({ id: A })], problems: [], digest: '' },
  kinds: kindsOf(),
  isComplete: true,
};
const RENDERED = manifestsOf([manifestOf(A)]);
const ABSENT = manifestsOf([], {
  problems: [{ code: 'PathNotFound', message: 'there is no folder deploy' }],
  readSet: { deploy: '' },
});

const SETS: readonly (readonly [string, Partial<ReadDesired>, readonly ObjectId[], boolean])[] = [
  ['a complete set', {}, [A], true],
  ['an incomplete set', { bound: { ...BOUND, isComplete: false } }, [A], false],
  ['no set, since the render failed,', { manifests: undefined, bound: undefined }, [], false],
  ['the last set, since the render is not usable,', { manifests: manifestsOf([], { problems: [PROBLEM] }) }, [], false],
  ['a folder that is not in the commit', { manifests: ABSENT }, [], true],
];
for (const [what, read, ids, isComplete] of SETS) {
  test(`${what} is announced as ${isComplete ? 'complete' : 'incomplete'} with ${ids.length} objects`, () => {
    const { announced } = announce({ snapshot: SNAPSHOT, manifests: RENDERED, bound: BOUND, ...read });
    assert.deepEqual(announced?.ids, new Set(ids.map(idKey)));
    assert.deepEqual(
      [announced?.commit, announced?.generation, announced?.isComplete],
      [SNAPSHOT.commit, 3, isComplete],
    );
  });
}

/** Announces in the name of `apps/shop`, whose source was polled from 5 to 9. */
function announce(read: ReadDesired, isPinned = false) {
  const { add, neighbours } = createNeighbourhood();
  add();
  const application = applicationOf({ spec: { source: { path: 'deploy' } }, metadata: { generation: 3 } });
  const memory = emptyMemory();
  memory.desired.source = sourceOf({ snapshot: SNAPSHOT, answered: { begunMs: 5, endedMs: 9 } });
  announceDesired({ key: 'apps/shop', application, context: { neighbours }, memory, isPinned }, read);
  return { announced: neighbours.get('apps/shop')?.announced };
}

test('an announcement carries the times of the poll, except at a commit that a request names', () => {
  const read = { snapshot: SNAPSHOT, manifests: RENDERED, bound: BOUND };
  assert.deepEqual(announce(read).announced?.poll, { begunMs: 5, endedMs: 9 });
  assert.deepEqual(announce(read, true).announced?.poll, { begunMs: -Infinity, endedMs: Infinity });
});
