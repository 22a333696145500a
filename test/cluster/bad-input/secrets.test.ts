/**
 * Values of Secrets, put wherever one could leak from: good and refused Secrets, drift, unreadable files, annotations.
 * Nothing that the agent writes or answers may hold one, in plain text or as base64.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useScene } from './scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { secret, text } from '../../support/objects.ts';
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

/** A value that appears nowhere else; looked for in everything that the agent says. */
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
  const get = async (url: string): Promise<string> => (await fetch(url)).text();
  const said = {
    application: JSON.stringify(await subject.application.read()),
    events: JSON.stringify(await world.read('/apis/events.k8s.io/v1/namespaces/apps/events')),
    log: JSON.stringify(agent.log),
    stderr: agent.stderr(),
    metrics: await metricsOf(agent),
    list: await get(`${agent.apiUrl}/api/v1/applications`),
    detail: await get(`${agent.apiUrl}/api/v1/applications/apps/${subject.name}`),
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

test('values of good Secrets, and of drift on them, are seen by nobody', async () => {
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

test('what differs on a Secret is reported by its key, and masked', async () => {
  const subject = await declareSubject(scene.world, 'differs', {
    files: { 'secret.yaml': text(secret('s', { stringData: { a: canary('git') } })) },
    spec: { sync: { mode: 'detect' } },
  });
  await subject.application.until('missing', (candidate) => at(candidate, 'status', 'counts', 'missing') === 1);
  // No watch tells of an object without our label: the next pass has to ask.
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
  'a value that is no base64': () => ({ data: { a: `%%${canary('nobase64')}` } }),
  'a value that is a list': () => ({ data: { a: [canary('list')] } }),
  'a key that is none': () => ({ stringData: { 'no/key': canary('key') } }),
  'a certificate without its key': () => ({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': canary('tls') } }),
  'a field that is none': () => ({ stringdata: { a: canary('field') }, stringData: { a: canary('beside') } }),
  'a registry configuration that is no JSON': () => ({
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': `{"auths": ${canary('docker')}` },
  }),
};

let invalidCount = 0;
for (const [what, make] of Object.entries(INVALID)) {
  test(`a Secret with ${what} is refused and named, without its value`, async () => {
    const name = `invalid${++invalidCount}`;
    const subject = await declareSubject(scene.world, name, { files: { 'secret.yaml': text(secret('s', make())) } });
    const application = await subject.application.until('refused', (candidate) => {
      return /Secret/.test(JSON.stringify(at(candidate, 'status', 'conditions')));
    });
    assert.match(JSON.stringify(at(application, 'status', 'conditions')), /secret\.yaml:\d/);
    await expectSilence(subject);
  });
}

test('a change of an immutable Secret is told as one, without old or new value', async () => {
  const make = (value: string) => ({ 'secret.yaml': text(secret('s', { immutable: true, stringData: { a: value } })) });
  const subject = await declareSubject(scene.world, 'immutable', { files: make(canary('old')) });
  await subject.application.untilReady();
  await subject.repository.commit(make(canary('new')));
  await subject.application.refresh();
  const { message } = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(message, /^Secret immutable\/s \(secret\.yaml:1\): .*cannot be changed in place/);
  await expectSilence(subject);
});

test('a Secret that kubectl once applied is adopted, and the values in its annotation are seen by nobody', async () => {
  const value = canary('adopted');
  const files = { 'secret.yaml': text(secret('s', { stringData: { a: value } })) };
  await makeNamespace(scene.world, 'adopted');
  const old = secret('s', { stringData: { a: value, b: canary('annotation') } }, { namespace: 'adopted' });
  await kubectl(scene.world, ['apply', '-f', '-'], old);
  const subject = await declareSubject(scene.world, 'adopted', { files });
  await subject.application.untilReady();
  await expectSilence(subject);
});

test('a file with a Secret that cannot be read is told by line, without the line', async () => {
  const broken = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: "${canary('unclosed')}\n  b: [${canary('list')}\n`;
  const subject = await declareSubject(scene.world, 'unreadable', { files: { 'file.yaml': broken } });
  const { message } = await untilFailed(subject, 'BuildFailed');
  assert.match(message, /^file\.yaml:\d+: /);
  await expectSilence(subject);
});

test('a Secret that stands twice, or in a kind that nobody serves, shows nothing', async () => {
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
