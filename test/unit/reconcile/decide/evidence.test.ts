/** Answers of the API server as evidence; that `diff` reads them as meant is seen with the whole comparison. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { Change, DiffMemory } from '../../../../src/diff/changes.ts';
import { diffObjects } from '../../../../src/diff/diff.ts';
import { idKey } from '../../../../src/object/identity.ts';
import {
  doubtAnswers,
  doubtInMs,
  dropEvidence,
  dropSettled,
  noteApplied,
  noteDryRun,
  type Doubt,
} from '../../../../src/reconcile/decide/evidence.ts';
import { emptyEvidenceMemory, type EvidenceMemory } from '../../../../src/reconcile/decide/memory.ts';
import { inventoryOf } from '../../../support/applications.ts';
import { changeOf, desiredOf, kindOf, liveOf, OWNER, type DesiredOptions } from '../../../support/changes.ts';

const KEY = idKey(desiredOf().id);

/** The live form of the desired object, with the fields that this agent owns, and some data. */
function liveWith(data: Readonly<Record<string, string>>, resourceVersion = '1'): LiveObject {
  const live = liveOf({ resourceVersion });
  const fieldsV1 = { 'f:data': { 'f:color': {}, 'f:size': {} } };
  const managedFields = [
    { manager: 'tautline', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
  ];
  return { ...live, body: { ...live.body, data: { ...data }, metadata: { ...live.body.metadata, managedFields } } };
}

const AS_DESIRED = liveWith({ color: 'red', size: 'small' });
const DRIFTED = liveWith({ color: 'blue', size: 'small' }, '2');

/** An unsure change of the desired object. */
function unsure(live: LiveObject | undefined, options: DesiredOptions = {}) {
  const change = changeOf('unsure', { ...options, ...(live && { live }) });
  return { ...change, desired: desiredOf(options) };
}

function compare(evidence: EvidenceMemory, live: LiveObject): Change | undefined {
  const desired = desiredOf();
  const kind = kindOf(desired.id);
  const memory: DiffMemory = {
    baselines: evidence.baselines,
    isDoubted: (key) => evidence.doubted.has(key),
    isAccepted: (id, digest) => evidence.accepted.get(idKey(id)) === digest,
  };
  return diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[KEY, { state: 'present', object: live }]]),
    inventory: inventoryOf(desired.id),
    owner: OWNER,
    kinds: { served: new Map([['v1/ConfigMap', kind]]), stale: new Set(), preferred: new Map() },
    settled: evidence.settled,
    memory,
  })[0];
}

test('after an apply the same object needs no change, and a changed one is an update', () => {
  const evidence = emptyEvidenceMemory();
  assert.equal(compare(evidence, AS_DESIRED)?.type, 'unsure');
  noteApplied(evidence, desiredOf(), AS_DESIRED);
  assert.equal(evidence.accepted.get(KEY), 'digest');
  assert.equal(compare(evidence, AS_DESIRED)?.type, 'none');
  assert.equal(compare(evidence, DRIFTED)?.type, 'update');
});

test('a dry run that changes nothing proves that the object is as desired', () => {
  const evidence = emptyEvidenceMemory();
  const judged = noteDryRun(evidence, unsure(AS_DESIRED), AS_DESIRED);
  assert.equal(judged.type, 'none');
  assert.equal(evidence.accepted.get(KEY), 'digest');
  assert.ok(evidence.baselines.has(KEY));
  assert.equal(compare(evidence, AS_DESIRED), judged, 'the settled change is taken');
  assert.notEqual(compare(evidence, DRIFTED), judged, 'the object has changed since');
});

test('a dry run that changes the object proves an update, and gives no baseline', () => {
  const evidence = emptyEvidenceMemory();
  const judged = noteDryRun(evidence, unsure(DRIFTED), AS_DESIRED);
  assert.equal(judged.type, 'update');
  assert.deepEqual(
    judged.fields.map(({ path }) => path),
    ['/data/color'],
  );
  assert.equal(evidence.baselines.size, 0);
  assert.equal(compare(evidence, DRIFTED), judged);
});

test('a dry run of an object that does not exist proves a creation, which is not settled', () => {
  const evidence = emptyEvidenceMemory();
  assert.equal(noteDryRun(evidence, unsure(undefined), AS_DESIRED).type, 'create');
  assert.equal(evidence.accepted.get(KEY), 'digest');
  assert.equal(evidence.settled.size, 0);
});

test('a settled change holds for the manifest with its ignored fields', () => {
  const evidence = emptyEvidenceMemory();
  noteDryRun(evidence, unsure(AS_DESIRED, { isColorIgnored: true }), AS_DESIRED);
  const { manifestDigest, resourceVersion } = evidence.settled.get(KEY) ?? {};
  assert.deepEqual({ manifestDigest, resourceVersion }, { manifestDigest: 'digest ignored', resourceVersion: '1' });
});

test('a write drops the settled change alone, and the end of the object drops the rest', () => {
  const evidence = emptyEvidenceMemory();
  noteDryRun(evidence, unsure(AS_DESIRED), AS_DESIRED);
  const sizes = () => [evidence.settled.size, evidence.baselines.size, evidence.accepted.size];
  dropEvidence(evidence, desiredOf().id);
  assert.deepEqual(sizes(), [1, 0, 0]);
  noteApplied(evidence, desiredOf(), AS_DESIRED);
  dropSettled(evidence, desiredOf().id);
  assert.deepEqual(sizes(), [0, 1, 1]);
});

const HOUR_MS = 3_600_000;

interface DoubtCase {
  readonly doubt: Partial<Doubt>;
  /** Whether the answer for the object is doubted. */
  readonly isDoubted: boolean;
}

const DOUBTS: Readonly<Record<string, DoubtCase>> = {
  'nothing happens': { doubt: {}, isDoubted: false },
  'an answer is almost too old': { doubt: { nowMs: HOUR_MS - 1 }, isDoubted: false },
  'an answer is too old': { doubt: { nowMs: HOUR_MS }, isDoubted: true },
  'a person asks for a sync': { doubt: { asked: 'all' }, isDoubted: true },
  'a person asks for a sync of the object': { doubt: { asked: new Set([KEY]) }, isDoubted: true },
  'a person asks for a sync of another object': { doubt: { asked: new Set(['other']) }, isDoubted: false },
};

/** The live object that the server answered with, the request, and the change with and without doubt. */
const ANSWERS = [
  { live: AS_DESIRED, by: 'apply', believed: 'none', doubted: 'none' },
  { live: DRIFTED, by: 'apply', believed: 'none', doubted: 'unsure' },
  { live: DRIFTED, by: 'dry run', believed: 'none', doubted: 'unsure' },
] as const;

for (const [when, { doubt, isDoubted }] of Object.entries(DOUBTS)) {
  for (const { live, by, believed, doubted } of ANSWERS) {
    const wanted = isDoubted ? doubted : believed;
    const as = live === DRIFTED ? 'different from Git' : 'as in Git';
    test(`when ${when}, an object that the answer to an ${by} left ${as} is ${wanted}`, () => {
      const evidence = emptyEvidenceMemory();
      doubtAnswers(evidence, { asked: undefined, nowMs: 0, answerAgeMs: HOUR_MS });
      if (by === 'apply') noteApplied(evidence, desiredOf(), live);
      else noteDryRun(evidence, unsure(live), live);
      assert.equal(compare(evidence, live)?.type, 'none', 'the answer is believed at first');
      doubtAnswers(evidence, { asked: undefined, nowMs: 1, answerAgeMs: HOUR_MS, ...doubt });
      assert.equal(compare(evidence, live)?.type, wanted);
      noteApplied(evidence, desiredOf(), live);
      dropSettled(evidence, desiredOf().id);
      assert.equal(compare(evidence, live)?.type, 'none', 'the new answer is believed');
    });
  }
}

test('a doubted answer is unsure and no drift, and a change since the answer is still an update', () => {
  const evidence = emptyEvidenceMemory();
  noteApplied(evidence, desiredOf(), AS_DESIRED);
  doubtAnswers(evidence, { asked: 'all', nowMs: 0, answerAgeMs: HOUR_MS });
  assert.equal(compare(evidence, DRIFTED)?.type, 'update');
});

test('a difference that a dry run has proved is asked about again once its answer is doubted', () => {
  const evidence = emptyEvidenceMemory();
  noteDryRun(evidence, unsure(DRIFTED), AS_DESIRED);
  assert.equal(compare(evidence, DRIFTED)?.type, 'update');
  doubtAnswers(evidence, { asked: 'all', nowMs: 0, answerAgeMs: HOUR_MS });
  assert.notEqual(compare(evidence, DRIFTED)?.isByAnswer, true);
});

test('the next doubt wakes only an Application with objects that rest on an answer', () => {
  const evidence = emptyEvidenceMemory();
  doubtAnswers(evidence, { asked: undefined, nowMs: 0, answerAgeMs: HOUR_MS });
  noteApplied(evidence, desiredOf(), AS_DESIRED);
  assert.equal(doubtInMs(evidence, [compare(evidence, AS_DESIRED) as Change], 10), Infinity);
  noteApplied(evidence, desiredOf(), DRIFTED);
  dropSettled(evidence, desiredOf().id);
  assert.equal(doubtInMs(evidence, [compare(evidence, DRIFTED) as Change], 10), HOUR_MS - 10);
  doubtAnswers(evidence, { asked: 'all', nowMs: 20, answerAgeMs: HOUR_MS });
  assert.equal(doubtInMs(evidence, [compare(evidence, DRIFTED) as Change], 20), HOUR_MS);
});
