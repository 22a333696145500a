/**
 * Values of Secrets in every place from which one could leak: good and refused Secrets, drift, unreadable files and
 * annotations. No output of the agent may hold one, in plain text or as base64.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startQuotingWebhook } from './quoting-webhook.ts';
import { useScene } from './scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  detailOf,
  makeNamespace,
  metricsOf,
  untilFailed,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const scene = useScene(['--log-level', 'debug']);

const canaries: string[] = [];

/** A unique value, which `expectSilence` looks for in every output of the agent. */
function canary(name: string): string {
  const value = `canary-${name}-${Math.random().toString(36).slice(2)}`;
  canaries.push(value);
  return value;
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

function secretPath({ namespace }: Subject, name: string): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

async function expectSilence(subject: Subject): Promise<void> {
  const { world, agent } = scene;
  const get = async (path: string): Promise<string> => (await agent.readApi(path)).text();
  const said = {
    application: JSON.stringify(await subject.application.read()),
    events: JSON.stringify(await world.read('/apis/events.k8s.io/v1/namespaces/apps/events')),
    log: JSON.stringify(agent.log),
    stderr: agent.stderr(),
    metrics: await metricsOf(agent),
    list: await get('/applications'),
    detail: await get(`/applications/apps/${subject.name}`),
    describe: (await world.plane.kubectl(['describe', 'tla', subject.name, '-n', 'apps'])).stdout,
  };
  for (const [where, words] of Object.entries(said)) {
    for (const value of canaries) {
      const forms = [value, base64(value).replace(/=+$/, ''), base64(base64(value)).replace(/=+$/, '')];
      for (const form of forms) assert.ok(!words.includes(form), `${where} holds ${value} as ${form}`);
    }
  }
  assert.ok(said.detail.includes(subject.name) && said.log.length > 100, 'something was looked at');
}

test('values of good Secrets, and of drift on them, appear in no output', async () => {
  const subject = await declareSubject(scene.world, 'good', {
    files: {
      'data.yaml': text(secret('data', { data: { a: base64(canary('data')) } })),
      'string.yaml': text(secret('string', { stringData: { a: canary('string') } })),
    },
  });
  await subject.application.untilReady();
  await scene.world.apply(secret('data', { stringData: { a: canary('by-hand') } }, { namespace: 'good' }));
  await untilObject(scene.world, secretPath(subject, 'data'), (object) => {
    return at(object, 'data', 'a') === base64(canaries[0] ?? '');
  });
  await expectSilence(subject);
});

test('a difference on a Secret is reported by its key, with masked values', async () => {
  const subject = await declareSubject(scene.world, 'differs', {
    files: { 'secret.yaml': text(secret('s', { stringData: { a: canary('git') } })) },
    spec: { sync: { mode: 'detect' } },
  });
  await subject.application.until('missing', (candidate) => at(candidate, 'status', 'counts', 'missing') === 1);
  // No watch reports an object without our label; the refresh looks it up.
  await scene.world.apply(secret('s', { stringData: { a: canary('cluster') } }, { namespace: 'differs' }));
  await subject.application.refresh();
  await untilFailed(subject, 'OutOfSync');
  const objects = at(await detailOf(scene.agent, 'differs'), 'objects') as unknown[];
  const fields = at(objects[0], 'fields') as unknown[];
  assert.equal(at(fields[0], 'path'), '/data/a');
  assert.equal(at(fields[0], 'desired'), '********');
  assert.equal(at(fields[0], 'live'), '********');
  await expectSilence(subject);
});

const INVALID: Readonly<Record<string, () => Record<string, unknown>>> = {
  'a value that is not base64': () => ({ data: { a: `%%${canary('nobase64')}` } }),
  'a value that is a list': () => ({ data: { a: [canary('list')] } }),
  'a malformed key': () => ({ stringData: { 'no/key': canary('key') } }),
  'a certificate without its key': () => ({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': canary('tls') } }),
  'an unknown field': () => ({ stringdata: { a: canary('field') }, stringData: { a: canary('beside') } }),
  'a registry configuration that is not JSON': () => ({
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': `{"auths": ${canary('docker')}` },
  }),
};

let invalidCount = 0;
for (const [what, make] of Object.entries(INVALID)) {
  test(`a Secret with ${what} is refused and reported, without its value`, async () => {
    const name = `invalid${++invalidCount}`;
    const subject = await declareSubject(scene.world, name, { files: { 'secret.yaml': text(secret('s', make())) } });
    const application = await subject.application.until('refused', (candidate) => {
      return /Secret/.test(JSON.stringify(at(candidate, 'status', 'conditions')));
    });
    assert.match(JSON.stringify(at(application, 'status', 'conditions')), /secret\.yaml:\d/);
    await expectSilence(subject);
  });
}

test('a change of an immutable Secret is reported as such, without the old or the new value', async () => {
  const make = (value: string) => ({ 'secret.yaml': text(secret('s', { immutable: true, stringData: { a: value } })) });
  const subject = await declareSubject(scene.world, 'immutable', { files: make(canary('old')) });
  await subject.application.untilReady();
  await subject.repository.commit(make(canary('new')));
  await subject.application.refresh();
  const { message } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /^Secret immutable\/s \(secret\.yaml:1\): .*cannot be changed in place/);
  await expectSilence(subject);
});

test('a Secret that kubectl applied is adopted, and the values in its annotation appear in no output', async () => {
  const value = canary('adopted');
  const files = { 'secret.yaml': text(secret('s', { stringData: { a: value } })) };
  await makeNamespace(scene.world, 'adopted');
  const old = secret('s', { stringData: { a: value, b: canary('annotation') } }, { namespace: 'adopted' });
  await kubectl(scene.world, ['apply', '-f', '-'], old);
  const subject = await declareSubject(scene.world, 'adopted', { files });
  await subject.application.untilReady();
  await expectSilence(subject);
});

test('entries that kubectl created in a Secret are removed at its adoption, and their values appear in no output', async () => {
  const value = canary('created');
  await makeNamespace(scene.world, 'created');
  const old = secret('s', { stringData: { a: canary('before'), left: canary('left') } }, { namespace: 'created' });
  await kubectl(scene.world, ['create', '-f', '-'], old);
  const files = { 'secret.yaml': text(secret('s', { stringData: { a: value } })) };
  const subject = await declareSubject(scene.world, 'created', { files });
  await subject.application.untilReady();
  const taken = await scene.world.read(secretPath(subject, 's'));
  assert.deepEqual(taken?.['data'], { a: base64(value) });
  await expectSilence(subject);
});

test('an entry beside which the Secret of Git is too large is removed in place, and its value appears in no output', async () => {
  const large = (name: string): string => canary(name).padEnd(600_000, 'x');
  const files = (value: string): Record<string, string> => ({
    'secret.yaml': text(
      secret('s', { stringData: { a: value } }, { annotations: { 'kustomize.toolkit.fluxcd.io/force': 'enabled' } }),
    ),
  });
  const subject = await declareSubject(scene.world, 'filled', { files: files(canary('small')) });
  await subject.application.untilReady();
  const before = await scene.world.read(secretPath(subject, 's'));
  await scene.world.send('PATCH', secretPath(subject, 's'), { stringData: { left: large('filled') } });
  const value = large('large');
  const commit = await subject.repository.commit(files(value));
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const after = await scene.world.read(secretPath(subject, 's'));
  assert.deepEqual(after?.['data'], { a: base64(value) });
  assert.equal(at(after, 'metadata', 'uid'), at(before, 'metadata', 'uid'));
  await expectSilence(subject);
});

test('an admission webhook that quotes values of the Secrets that it refuses is named, without its words', async () => {
  const kept = (value: string): string => text(secret('kept', { stringData: { a: value } }));
  const subject = await declareSubject(scene.world, 'quoted', { files: { 'kept.yaml': kept(canary('kept')) } });
  await subject.application.untilReady();
  await using _ = await startQuotingWebhook(scene.world, 'quoted');
  await subject.repository.commit({
    'kept.yaml': kept(canary('updated')),
    'new.yaml': text(
      secret('s403', { stringData: { a: canary('forbidden') } }),
      secret('s422', { stringData: { a: canary('invalid') } }),
    ),
  });
  await subject.application.refresh();
  const { message } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(
    message,
    /^Secret quoted\/kept \(kept\.yaml:1\): the admission webhook quotes\.example\.com refuses the Secret/,
  );
  await expectSilence(subject);
  await subject.repository.commit({ 'kept.yaml': text(configMap('other')), 'new.yaml': '' });
  await subject.application.refresh();
  const pruned = await untilFailed(subject, 'PruneFailed');
  assert.match(pruned.message, /the admission webhook quotes\.example\.com refuses the Secret/);
  await expectSilence(subject);
});

test('a file with a Secret that cannot be read is reported by its line number, without the text', async () => {
  const broken = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: "${canary('unclosed')}\n  b: [${canary('list')}\n`;
  const subject = await declareSubject(scene.world, 'unreadable', { files: { 'file.yaml': broken } });
  const { message } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /^file\.yaml:\d+: /);
  await expectSilence(subject);
});

test('a Secret that is defined twice, or in a version that is not served, shows no value', async () => {
  const subject = await declareSubject(scene.world, 'twice', {
    files: {
      'one.yaml': text(secret('s', { stringData: { a: canary('one') } })),
      'two.yaml': text(secret('s', { stringData: { a: canary('two') } })),
      'sealed.yaml': text({ ...secret('x', { stringData: { a: canary('kind') } }), apiVersion: 'v2' }),
    },
  });
  await untilFailed(subject, 'BuildFailed');
  await expectSilence(subject);
});
