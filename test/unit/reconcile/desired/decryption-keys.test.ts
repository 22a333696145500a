/**
 * Sealed files are opened with the keys of the Secret, once for each state of both, and nothing plain outlives the
 * keys.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecretAnswer } from '../../../../src/cluster/ports.ts';
import { dataOf, renderSnapshot } from '../../../../src/reconcile/desired/render-snapshot.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { beginReading } from '../../../../src/reconcile/pass.ts';
import type { Manifests } from '../../../../src/render/manifests.ts';
import type { Answer, SealedNeed } from '../../../../src/render/needs.ts';
import { applicationOf, snapshotOf } from '../../../support/applications.ts';
import { manifestsOf, scriptReading } from '../../../support/reading.ts';
import { ageKey } from '../../../support/sealed-files.ts';

const NEED: SealedNeed = {
  type: 'sealed',
  key: 'sealed:yaml:x',
  format: 'yaml',
  recipients: [{ kind: 'age', name: 'age1x' }],
  content: 'c2VhbGVk',
};
const PLAIN = Buffer.from('password: hunter2');

function secretOf(...keys: readonly string[]): SecretAnswer {
  return { ok: true, data: new Map([['keys.agekey', Buffer.from(keys.join('\n'))]]) };
}

/** A render of one sealed file. `secret` may be changed between two reads. */
function scene({ bytes = PLAIN, isDataWatched = true }: { bytes?: Buffer; isDataWatched?: boolean } = {}) {
  const answers: (Answer | undefined)[] = [];
  const state = { secret: secretOf(ageKey().private), signals: { dataChangedMs: -Infinity } };
  const render = (request: { readonly answers: ReadonlyMap<string, Answer> }): Manifests => {
    const answer = request.answers.get(NEED.key);
    answers.push(answer);
    return manifestsOf([], answer === undefined ? { needs: [NEED] } : { answersUsed: [NEED.key] });
  };
  const memory = emptyMemory();
  const requests: string[] = [];
  const application = applicationOf({ spec: { render: { decryption: { secretRef: { name: 'keys' } } } } });
  const read = async (commit: string) => {
    const scripted = scriptReading({
      render,
      isDataWatched,
      secret: state.secret,
      sops: () => ({ type: 'opened', bytes }),
    });
    const { signal } = new AbortController();
    const reading = beginReading({ application, memory, context: scripted.context, signal });
    const asked = { ...reading, signals: { ...reading.signals, ...state.signals } };
    try {
      await renderSnapshot(asked, snapshotOf(commit));
    } finally {
      requests.push(...scripted.requests.filter((request) => /^(secret|sops|render)/.test(request)));
    }
    return asked;
  };
  return { answers, memory, requests, state, read };
}

test('a pass without a change reads no Secret and runs no sops', async () => {
  const { read, requests, answers } = scene();
  await read('1');
  assert.deepEqual(requests, ['secret keys', 'render ', 'sops yaml', 'render ']);
  assert.deepEqual(answers, [undefined, { type: 'opened', bytes: PLAIN }]);
  await read('1');
  assert.equal(requests.length, 4);
});

test('a new commit that keeps the sealed file runs no sops', async () => {
  const { read, requests } = scene();
  await read('1');
  await read('2');
  assert.deepEqual(requests.slice(4), ['render ']);
});

test('a file beyond the bound is not kept, and is opened again for a new commit', async () => {
  const { read, requests, memory } = scene({ bytes: Buffer.alloc(300 * 1024) });
  await read('1');
  assert.equal(memory.desired.opened, undefined);
  await read('2');
  assert.deepEqual(requests.slice(4), ['render ', 'secret keys', 'sops yaml', 'render ']);
});

test('changed keys render again, and what the old keys have opened is dropped', async () => {
  const { read, requests, state, memory } = scene();
  await read('1');
  assert.equal(memory.desired.opened?.files.size, 1);
  state.secret = { ok: true, data: undefined };
  state.signals.dataChangedMs = Infinity;
  const { requests: before } = { requests: requests.length };
  await read('1');
  assert.deepEqual(requests.slice(before), ['secret keys', 'render ', 'render ']);
  assert.equal(memory.desired.opened, undefined);
});

test('without a watch the Secret is read after each poll', async () => {
  const { read, requests } = scene({ isDataWatched: false });
  await read('1');
  await read('1');
  assert.deepEqual(requests.slice(4), []);
});

test('a Secret that is missing, empty or wrong is a problem of the file that names it', async () => {
  const cases: [SecretAnswer, RegExp][] = [
    [{ ok: true, data: undefined }, /sealed by SOPS, and the Secret apps\/keys with the keys does not exist/],
    [secretOf(''), /the Secret apps\/keys holds no private key of age/],
    [secretOf('hunter2'), /under keys\.agekey in line 1/],
  ];
  for (const [secret, expected] of cases) {
    const { read, answers, requests, state } = scene();
    state.secret = secret;
    await read('1');
    const [, answer] = answers;
    assert.ok(answer?.type === 'refused');
    assert.equal(answer.problem.code, 'Sealed');
    assert.match(answer.problem.message, expected);
    assert.ok(!requests.includes('sops yaml'));
  }
});

test('a Secret that may not be read fails the render', async () => {
  const { read, state } = scene();
  state.secret = { ok: false, refusal: { code: 'Forbidden', status: 403, message: 'no', retry: 'never' } };
  await assert.rejects(read('1'), { code: 'DataForbidden' });
});

test('the Secret is among the data that is watched, also before the first render', async () => {
  const { read } = scene();
  const reading = await read('1');
  assert.deepEqual(dataOf(reading), [{ kind: 'Secret', namespace: 'apps', name: 'keys' }]);
});

test('neither keys nor sealed bytes are kept in the memory of the Application', async () => {
  const { read, memory } = scene({ bytes: Buffer.alloc(300 * 1024) });
  await read('1');
  const kept = JSON.stringify([...(memory.desired.rendered?.answers ?? [])]) + JSON.stringify(memory.desired.keys);
  assert.doesNotMatch(kept, /c2VhbGVk|AGE-SECRET/);
});
