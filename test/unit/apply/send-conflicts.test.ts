/** sendChange where conflicts with other field managers fail: nothing is taken from them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/apply/applied.ts';
import { sendChange } from '../../../src/apply/send.ts';
import type { RefusalCode } from '../../../src/cluster/answers.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { changeOf, found, liveOf, managedBy, OWNER, refusedWith, written } from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const GET = 'get settings';
const APPLY = 'apply settings';

const LIVE = liveOf();
const CHANGED = liveOf({ resourceVersion: '2' });
const OF_HELM = liveOf({ metadata: managedBy('helm') });
const FIELD_CONFLICT = refusedWith('FieldConflict');

const create = changeOf('create');
const adopt = changeOf('adopt', { live: LIVE });
const update = changeOf('update', { live: LIVE });

interface Case {
  readonly change: Change;
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
  readonly outcome: Outcome;
  readonly refusal?: RefusalCode;
}

const FAILING: Readonly<Record<string, Case>> = {
  'an object in whose fields another manager differs is refused, and none of them is taken': {
    change: update,
    script: [{ apply: FIELD_CONFLICT }],
    requests: [APPLY],
    outcome: 'failed',
    refusal: 'FieldConflict',
  },
  'an object of which no other manager owns a differing field is changed': {
    change: update,
    script: [{ apply: written(CHANGED) }],
    requests: [APPLY],
    outcome: 'configured',
  },
  'an existing object is adopted without taking fields over': {
    change: adopt,
    script: [{ get: found(OF_HELM) }, { apply: written(CHANGED) }],
    requests: [GET, APPLY],
    outcome: 'adopted',
  },
  'an existing object is not adopted if another manager differs': {
    change: adopt,
    script: [{ get: found(OF_HELM) }, { apply: FIELD_CONFLICT }],
    requests: [GET, APPLY],
    outcome: 'failed',
    refusal: 'FieldConflict',
  },
  'a creation that meets an object keeps the fields of its managers': {
    change: create,
    script: [{ apply: FIELD_CONFLICT }, { get: found(OF_HELM) }, { apply: FIELD_CONFLICT }],
    requests: [APPLY, GET, APPLY],
    outcome: 'failed',
    refusal: 'FieldConflict',
  },
};

for (const [name, { change, script, requests, outcome, refusal }] of Object.entries(FAILING)) {
  test(`where conflicts fail, ${name}`, async () => {
    const { client, expectRequests } = scriptClient(script);
    const result = await sendChange(change, { client, owner: OWNER, conflicts: 'fail' });
    assert.deepEqual([result.outcome, result.refusal?.code], [outcome, refusal]);
    expectRequests(requests);
  });
}
