import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOnto } from '../../../src/apply/apply-onto.ts';
import type { WriteAnswer } from '../../../src/cluster/ports.ts';
import { ABSENT, desiredOf, found, liveOf, refusedWith, written } from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const ACCEPTED = written(liveOf({ resourceVersion: '9' }));
const MODIFIED = refusedWith('Modified');
const FORBIDDEN = refusedWith('Forbidden');
/** The same object, changed by another writer since. */
const NEWER = liveOf({ resourceVersion: '2' });

const GONE = refusedWith('VersionGone', { status: 500, goneVersion: 'v1beta1', retry: 'backoff' });

interface Case {
  readonly script: readonly ScriptedAnswer[];
  readonly requests: readonly string[];
  readonly answer: WriteAnswer;
}

const CASES: Readonly<Record<string, Case>> = {
  'an accepted apply is one request': {
    script: [{ apply: ACCEPTED }],
    requests: ['apply settings u1 force'],
    answer: ACCEPTED,
  },
  'an apply that lost a race is sent again for the new state of the object': {
    script: [{ apply: MODIFIED }, { get: found(NEWER) }, { apply: ACCEPTED }],
    requests: ['apply settings u1 force', 'get settings', 'apply settings u1 force'],
    answer: ACCEPTED,
  },
  'an apply is sent at most three times': {
    script: [
      { apply: MODIFIED },
      { get: found(NEWER) },
      { apply: MODIFIED },
      { get: found(NEWER) },
      { apply: MODIFIED },
    ],
    requests: [
      'apply settings u1 force',
      'get settings',
      'apply settings u1 force',
      'get settings',
      'apply settings u1 force',
    ],
    answer: MODIFIED,
  },
  'an apply is not sent again if the object is gone': {
    script: [{ apply: MODIFIED }, { get: ABSENT }],
    requests: ['apply settings u1 force', 'get settings'],
    answer: MODIFIED,
  },
  'an apply is not sent again to an object with another uid': {
    script: [{ apply: MODIFIED }, { get: found(liveOf({ uid: 'u2' })) }],
    requests: ['apply settings u1 force', 'get settings'],
    answer: MODIFIED,
  },
  'an apply is sent again once the fields of a version that is gone are moved': {
    script: [{ apply: GONE }, { get: found(liveOf()) }, { moveGoneVersions: written(NEWER) }, { apply: ACCEPTED }],
    requests: [
      'apply settings u1 force',
      'get settings',
      'moveGoneVersions settings at 1 from v1beta1',
      'apply settings u1 force',
    ],
    answer: ACCEPTED,
  },
  'an apply is not sent again if no field could be moved': {
    script: [{ apply: GONE }, { get: found(NEWER) }, { moveGoneVersions: written(NEWER) }],
    requests: ['apply settings u1 force', 'get settings', 'moveGoneVersions settings at 2 from v1beta1'],
    answer: GONE,
  },
  'no field of an object with another uid is moved': {
    script: [{ apply: GONE }, { get: found(liveOf({ uid: 'u2' })) }],
    requests: ['apply settings u1 force', 'get settings'],
    answer: GONE,
  },
  'a refused move ends the attempts with its own refusal': {
    script: [{ apply: GONE }, { get: found(NEWER) }, { moveGoneVersions: MODIFIED }],
    requests: ['apply settings u1 force', 'get settings', 'moveGoneVersions settings at 2 from v1beta1'],
    answer: MODIFIED,
  },
  'a refused read ends the attempts with its own refusal': {
    script: [{ apply: MODIFIED }, { get: FORBIDDEN }],
    requests: ['apply settings u1 force', 'get settings'],
    answer: FORBIDDEN,
  },
  'every other refusal is returned at once': {
    script: [{ apply: FORBIDDEN }],
    requests: ['apply settings u1 force'],
    answer: FORBIDDEN,
  },
};

for (const [name, { script, requests, answer }] of Object.entries(CASES)) {
  test(`with ignored fields, ${name}`, async () => {
    const { client, expectRequests } = scriptClient(script);
    const desired = desiredOf({ isColorIgnored: true });
    assert.equal(await applyOnto(client, { desired, live: liveOf(), force: true }), answer);
    expectRequests(requests);
  });
}

test('an ignored field that another manager owns is left out of the apply', async () => {
  const { client, bodies } = scriptClient([{ apply: ACCEPTED }]);
  const fieldsV1 = { 'f:data': { 'f:color': {} } };
  const managedFields = [
    { manager: 'painter', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
  ];
  const live = liveOf({ metadata: { managedFields } });
  await applyOnto(client, { desired: desiredOf({ isColorIgnored: true }), live, force: true });
  assert.deepEqual(Object.entries(bodies[0]?.['data'] ?? {}), [['size', 'small']]);
});

for (const [title, { isColorIgnored, live }] of Object.entries({
  'without ignored fields': { isColorIgnored: false, live: liveOf() },
  'without a known live object': { isColorIgnored: true, live: undefined },
})) {
  test(`${title}, the whole desired body is sent without guards, and a lost race is not repeated`, async () => {
    const { client, bodies, expectRequests } = scriptClient([{ apply: MODIFIED }]);
    const desired = desiredOf({ isColorIgnored });
    assert.equal(await applyOnto(client, { desired, live, force: false }), MODIFIED);
    expectRequests(['apply settings']);
    assert.equal(bodies[0], desired.body);
  });
}
