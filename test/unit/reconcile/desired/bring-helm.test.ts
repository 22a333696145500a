/** The output of helm is brought when a render asks for it, and again only if the chart or the cluster changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterCapabilities } from '../../../../src/cluster/ports.ts';
import { renderSnapshot } from '../../../../src/reconcile/desired/render-snapshot.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { beginReading } from '../../../../src/reconcile/pass.ts';
import type { Manifests } from '../../../../src/render/manifests.ts';
import type { Answer, HelmNeed } from '../../../../src/render/needs.ts';
import { applicationOf, snapshotOf } from '../../../support/applications.ts';
import { manifestsOf, scriptReading, type ReadingScript } from '../../../support/reading.ts';
import { helmRunOf } from '../../../support/helm-run.ts';

const RUN = helmRunOf({
  chart: { tree: '', path: 'deploy' },
  releaseName: 'shop',
  values: [{ type: 'text', text: 'password: s3cret', isSecret: true }],
});

function needOf(key: string): HelmNeed {
  return { type: 'helm', key, run: RUN };
}

/** A render that asks for one output and keeps the answers that it got. */
function scene(script: ReadingScript = {}, key = (): string => 'chart') {
  const answers: (Answer | undefined)[] = [];
  const render = (request: { readonly answers: ReadonlyMap<string, Answer> }): Manifests => {
    const need = needOf(key());
    const answer = request.answers.get(need.key);
    answers.push(answer);
    return manifestsOf([], answer === undefined ? { needs: [need] } : { answersUsed: [need.key] });
  };
  const { context, requests } = scriptReading({ render, ...script });
  const memory = emptyMemory();
  const { signal } = new AbortController();
  const application = applicationOf({ spec: { source: { path: 'deploy' } } });
  return { answers, requests, memory, read: () => beginReading({ application, memory, context, signal }) };
}

test('helm runs once for a chart, and a pass without a change runs nothing', async () => {
  const { read, requests, answers } = scene({ helm: () => ({ type: 'text', text: 'kind: x' }) });
  await renderSnapshot(read(), snapshotOf('1'));
  assert.deepEqual(requests, ['find', 'render deploy', 'chart deploy', 'helm shop', 'render deploy']);
  assert.deepEqual(answers, [undefined, { type: 'text', text: 'kind: x' }]);
  await renderSnapshot(read(), snapshotOf('1'));
  assert.equal(requests.length, 5);
});

test('a changed cluster renders the chart again', async () => {
  let capabilities: ClusterCapabilities = { kubeVersion: 'v1.36.3', apiVersions: ['v1'], digest: 'one' };
  const { read, requests } = scene({ capabilities: () => capabilities });
  await renderSnapshot(read(), snapshotOf('1'));
  capabilities = { ...capabilities, apiVersions: ['v1', 'v2'], digest: 'two' };
  await renderSnapshot(read(), snapshotOf('1'));
  assert.equal(requests.filter((request) => request === 'helm shop').length, 2);
});

test('another output for the same input is refused, and the first one stays the measure', async () => {
  const texts = ['one', 'two', 'one'];
  let number = 0;
  const { read, answers } = scene({ helm: () => ({ type: 'text', text: texts[number++] ?? '' }) });
  for (const commit of ['1', '2', '3']) await renderSnapshot(read(), snapshotOf(commit));
  const [, first, , second, , third] = answers;
  assert.equal(first?.type, 'text');
  assert.equal(second?.type === 'refused' && second.problem.code, 'NonDeterministic');
  assert.equal(third?.type, 'text');
});

test('another output for another input is used', async () => {
  let key = '';
  const { read, answers } = scene({ helm: () => ({ type: 'text', text: `output for ${key}` }) }, () => key);
  for (key of ['one', 'two']) await renderSnapshot(read(), snapshotOf(key === 'one' ? '1' : '2'));
  assert.equal(answers.length, 4);
  assert.ok(answers.every((answer) => answer?.type !== 'refused'));
});

test('files that cannot be collected are a refusal, and helm does not run', async () => {
  const problem = { code: 'PathEscapesRoot', message: 'deploy/x leaves the repository' } as const;
  const { read, requests, answers } = scene({ chartFiles: { ok: false, problem } });
  await renderSnapshot(read(), snapshotOf('1'));
  assert.ok(!requests.includes('helm shop'));
  assert.deepEqual(answers[1], {
    type: 'refused',
    problem: { code: 'PathEscapesRoot', message: 'deploy/x leaves the repository' },
  });
});

test('values are not kept in the memory of the Application', async () => {
  const { read, memory } = scene();
  await renderSnapshot(read(), snapshotOf('1'));
  const kept = [...(memory.desired.rendered?.answers.values() ?? [])];
  assert.equal(kept.length, 1);
  assert.doesNotMatch(JSON.stringify(kept), /s3cret/);
});
