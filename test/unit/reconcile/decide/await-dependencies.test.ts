import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import { idKey } from '../../../../src/object/identity.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { awaitDependencies, type DependencyWait } from '../../../../src/reconcile/decide/await-dependencies.ts';
import { createNeighbourhood, storedOf, type StoredOptions } from '../../../support/applications.ts';
import { changeOf, idOf, leftChange } from '../../../support/changes.ts';

const REVISION = 'main@sha1:1';
const STATE = { commit: '1', readByMs: 100 };

/** The Application `apps/base`, of another source, which is Ready or not. */
function baseOf(ready: 'True' | 'False', dependsOn: readonly string[] = []): StoredOptions {
  return {
    name: 'base',
    spec: { source: { repoURL: 'https://git.example.com/base.git' }, dependsOn: namesOf(dependsOn) },
    status: { conditions: [{ type: 'Ready', status: ready, reason: 'Because', observedGeneration: 1 }] },
  };
}

const namesOf = (dependsOn: readonly string[]) => dependsOn.map((name) => ({ name }));

/** The answer to `apps/shop`. */
function ask(
  dependsOn: readonly string[],
  changes: readonly Change[],
  { others = [], isAccepted = false }: { others?: readonly StoredOptions[]; isAccepted?: boolean } = {},
): DependencyWait | undefined {
  const { add, neighbours } = createNeighbourhood();
  const { stored } = add({ spec: { dependsOn: namesOf(dependsOn) } });
  for (const other of others) add(other);
  return awaitDependencies({
    key: 'apps/shop',
    stored,
    revision: REVISION,
    state: STATE,
    changes,
    isAccepted: () => isAccepted,
    neighbours,
  });
}

const CREATE = changeOf('create');
const KEY = idKey(CREATE.id);

test('a new object waits for an Application that is not Ready', () => {
  const reason = 'Application apps/base is not Ready (Because)';
  const wait = ask(['base'], [CREATE], { others: [baseOf('False')] });
  assert.deepEqual(wait, { reason, waits: new Map([[KEY, reason]]) });
});

test('nothing waits without dependencies, or once all of them are Ready', () => {
  assert.equal(ask([], [CREATE]), undefined);
  assert.equal(ask(['base'], [CREATE], { others: [baseOf('True')] }), undefined);
});

test('the first of several Applications that are not Ready is named', () => {
  const wait = ask(['base', 'missing', 'other'], [CREATE], { others: [baseOf('True')] });
  assert.equal(wait?.reason, 'Application apps/missing does not exist');
});

test('an Application of the same source is waited for until it has applied the revision', () => {
  const at = (lastAppliedRevision: string): StoredOptions => ({
    ...baseOf('True'),
    spec: {},
    status: { ...baseOf('True').status, sync: { status: 'Synced', lastAppliedRevision } },
  });
  assert.match(ask(['base'], [CREATE], { others: [at('main@sha1:0')] })?.reason ?? '', /not at main@sha1:1 yet$/);
  assert.equal(ask(['base'], [CREATE], { others: [at(REVISION)] }), undefined);
});

const TYPES: readonly (readonly [ChangeType, boolean])[] = [
  ['create', true],
  ['update', true],
  ['adopt', true],
  ['unsure', true],
  ['none', false],
  ['conflict', false],
  ['unknown', false],
];
for (const [type, isHeld] of TYPES) {
  test(`a change of type ${type} ${isHeld ? 'waits' : 'does not wait'} for a dependency`, () => {
    assert.deepEqual([...(ask(['base'], [changeOf(type)])?.waits.keys() ?? [])], isHeld ? [KEY] : []);
  });
}

test('a prune waits even if its manifest was accepted once, and a release does not', () => {
  const changes = [leftChange('prune', idOf('a')), leftChange('release', idOf('b'))];
  assert.deepEqual([...(ask(['base'], changes, { isAccepted: true })?.waits.keys() ?? [])], [idKey(idOf('a'))]);
});

test('an object whose manifest was accepted before is healed while others wait', () => {
  assert.equal(ask(['base'], [changeOf('update')], { isAccepted: true }), undefined);
});

test('a cycle is reported even if nothing waits for it', () => {
  const others = [baseOf('True', ['third']), { name: 'third', spec: { dependsOn: namesOf(['shop']) } }];
  const reason = 'spec.dependsOn is a cycle: apps/shop → apps/base → apps/third → apps/shop';
  assert.deepEqual(ask(['base'], [], { others }), { reason, waits: new Map() });
  assert.deepEqual(ask(['base'], [CREATE], { others })?.waits, new Map([[KEY, reason]]));
});

test('a cycle among other Applications is not a cycle of this one', () => {
  const wait = ask(['base'], [CREATE], { others: [baseOf('True', ['base'])] });
  assert.equal(wait, undefined);
});

test('the manifest of the change decides whether it was accepted', () => {
  const { add, neighbours } = createNeighbourhood();
  add();
  const asked: string[] = [];
  awaitDependencies({
    key: 'apps/shop',
    stored: storedOf({ spec: { dependsOn: namesOf(['base']) } }),
    revision: REVISION,
    state: STATE,
    changes: [changeOf('update', { id: idOf('a') })],
    isAccepted: (id, digest) => asked.push(`${idKey(id)} ${digest}`) > 0,
    neighbours,
  });
  assert.deepEqual(asked, [`${idKey(idOf('a'))} digest`]);
});

const oid = (digit: string): string => digit.repeat(40);

interface Polled {
  readonly digit: string;
  readonly begunMs: number;
}

/**
 * `apps/shop` has read a commit with a poll from 50 to 100 ms. `apps/base` follows the same branch; it has announced
 * what its polls brought, and has applied the commit of the first of them.
 */
function askSameSource(polls: readonly Polled[], spec: ValueMap = {}) {
  const { add, neighbours, pollsAskedOf } = createNeighbourhood();
  const { stored } = add({ spec: { dependsOn: namesOf(['base']) } });
  const [applied] = polls;
  const sync = applied ? { status: 'Synced', lastAppliedRevision: `main@sha1:${oid(applied.digit)}` } : undefined;
  const conditions = [{ type: 'Ready', status: 'True', reason: '', message: '', observedGeneration: 1 }];
  add({ name: 'base', spec, status: { conditions, ...(sync && { sync }) } });
  for (const { digit, begunMs } of polls) {
    const poll = { begunMs, endedMs: begunMs + 10 };
    neighbours.announce(
      'apps/base',
      { commit: oid(digit), generation: 1, ids: new Set(), isComplete: true, poll },
      false,
    );
  }
  const wait = awaitDependencies({
    key: 'apps/shop',
    stored,
    revision: `main@sha1:${oid('2')}`,
    state: { commit: oid('2'), readByMs: 100 },
    changes: [CREATE],
    isAccepted: () => false,
    neighbours,
  });
  return { isMet: wait === undefined, isAsked: pollsAskedOf('base') > 0 };
}

const SAME_SOURCE: readonly (readonly [string, readonly Polled[], { isMet: boolean; isAsked: boolean }])[] = [
  ['has announced nothing', [], { isMet: false, isAsked: true }],
  ['has applied an older commit and not polled since', [{ digit: '1', begunMs: 20 }], { isMet: false, isAsked: true }],
  ['polled at the same time', [{ digit: '3', begunMs: 60 }], { isMet: false, isAsked: true }],
  ['has applied the commit', [{ digit: '2', begunMs: 20 }], { isMet: true, isAsked: false }],
  ['has applied a newer commit', [{ digit: '3', begunMs: 100 }], { isMet: true, isAsked: false }],
  [
    'has applied a newer commit and read a third one',
    [
      { digit: '3', begunMs: 100 },
      { digit: '4', begunMs: 200 },
    ],
    { isMet: true, isAsked: false },
  ],
  [
    'has applied an older commit and read a newer one',
    [
      { digit: '1', begunMs: 20 },
      { digit: '3', begunMs: 100 },
    ],
    { isMet: false, isAsked: false },
  ],
];
for (const [what, polls, expected] of SAME_SOURCE) {
  test(`a dependency of the same source that ${what} ${expected.isMet ? 'is met' : 'is waited for'}`, () => {
    assert.deepEqual(askSameSource(polls), expected);
  });
}

test('a suspended dependency is not asked to poll', () => {
  assert.deepEqual(askSameSource([{ digit: '1', begunMs: 20 }], { suspend: true }), { isMet: false, isAsked: false });
});
