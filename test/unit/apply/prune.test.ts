/** pruneObject and releaseObject: which requests one object gets, and what becomes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/apply/applied.ts';
import { pruneObject, releaseObject } from '../../../src/apply/prune.ts';
import type { RefusalCode } from '../../../src/cluster/answers.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { DeleteAnswer } from '../../../src/cluster/ports.ts';
import {
  ABSENT,
  changeOf,
  found,
  leftChange,
  liveOf,
  marksOf,
  OTHER_OWNER,
  OWNER,
  refusedWith,
  written,
} from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const GONE: DeleteAnswer = { ok: true, outcome: 'gone' };
const HELD: DeleteAnswer = { ok: true, outcome: 'held' };
const GET = 'get settings';
const REMOVE = 'remove settings u1 at 1';
const RELEASE = 'release settings at 1';

const UNMARKED = liveOf({ metadata: { labels: {}, annotations: {} } });
const OF_ANOTHER = liveOf({ metadata: marksOf(OTHER_OWNER) });
const CONTROLLED = liveOf({
  metadata: { ownerReferences: [{ kind: 'Widget', name: 'w', uid: 'w1', controller: true }] },
});
const DISABLED = liveOf({ annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } });

function withOptions(options: string): LiveObject {
  return liveOf({ annotations: { 'argocd.argoproj.io/sync-options': options } });
}

interface Case {
  readonly isConfirmed?: boolean;
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
  readonly outcome: Outcome;
  readonly refusal?: RefusalCode;
}

/** An object of ours that is deleted. */
function deleted(live: LiveObject): Case {
  return { script: [{ get: found(live) }, { remove: GONE }], requests: [GET, REMOVE], outcome: 'pruned' };
}

/** An object that is kept, and that loses our marks. */
function released(live: LiveObject): Case {
  return {
    script: [{ get: found(live) }, { get: found(live) }, { release: written(live) }],
    requests: [GET, GET, RELEASE],
    outcome: 'released',
  };
}

/** An object that is kept, and that has no marks of ours to lose. */
function untouched(live: LiveObject): Case {
  return { script: [{ get: found(live) }, { get: found(live) }], requests: [GET, GET], outcome: 'released' };
}

/** An object that asks for a confirmation: it keeps its marks, and the next pass holds the prune. */
function asking(live: LiveObject): Case {
  return { script: [{ get: found(live) }], requests: [GET], outcome: 'waiting' };
}

const PRUNES: Readonly<Record<string, Case>> = {
  'an object with both marks is deleted by its uid and resourceVersion': deleted(liveOf()),
  'an absent object is pruned without a DELETE': { script: [{ get: ABSENT }], requests: [GET], outcome: 'pruned' },
  'a refused read is a failure': {
    script: [{ get: refusedWith('Unavailable') }],
    requests: [GET],
    outcome: 'failed',
    refusal: 'Unavailable',
  },
  'an object whose deletion is held is pruning': {
    script: [{ get: found(liveOf()) }, { remove: HELD }],
    requests: [GET, REMOVE],
    outcome: 'pruning',
  },
  'an object that is being deleted is not deleted again': {
    script: [{ get: found(liveOf({ isTerminating: true })) }],
    requests: [GET],
    outcome: 'pruning',
  },
  'a refused DELETE is a failure': {
    script: [{ get: found(liveOf()) }, { remove: refusedWith('Forbidden') }],
    requests: [GET, REMOVE],
    outcome: 'failed',
    refusal: 'Forbidden',
  },
  'a DELETE that lost a race is sent again with a new resourceVersion': {
    script: [
      { get: found(liveOf()) },
      { remove: refusedWith('Modified') },
      { get: found(liveOf({ resourceVersion: '2' })) },
      { remove: GONE },
    ],
    requests: [GET, REMOVE, GET, 'remove settings u1 at 2'],
    outcome: 'pruned',
  },
  'a DELETE is sent at most three times': {
    script: [1, 2, 3].flatMap(() => [{ get: found(liveOf()) }, { remove: refusedWith('Modified') }]),
    requests: [GET, REMOVE, GET, REMOVE, GET, REMOVE],
    outcome: 'failed',
    refusal: 'Modified',
  },
  'an object that lost our marks during a race is not deleted': {
    script: [
      { get: found(liveOf()) },
      { remove: refusedWith('Modified') },
      { get: found(UNMARKED) },
      { get: found(UNMARKED) },
    ],
    requests: [GET, REMOVE, GET, GET],
    outcome: 'released',
  },
  'an object whose reconciliation is disabled is left alone': {
    script: [{ get: found(DISABLED) }],
    requests: [GET],
    outcome: 'unchanged',
  },
  'an object without marks is not touched': untouched(UNMARKED),
  'an object of another Application is not touched': untouched(OF_ANOTHER),
  'an object with our label alone is not touched': untouched(liveOf({ metadata: { annotations: {} } })),
  'an object with our annotation alone is released': released(liveOf({ metadata: { labels: {} } })),
  'an object that a controller owns is released': released(CONTROLLED),
  'an object with Prune=false is released': released(withOptions('Prune=false')),
  'an object with Prune=confirm is not deleted without a confirmation': asking(withOptions('Prune=confirm')),
  'an object with Prune=confirm is deleted with a confirmation': {
    ...deleted(withOptions('Prune=confirm')),
    isConfirmed: true,
  },
  'an object with Prune=confirm that is being deleted already is waited for': {
    script: [
      {
        get: found(
          liveOf({ annotations: { 'argocd.argoproj.io/sync-options': 'Prune=confirm' }, isTerminating: true }),
        ),
      },
    ],
    requests: [GET],
    outcome: 'pruning',
  },
  'an object that gets Prune=confirm during a race is not deleted': {
    script: [
      { get: found(liveOf()) },
      { remove: refusedWith('Modified') },
      { get: found(withOptions('Prune=confirm')) },
    ],
    requests: [GET, REMOVE, GET],
    outcome: 'waiting',
  },
  'an object with Delete=confirm is deleted': deleted(withOptions('Delete=confirm')),
  'an object with Delete=false is deleted': deleted(withOptions('Delete=false')),
  'an object with the resource policy keep is released': released(
    liveOf({ annotations: { 'helm.sh/resource-policy': 'keep' } }),
  ),
};

const DELETIONS: Readonly<Record<string, Case>> = {
  'an object with both marks is deleted': deleted(liveOf()),
  'an object with Prune=false is deleted': deleted(withOptions('Prune=false')),
  'an object with Delete=false is released': released(withOptions('Delete=false')),
  'an object with Prune=confirm is deleted': deleted(withOptions('Prune=confirm')),
  'an object with Delete=confirm is not deleted without a confirmation': asking(withOptions('Delete=confirm')),
  'an object with Delete=confirm is deleted with a confirmation': {
    ...deleted(withOptions('Delete=confirm')),
    isConfirmed: true,
  },
  'an object with the resource policy keep is released': released(
    liveOf({ annotations: { 'helm.sh/resource-policy': 'keep' } }),
  ),
  'an object of another Application is not touched': untouched(OF_ANOTHER),
};

for (const [occasion, cases] of [
  ['prune', PRUNES],
  ['deletion', DELETIONS],
] as const) {
  for (const [name, { script, requests, outcome, refusal, isConfirmed = false }] of Object.entries(cases)) {
    test(`${occasion === 'prune' ? 'in a prune' : 'when the Application is deleted'}, ${name}`, async () => {
      const { client, expectRequests } = scriptClient(script);
      const result = await pruneObject(leftChange('prune'), { client, owner: OWNER, occasion, isConfirmed });
      assert.equal(result.outcome, outcome);
      assert.equal(result.refusal?.code, refusal);
      expectRequests(requests);
    });
  }
}

const HOOKS: Readonly<Record<string, Case>> = {
  'a hook with both marks is deleted': deleted(liveOf()),
  'a hook that asks for a confirmation is left alone': {
    script: [{ get: found(withOptions('Prune=confirm')) }],
    requests: [GET],
    outcome: 'unchanged',
  },
  'a hook whose annotation forbids deleting it is left alone': {
    script: [{ get: found(liveOf({ annotations: { 'helm.sh/resource-policy': 'keep' } })) }],
    requests: [GET],
    outcome: 'unchanged',
  },
  'an object of another Application in its place is left alone': {
    script: [{ get: found(OF_ANOTHER) }],
    requests: [GET],
    outcome: 'unchanged',
  },
};

for (const [name, { script, requests, outcome }] of Object.entries(HOOKS)) {
  test(`after it has run, ${name}, whether a prune is confirmed or not`, async () => {
    for (const isConfirmed of [false, true]) {
      const { client, expectRequests } = scriptClient(script);
      const context = { client, owner: OWNER, occasion: 'prune', isConfirmed } as const;
      assert.equal((await pruneObject(changeOf('prune'), context)).outcome, outcome);
      expectRequests(requests);
    }
  });
}

test('objects of a kind that is no longer served count as pruned and as released, without a request', async () => {
  const { client, expectRequests } = scriptClient([]);
  const change = { ...leftChange('prune'), kind: undefined };
  assert.equal(
    (await pruneObject(change, { client, owner: OWNER, occasion: 'prune', isConfirmed: false })).outcome,
    'pruned',
  );
  assert.equal((await releaseObject(change, { client, owner: OWNER })).outcome, 'released');
  expectRequests([]);
});

test('a held deletion names the finalizers, and of a Namespace the conditions that are True', async () => {
  const held = liveOf({ metadata: { finalizers: ['example.com/hold'] } });
  const namespace = liveOf({
    id: { group: '', kind: 'Namespace', namespace: '', name: 'settings' },
    isTerminating: true,
    status: {
      conditions: [
        { type: 'NamespaceContentRemaining', status: 'True', message: 'pods. has 1 resource instances' },
        { type: 'NamespaceDeletionContentFailure', status: 'False', message: 'all content was deleted' },
      ],
    },
  });
  for (const [live, script, pattern] of [
    [held, [{ get: found(held) }, { remove: HELD }], /example\.com\/hold$/],
    [namespace, [{ get: found(namespace) }], /pods\. has 1 resource instances$/],
  ] as const) {
    const { client } = scriptClient(script);
    const result = await pruneObject(leftChange('prune', live.id), {
      client,
      owner: OWNER,
      occasion: 'prune',
      isConfirmed: false,
    });
    assert.equal(result.outcome, 'pruning');
    assert.match(result.message ?? '', pattern);
  }
});

const RELEASES: Readonly<Record<string, Case>> = {
  'an object with our annotation loses our marks': {
    script: [{ get: found(liveOf({ resourceVersion: '4' })) }, { release: written(liveOf()) }],
    requests: [GET, 'release settings at 4'],
    outcome: 'released',
  },
  'an absent object counts as pruned': { script: [{ get: ABSENT }], requests: [GET], outcome: 'pruned' },
  'a refused read is a failure': {
    script: [{ get: refusedWith('Unavailable') }],
    requests: [GET],
    outcome: 'failed',
    refusal: 'Unavailable',
  },
  'an object whose annotation names another Application is not written': {
    script: [{ get: found(OF_ANOTHER) }],
    requests: [GET],
    outcome: 'released',
  },
  'an object that is deleted just before the write counts as released': {
    script: [{ get: found(liveOf()) }, { release: refusedWith('NotFound') }],
    requests: [GET, RELEASE],
    outcome: 'released',
  },
  'an object that changed hands during a race is not written again': {
    script: [{ get: found(liveOf()) }, { release: refusedWith('Modified') }, { get: found(OF_ANOTHER) }],
    requests: [GET, RELEASE, GET],
    outcome: 'released',
  },
  'a write that lost a race is sent again with a new resourceVersion': {
    script: [
      { get: found(liveOf()) },
      { release: refusedWith('Modified') },
      { get: found(liveOf({ resourceVersion: '2' })) },
      { release: written(liveOf()) },
    ],
    requests: [GET, RELEASE, GET, 'release settings at 2'],
    outcome: 'released',
  },
  'a write is sent at most three times': {
    script: [1, 2, 3].flatMap(() => [{ get: found(liveOf()) }, { release: refusedWith('Modified') }]),
    requests: [GET, RELEASE, GET, RELEASE, GET, RELEASE],
    outcome: 'failed',
    refusal: 'Modified',
  },
  'a refused write is a failure': {
    script: [{ get: found(liveOf()) }, { release: refusedWith('Forbidden') }],
    requests: [GET, RELEASE],
    outcome: 'failed',
    refusal: 'Forbidden',
  },
};

for (const [name, { script, requests, outcome, refusal }] of Object.entries(RELEASES)) {
  test(`in a release, ${name}`, async () => {
    const { client, expectRequests } = scriptClient(script);
    const change = { ...leftChange('release'), reason: 'another Application claims it' };
    const result = await releaseObject(change, { client, owner: OWNER });
    assert.equal(result.outcome, outcome);
    assert.equal(result.refusal?.code, refusal);
    assert.equal(result.message, outcome === 'released' ? change.reason : undefined);
    expectRequests(requests);
  });
}
