/** locateRefusals: which objects are asked about, how often, and what comes of the answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeResult } from '../../../../src/apply/applied.ts';
import { idKey } from '../../../../src/object/identity.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import { locateRefusals, type LocatingPass } from '../../../../src/reconcile/effect/locate-refusals.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import type { FieldQuestion } from '../../../../src/render/locate-fields.ts';
import { changeOf, idOf, refusedWith } from '../../../support/changes.ts';

const SNAPSHOT = { tree: { gitDir: '/data/x', treeOid: 'a' } };
const FIRST = idKey(idOf('settings'));

function refusedAt(name: string, fields: readonly string[], more: Partial<ChangeResult> = {}): ChangeResult {
  const { refusal } = refusedWith('InvalidManifest', { fields });
  return { change: changeOf('update', { id: idOf(name) }), outcome: 'failed', refusal, ...more };
}

function passWith(locate: (questions: readonly FieldQuestion[]) => (number | undefined)[]): {
  readonly pass: LocatingPass;
  readonly asked: FieldQuestion[][];
} {
  const asked: FieldQuestion[][] = [];
  const locateFields = async ({ questions }: { readonly questions: readonly FieldQuestion[] }) => {
    asked.push([...questions]);
    return locate(questions);
  };
  const signal = new AbortController().signal;
  const application = { metadata: { namespace: 'apps' } };
  return { pass: { application, memory: emptyMemory(), signal, context: { render: { locateFields } } }, asked };
}

const appliedOf = (...results: ChangeResult[]) => new Map(results.map((one) => [idKey(one.change.id), one]));

test('the line of the first field is asked once, and stands in the result of every pass', async () => {
  const { pass, asked } = passWith((questions) => questions.map(() => 7));
  for (let round = 0; round < 3; round++) {
    const located = await locateRefusals(pass, SNAPSHOT, appliedOf(refusedAt('settings', ['data[color]', 'data'])));
    assert.equal(located.get(FIRST)?.line, 7);
  }
  const expected = {
    file: 'app.yaml',
    line: 1,
    apiVersion: 'v1',
    kind: 'ConfigMap',
    path: ['data', 'color'],
    scalar: 'red',
  };
  assert.deepEqual(asked, [[{ ...expected, file: asked[0]?.[0]?.file, line: asked[0]?.[0]?.line }]]);
});

test('a line that is not known is not asked for again', async () => {
  const { pass, asked } = passWith((questions) => questions.map(() => undefined));
  for (let round = 0; round < 2; round++) {
    const located = await locateRefusals(pass, SNAPSHOT, appliedOf(refusedAt('settings', ['data'])));
    assert.equal(located.get(FIRST)?.line, undefined);
  }
  assert.equal(asked.length, 1);
});

test('nothing is asked without a refused field, or of an object that may hold a sealed value', async () => {
  const { pass, asked } = passWith(() => assert.fail('nothing is asked'));
  const change = changeOf('update');
  const { desired } = change;
  assert.ok(desired);
  const sealed = { ...change, desired: { ...desired, isSealed: true as const } };
  for (const result of [
    refusedAt('settings', []),
    refusedAt('settings', ['data'], { outcome: 'conflict' }),
    refusedAt('settings', ['data'], { change: sealed }),
  ]) {
    const applied = appliedOf(result);
    assert.deepEqual(await locateRefusals(pass, SNAPSHOT, applied), applied);
  }
  assert.deepEqual(asked, []);
});

test('a child that fails costs only the lines, and few objects of many are asked about', async () => {
  const error = new StageError({ stage: 'render', code: 'Killed', retry: 'backoff', message: 'killed' });
  const { pass, asked } = passWith(() => {
    throw error;
  });
  const many = Array.from({ length: 500 }, (_, index) => refusedAt(`n${index}`, ['data']));
  assert.deepEqual(await locateRefusals(pass, SNAPSHOT, appliedOf(...many)), appliedOf(...many));
  assert.equal(asked[0]?.length, 20);
});
