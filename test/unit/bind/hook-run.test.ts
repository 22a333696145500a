/** The runs of hooks that run once a sync: by the set of desired objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forSync } from '../../../src/bind/hook-run.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { GENERATED_NAME_ANNOTATION, HOOK_RUN_ANNOTATION } from '../../../src/object/hooks.ts';
import { hasContentHash, stemOf } from '../../../src/object/generated-name.ts';
import { annotationsOf } from '../../../src/object/identity.ts';
import { stringAt } from '../../../src/object/value.ts';
import { desiredOf, idOf } from '../../support/changes.ts';

const JOB = idOf('migrate', { group: 'batch', kind: 'Job' });
const EACH = desiredOf({ id: JOB, policy: { isHook: true, runsEachSync: true } });

function generatedOf(name: string): DesiredObject {
  const object = desiredOf({ id: { ...JOB, name }, policy: { isHook: true, runsEachSync: true } });
  const annotations = { ...annotationsOf(object.body), [GENERATED_NAME_ANNOTATION]: 'true' };
  return { ...object, body: { ...object.body, metadata: { ...object.body.metadata, annotations } } };
}

const runOf = (object: DesiredObject | undefined): string | undefined =>
  object && annotationsOf(object.body)[HOOK_RUN_ANNOTATION];

test('a Job that runs each sync has another digest for another set, and the same for the same one', () => {
  const [first] = forSync([EACH], 'one');
  assert.deepEqual(forSync([EACH], 'one')[0], first);
  assert.notEqual(forSync([EACH], 'two')[0]?.digest, first?.digest);
  assert.notEqual(runOf(first), undefined);
});

test('Jobs that run once a manifest, and objects that do not run, have no run', () => {
  const others = [
    desiredOf({ id: JOB, policy: { isHook: true } }),
    desiredOf({ id: JOB }),
    desiredOf({ id: idOf('settings'), policy: { isHook: true, runsEachSync: true } }),
  ];
  for (const object of forSync([...others, EACH], 'one').slice(0, 3)) assert.equal(runOf(object), undefined);
  assert.equal(forSync(others, 'one')[0], others[0]);
});

test('a hook of failed syncs has a run for each set', () => {
  const hook = desiredOf({ id: JOB, policy: { isHook: true, isSyncFail: true, ssa: 'Ignore' } });
  assert.notEqual(runOf(forSync([hook], 'one')[0]), undefined);
});

test('a generated name ends with the run, in its id and its body, and has the stem of the other runs', () => {
  const long = generatedOf('x'.repeat(80));
  const [one] = forSync([generatedOf('migrate')], 'one');
  const [two] = forSync([generatedOf('migrate')], 'two');
  assert.ok(one && two);
  assert.match(one.id.name, /^migrate-\w{10}$/);
  assert.equal(stringAt(one.body, 'metadata', 'name'), one.id.name);
  assert.notEqual(one.id.name, two.id.name);
  assert.equal(hasContentHash(one.id), true);
  assert.equal(stemOf(one.id), stemOf(two.id));
  assert.equal(forSync([long], 'one')[0]?.id.name.length, 63);
});
