/** The cost of a commit by which every Application of a repository loses an object. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handOver } from '../../../../src/reconcile/decide/hand-over.ts';
import { createNeighbourhood } from '../../../support/applications.ts';
import { idOf, leftChange } from '../../../support/changes.ts';

const APPLICATIONS = 100;

test('Applications that all wait for each other are woken and asked a few times each, not once for each pair', async () => {
  const place = createNeighbourhood();
  const names = Array.from({ length: APPLICATIONS }, (_, index) => `a${index}`);
  for (const name of names) place.add({ name });
  const pass = async (name: string): Promise<number> => {
    const key = `apps/${name}`;
    const poll = { begunMs: 0, endedMs: 0 };
    const statement = { commit: 'c', generation: 1, ids: new Set<string>(), isComplete: true, poll };
    place.neighbours.announce(key, statement, false);
    const { waits } = await handOver({
      key,
      state: { commit: 'c', readByMs: 0 },
      changes: [leftChange('prune', idOf(`of-${name}`))],
      isActing: true,
      isPinned: false,
      nowMs: 0,
      handOverWaitMs: 60_000,
      neighbours: place.neighbours,
      ownerOf: () => undefined,
      readForSuspended: () => Promise.resolve(),
      reviewStanding: () => Promise.resolve(() => true),
      reviewSay: () => Promise.resolve(() => true),
    });
    return waits.size;
  };
  const waiting: number[] = [];
  for (const name of names) waiting.push(await pass(name));
  // The last one has heard all others.
  assert.deepEqual(waiting, [...Array<number>(APPLICATIONS - 1).fill(1), 0]);
  assert.deepEqual(new Set(place.woken), new Set(names.map((name) => `apps/${name}`)));
  assert.ok(place.woken.length <= 3 * APPLICATIONS, `${place.woken.length} wake-ups`);
  for (const name of names)
    assert.ok(place.pollsAskedOf(name) <= 1, `${name} was asked ${place.pollsAskedOf(name)} times`);
  for (const name of names) assert.equal(await pass(name), 0, `${name} still waits`);
});
