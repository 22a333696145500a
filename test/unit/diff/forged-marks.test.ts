/** Marks of another owner on an object that its Application has written and seen as its own without a gap since. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL, type Owner } from '../../../src/object/applyset.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { judge, judgeLeftover, liveOf, ours } from './fixtures.ts';

const OTHERS: Readonly<Record<string, Owner>> = {
  'an Application of another cluster': ownerOf({ hubId: 'x', namespace: 'team', name: 'other' }),
  'an Application that has not written it': ownerOf({ hubId: 'hub', namespace: 'team', name: 'other' }),
};
const marksOf = ({ applySetId, ownerAnnotation }: Owner): ValueMap => ({
  labels: { [PART_OF_LABEL]: applySetId },
  annotations: { [OWNER_ANNOTATION]: ownerAnnotation },
});
const BODY = ours('v1', 'ConfigMap', 'a', { data: { k: '1' } });
const marked = (metadata: ValueMap) => {
  const live = liveOf(BODY);
  return { ...live, body: { ...live.body, metadata: { ...live.body.metadata, ...metadata } } };
};
/** Both are sent with force in mode auto. */
const SENT = /^(update|unsure)$/;
const HELD = { hasWritten: () => true, isForged: () => true };

for (const [who, owner] of Object.entries(OTHERS)) {
  test(`the marks of ${who} are healed, and are a conflict only without that knowledge`, () => {
    assert.match(judge(BODY, marked(marksOf(owner)), HELD).type, SENT);
    assert.equal(judge(BODY, marked(marksOf(owner))).type, 'conflict');
  });

  test(`an object that left Git with the forged marks of ${who} is kept and reported, not released`, () => {
    const change = judgeLeftover(BODY, marked(marksOf(owner)), HELD);
    assert.equal(change.type, 'prune');
    assert.match(change.keptFor ?? '', /which has not written it$/);
  });
}

const STRIPPED: Readonly<Record<string, ValueMap>> = {
  'without marks': { labels: {}, annotations: {} },
  'with marks that contradict each other': {
    labels: { [PART_OF_LABEL]: 'applyset-forged-v1' },
    annotations: { [OWNER_ANNOTATION]: 'x/team/other' },
  },
  'without managed fields': { managedFields: [], labels: {}, annotations: {} },
  'disabled for others': { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } },
};
for (const [how, metadata] of Object.entries(STRIPPED)) {
  test(`an object that is ${how} is healed`, () => {
    assert.match(judge(BODY, marked(metadata), { hasWritten: () => true }).type, SENT);
  });
}
