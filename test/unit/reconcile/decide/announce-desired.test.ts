/** A pass announces for the Application that it is about, and for no other one of the same name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceDesired } from '../../../../src/reconcile/decide/plan-pass.ts';
import { createRecord, emptyMemory } from '../../../../src/reconcile/memory.ts';
import { applicationOf, createNeighbourhood, snapshotOf, storedOf } from '../../../support/applications.ts';

type Announcer = Parameters<typeof announceDesired>[0];

/** Announces for `apps/shop` as it was when the pass began, after `meanwhile`. */
function announcedAfter(meanwhile: (place: ReturnType<typeof createNeighbourhood>) => void) {
  const place = createNeighbourhood();
  place.add();
  const context = { neighbours: place.neighbours } as Announcer['context'];
  const announcer = { key: 'apps/shop', application: applicationOf(), context, memory: emptyMemory() };
  meanwhile(place);
  announceDesired(announcer, { snapshot: snapshotOf('a'), manifests: undefined, bound: undefined });
  return place;
}

test('a pass announces what its Application desires', () => {
  const { neighbours } = announcedAfter(() => undefined);
  assert.equal(neighbours.get('apps/shop')?.announced?.commit, 'a'.repeat(40));
});

test('an Application that is gone announces nothing, also to one that is declared under its name later', () => {
  const place = announcedAfter(({ registry }) => registry.remove('apps/shop'));
  assert.equal(place.neighbours.get('apps/shop'), undefined);
  place.add();
  assert.equal(place.neighbours.get('apps/shop')?.announced, undefined);
});

test('a pass of an Application that was deleted announces nothing for one that was declared again', () => {
  const { neighbours } = announcedAfter(({ registry }) => {
    registry.remove('apps/shop');
    registry.note(createRecord('apps/shop', storedOf({ metadata: { uid: 'another' } })));
  });
  assert.equal(neighbours.get('apps/shop')?.announced, undefined);
});
