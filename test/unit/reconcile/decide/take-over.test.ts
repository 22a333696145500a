/** takeOver: a matrix of owners that exist or not, with and without a request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadAnswer } from '../../../../src/cluster/ports.ts';
import { ownerOf } from '../../../../src/object/applyset.ts';
import { takeOver, type TakeOverQuestion } from '../../../../src/reconcile/decide/take-over.ts';
import { ABSENT, changeOf, found, liveOf, marksOf, refusedWith } from '../../../support/changes.ts';

const OWNER = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'new' });
const kind = {
  group: 'tautline.dev',
  version: 'v1alpha1',
  kind: 'Application',
  plural: 'applications',
  isNamespaced: true,
  hasStatus: true,
  isWatchable: true,
};

interface Case {
  readonly title: string;
  readonly hubId?: string;
  /** The answer to the GET of the owner. */
  readonly answer?: ReadAnswer;
  readonly isKnown?: boolean;
  readonly isAsked: boolean;
  readonly type: 'conflict' | 'adopt';
  readonly reason: RegExp;
}

const EXISTS = found(liveOf());
const CASES: readonly Case[] = [
  {
    title: 'gone, not asked',
    answer: ABSENT,
    isAsked: false,
    type: 'conflict',
    reason: /not exist any more.*take-over/,
  },
  { title: 'gone, asked', answer: ABSENT, isAsked: true, type: 'adopt', reason: /taken over from apps\/old/ },
  {
    title: 'unknown to the agent, but it exists',
    answer: EXISTS,
    isAsked: true,
    type: 'conflict',
    reason: /take-over/,
  },
  { title: 'known', answer: EXISTS, isKnown: true, isAsked: true, type: 'conflict', reason: /^managed by .*old$/ },
  {
    title: 'unreadable',
    answer: refusedWith('Unavailable'),
    isAsked: true,
    type: 'conflict',
    reason: /take-over/,
  },
  { title: 'of another hub, not asked', hubId: 'far', isAsked: false, type: 'conflict', reason: /another cluster/ },
  { title: 'of another hub, asked', hubId: 'far', isAsked: true, type: 'adopt', reason: /apps\/old/ },
];

for (const { title, hubId = 'hub', answer, isKnown = false, isAsked, type, reason } of CASES) {
  test(`an object whose owner is ${title}: ${type}`, async () => {
    const marks = marksOf(ownerOf({ hubId, namespace: 'apps', name: 'old' }));
    const change = {
      ...changeOf('conflict', { live: liveOf({ metadata: marks }) }),
      reason: `managed by Application ${hubId}/apps/old`,
    };
    const hub = {
      hubId: 'hub',
      kinds: () =>
        Promise.resolve({ served: new Map([['tautline.dev/v1alpha1/Application', kind]]), stale: new Set() }),
      as: () => ({ get: () => Promise.resolve(answer ?? assert.fail('the owner was asked for')) }),
    } as unknown as TakeOverQuestion['hub'];
    const [taken] = await takeOver({ changes: [change], owner: OWNER, hub, isKnown: () => isKnown, isAsked });
    assert.equal(taken?.type, type);
    assert.match(taken?.reason ?? '', reason);
    assert.equal(taken?.takenFrom, type === 'adopt' ? `${hubId}/apps/old` : undefined);
  });
}

test('a conflict with the claim of a living Application is never taken over', async () => {
  const change = { ...changeOf('conflict'), reason: 'managed by Application apps/other' };
  const hub = { hubId: 'hub' } as unknown as TakeOverQuestion['hub'];
  const changes = await takeOver({ changes: [change], owner: OWNER, hub, isKnown: () => false, isAsked: true });
  assert.deepEqual(changes, [change]);
});
