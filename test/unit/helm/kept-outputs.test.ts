import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Helm, HelmCall } from '../../../src/helm/helm.ts';
import { withKeptOutputs } from '../../../src/helm/kept-outputs.ts';
import type { HelmRun } from '../../../src/render/needs.ts';
import { helmRunOf } from '../../support/helm-run.ts';

type Answer = Awaited<ReturnType<Helm['template']>>;

/** A helm whose output names its run, and that counts its runs. */
function start(maxKeptBytes = 1e6) {
  const inner = { runs: 0, version: 'v4.0.0', answer: undefined as ((run: number) => Answer) | undefined };
  const helm: Helm = {
    template() {
      inner.runs += 1;
      return Promise.resolve(inner.answer?.(inner.runs) ?? { type: 'text', text: `output of run ${inner.runs}` });
    },
    version: () => Promise.resolve(inner.version),
    close: () => undefined,
  };
  return { inner, kept: withKeptOutputs(helm, { maxKeptBytes }) };
}

function callOf(changes: Partial<HelmCall> = {}, run: Partial<HelmRun> = {}): HelmCall {
  const files = [{ path: 'chart/Chart.yaml', bytes: Buffer.from('name: web') }];
  const capabilities = { kubeVersion: 'v1.36.0', apiVersions: ['apps/v1'] };
  return { run: helmRunOf(run), files, capabilities, tenant: 'team', signal: new AbortController().signal, ...changes };
}

const valuesOf = (text: string, isSecret = false): Partial<HelmRun> => ({ values: [{ type: 'text', text, isSecret }] });

test('a run with the same inputs is answered from memory, and each changed input runs helm', async () => {
  const { inner, kept } = start();
  assert.deepEqual(await kept.template(callOf()), { type: 'text', text: 'output of run 1' });
  assert.deepEqual(await kept.template(callOf()), { type: 'text', text: 'output of run 1' });
  const changed: readonly HelmCall[] = [
    callOf({ files: [{ path: 'chart/Chart.yaml', bytes: Buffer.from('name: wex') }] }),
    callOf({ files: [{ path: 'chart/chart.yaml', bytes: Buffer.from('name: web') }] }),
    callOf({ capabilities: { kubeVersion: 'v1.37.0', apiVersions: ['apps/v1'] } }),
    callOf({ capabilities: { kubeVersion: 'v1.36.0', apiVersions: ['apps/v1', 'apps/v2'] } }),
    callOf({ tenant: 'other' }),
    callOf({}, valuesOf('a: 1')),
    callOf({}, valuesOf('a: 2')),
    callOf({}, { releaseName: 'other' }),
    callOf({}, { namespace: 'other' }),
    callOf({}, { skipTests: false }),
    callOf({}, { parameters: [{ name: 'a', value: '1', isText: false }] }),
  ];
  for (const [index, call] of changed.entries()) {
    await kept.template(call);
    assert.equal(inner.runs, index + 2, `change ${index}`);
  }
  inner.version = 'v4.0.1';
  await kept.template(callOf());
  assert.equal(inner.runs, changed.length + 2);
});

test('an output with values of a Secret, a refusal and an output that varies are not kept', async () => {
  const { inner, kept } = start();
  await kept.template(callOf({}, valuesOf('a: 1', true)));
  await kept.template(callOf({}, valuesOf('a: 1', true)));
  assert.equal(inner.runs, 2);
  inner.answer = () => ({ type: 'refused', problem: { code: 'ChartInvalid', message: 'no' } });
  await kept.template(callOf());
  await kept.template(callOf());
  assert.equal(inner.runs, 4);
  inner.answer = (run) => ({ type: 'text', text: `${run}`, again: `${run}x` });
  await kept.template(callOf());
  await kept.template(callOf());
  assert.equal(inner.runs, 6);
});

test('an output that was the same twice stays one that was', async () => {
  const { inner, kept } = start();
  inner.answer = () => ({ type: 'text', text: 'ä: 1', again: 'ä: 1' });
  const first = await kept.template(callOf());
  assert.deepEqual(await kept.template(callOf()), first);
  assert.equal(inner.runs, 1);
});

test('the bound holds for all outputs together, and those used least recently go first', async () => {
  const { inner, kept } = start(90);
  const [a, b, c] = ['a: 1', 'b: 1', 'c: 1'].map((text) => callOf({}, valuesOf(text))) as [
    HelmCall,
    HelmCall,
    HelmCall,
  ];
  for (const call of [a, b, a, c]) await kept.template(call);
  assert.equal(inner.runs, 3);
  await kept.template(a);
  assert.equal(inner.runs, 3);
  await kept.template(b);
  assert.equal(inner.runs, 4);
  const { inner: none, kept: nothing } = start(0);
  await nothing.template(a);
  await nothing.template(a);
  assert.equal(none.runs, 2);
});
