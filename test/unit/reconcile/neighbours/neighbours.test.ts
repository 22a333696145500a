import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalRepository } from '../../../../src/application/repository.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import { stringAt } from '../../../../src/object/value.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { isHookPending } from '../../../../src/reconcile/neighbours/neighbours.ts';
import {
  createNeighbourhood,
  inventoryOf,
  snapshotOf,
  sourceOf,
  statementOf,
  storedOf,
} from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';
import { createClock } from '../../../support/clock.ts';

test('a neighbour shows the record as it is when it is asked', () => {
  const { add, neighbours } = createNeighbourhood();
  const record = add();
  const neighbour = neighbours.get('apps/shop');
  assert.ok(neighbour);
  assert.equal(neighbour.key, 'apps/shop');
  assert.equal(neighbour.stored, record.stored);
  assert.equal(neighbour.isDeleted, false);
  assert.equal(neighbour.followedRef, undefined);
  assert.equal(neighbour.isSourceFailing, false);
  assert.equal(neighbour.announced?.commit, undefined);
  assert.equal(neighbour.holds(idOf('a')), undefined);
  record.stored = storedOf({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
  record.memory.desired.source = sourceOf({ snapshot: snapshotOf('1', 'main'), error: new Error('down') });
  record.memory.inventory.ids = inventoryOf(idOf('a'));
  neighbours.announce('apps/shop', statementOf([], { commit: 'c1' }), false);
  assert.equal(neighbour.stored, record.stored);
  assert.equal(neighbour.isDeleted, true);
  assert.equal(neighbour.followedRef, 'main');
  assert.equal(neighbour.isSourceFailing, true);
  assert.equal(neighbour.announced?.commit, 'c1');
  assert.equal(neighbour.holds(idOf('a')), true);
  assert.equal(neighbour.holds(idOf('b')), false);
});

test('before its first pass a neighbour follows the branch that its status tells of its present spec', () => {
  const { add, neighbours } = createNeighbourhood();
  const sync = { status: 'Synced', revision: 'main@sha1:1' };
  const record = add({ status: { observedGeneration: 1, sync } });
  assert.equal(neighbours.get('apps/shop')?.followedRef, 'main');
  record.stored = storedOf({ status: { observedGeneration: 1, sync }, metadata: { generation: 2 } });
  assert.equal(neighbours.get('apps/shop')?.followedRef, undefined);
});

test('each stored version of an Application is parsed once', () => {
  const { add, neighbours, registry } = createNeighbourhood();
  const record = add();
  const application = neighbours.get('apps/shop')?.application;
  assert.ok(application);
  assert.equal(neighbours.get('apps/shop')?.application, application);
  assert.equal(registry.parsedOf(record.stored), registry.parsedOf(record.stored));
  record.stored = storedOf({ spec: { suspend: true } });
  assert.equal(neighbours.get('apps/shop')?.application?.spec.suspend, true);
  record.stored = storedOf({ spec: { suspend: 'yes' } });
  assert.equal(neighbours.get('apps/shop')?.application, undefined);
});

test('an Application that another one asks to poll is woken, and the question is counted', () => {
  const { add, neighbours, woken, pollsAskedOf } = createNeighbourhood();
  add();
  neighbours.askToPoll('apps/shop');
  neighbours.askToPoll('apps/shop');
  neighbours.askToPoll('apps/gone');
  assert.equal(pollsAskedOf('shop'), 2);
  assert.deepEqual(woken, ['apps/shop', 'apps/shop']);
});

test('webhooks wake an Application once until a poll knows of them', () => {
  const clock = createClock(5);
  const { add, neighbours, woken } = createNeighbourhood(clock);
  const record = add();
  assert.equal(isHookPending(record), false);
  neighbours.hearPush('apps/shop');
  assert.deepEqual(woken, ['apps/shop']);
  clock.nowMs = 6;
  neighbours.hearPush('apps/shop');
  neighbours.hearPush('apps/gone');
  assert.equal(record.signals.hookHeardMs, 6);
  assert.equal(isHookPending(record), true);
  assert.deepEqual(woken, ['apps/shop']);
  record.memory.desired.source = sourceOf({ pace: { factor: 1, heardMs: 6, isAwaiting: false } });
  assert.equal(isHookPending(record), false);
  clock.nowMs = 7;
  neighbours.hearPush('apps/shop');
  neighbours.hearPush('apps/shop');
  assert.deepEqual(woken, ['apps/shop', 'apps/shop']);
});

test('an announcement wakes those that wait, and asks those at another commit to poll', () => {
  const clock = createClock(3);
  const { add, neighbours, woken, pollsAskedOf } = createNeighbourhood(clock);
  for (const name of ['one', 'two', 'other']) add({ name });
  assert.equal(neighbours.awaitAnnouncements('apps/one', 'c1'), 3);
  neighbours.awaitAnnouncements('apps/two', 'c2');
  neighbours.askToAnnounce('apps/one', 'apps/other');
  neighbours.askToAnnounce('apps/one', 'apps/other');
  neighbours.askToAnnounce('apps/two', 'apps/other');
  assert.equal(pollsAskedOf('other'), 2);
  woken.length = 0;
  neighbours.announce('apps/other', statementOf([], { commit: 'c2' }), false);
  assert.deepEqual(woken, ['apps/one', 'apps/two']);
  assert.equal(pollsAskedOf('one'), 1);
  assert.equal(pollsAskedOf('two'), 0);
  woken.length = 0;
  neighbours.stopAwaiting('apps/one');
  neighbours.announce('apps/other', statementOf([], { commit: 'c3' }), false);
  assert.deepEqual(woken, ['apps/two']);
});

test('an Application whose memory is dropped has announced nothing, and its signals stay', () => {
  const { add, neighbours, registry } = createNeighbourhood();
  const record = add();
  record.memory.inventory.ids = inventoryOf(idOf('a'));
  record.memory.desired.source = sourceOf();
  record.signals.isForgetAsked = true;
  neighbours.askToPoll('apps/shop');
  neighbours.announce('apps/shop', statementOf([idOf('a')]), false);
  const { memory } = record;
  registry.forget(record);
  assert.equal(record.memory, memory);
  assert.deepEqual(memory, emptyMemory());
  assert.deepEqual(record.signals, {
    hookHeardMs: undefined,
    dataChangedMs: -Infinity,
    hooksDoubtedMs: undefined,
    entrusted: new Map(),
    pollsAsked: 1,
    askedMs: 0,
    isForgetAsked: false,
  });
  assert.equal(neighbours.get('apps/shop')?.announced, undefined);
  assert.deepEqual([...neighbours.desiredBy(idOf('a'))], []);
});

const NAMES = ['one', 'two', 'three'];
const ADDRESSES = [
  'https://git.example.com/team/shop.git',
  'https://git.example.com/Team/shop',
  'http://git.example.com:80/team/shop/',
  'https://git.example.com/team/other',
  'not an address',
];
const IDS = [idOf('a'), idOf('b'), idOf('c')];

const anyName = fc.constantFrom(...NAMES);
const anyStep = fc.oneof(
  fc.record({ type: fc.constant('note' as const), name: anyName, repoURL: fc.constantFrom(...ADDRESSES) }),
  fc.record({ type: fc.constantFrom('remove' as const, 'forget' as const), name: anyName }),
  fc.record({ type: fc.constant('announce' as const), name: anyName, ids: fc.subarray(IDS) }),
);

test('the indexes of the registry give the same answers as a scan of all records', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60, size: 'max' }), (steps) => {
      const { add, neighbours, registry, woken } = createNeighbourhood();
      const known = new Set<string>();
      const announced = new Map<string, readonly ObjectId[]>();
      for (const step of steps) {
        const key = `apps/${step.name}`;
        const record = registry.get(key);
        if (step.type === 'remove') {
          registry.remove(key);
          known.delete(key);
          announced.delete(key);
        } else if (step.type === 'note') {
          known.add(key);
          const stored = { name: step.name, spec: { source: { repoURL: step.repoURL } } };
          if (!record) add(stored);
          else {
            record.stored = storedOf(stored);
            registry.note(record);
          }
        } else if (record && step.type === 'forget') {
          registry.forget(record);
          announced.delete(key);
        } else if (record && step.type === 'announce') {
          neighbours.announce(key, statementOf(step.ids), false);
          announced.set(key, step.ids);
        }
        const all = [...neighbours.all()];
        const keysWhere = (holds: (neighbour: (typeof all)[number]) => boolean): string[] =>
          all
            .filter(holds)
            .map((neighbour) => neighbour.key)
            .sort();
        assert.deepEqual(
          keysWhere(() => true),
          [...known].sort(),
        );
        assert.deepEqual(Array.from(registry.records(), (shown) => shown.key).sort(), [...known].sort());
        for (const name of NAMES) assert.equal(registry.has(`apps/${name}`), known.has(`apps/${name}`));
        for (const address of ADDRESSES) {
          const canonical = canonicalRepository(address) ?? address;
          const isSame = (url = ''): boolean => (canonicalRepository(url) ?? url) === canonical;
          assert.deepEqual(
            Array.from(neighbours.ofRepository(address), (neighbour) => neighbour.key).sort(),
            keysWhere(({ stored }) => isSame(stringAt(stored, 'spec', 'source', 'repoURL'))),
          );
        }
        for (const id of IDS) {
          assert.deepEqual(
            Array.from(neighbours.desiredBy(id), (neighbour) => neighbour.key).sort(),
            keysWhere((neighbour) => announced.get(neighbour.key)?.includes(id) === true),
          );
        }
      }
      assert.equal(woken.length, 0);
    }),
  );
});

test('the size of the registry is the number of its records', () => {
  const { add, registry } = createNeighbourhood();
  for (const name of NAMES) add({ name });
  registry.remove('apps/one');
  assert.equal(registry.size, 2);
});
