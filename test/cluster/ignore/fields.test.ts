/** Ignored fields on a real API server: neither reported nor overwritten, whichever manager owns them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { deployment, expectQuiet, IMAGE, resourceOf } from './scene.ts';
import { edit, kubectl } from '../../support/kubectl.ts';
import { applicationManifest, autoscaler, configMap, secret, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  PART_OF,
  syncOf,
  untilObject,
} from '../../support/scene.ts';

const REPLICAS = { group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] };

const { world, agent } = useWorld({ agent: true });

test('replicas that were scaled by hand stay when the image changes in Git', async () => {
  const subject = await declareSubject(world, 'scaled', {
    files: { 'web.yaml': text(deployment('web', { replicas: 2 })) },
    spec: { ignoreDifferences: [REPLICAS] },
  });
  await subject.application.untilReady();
  const path = deploymentPath('scaled', 'web');
  const created = await world.read(path);
  assert.equal(at(created, 'spec', 'replicas'), 2, 'Git sets it at creation');
  await kubectl(world, ['scale', 'deployment', 'web', '-n', 'scaled', '--replicas=5']);
  await expectQuiet(agent, subject);
  const commit = await subject.repository.commit({
    'web.yaml': text(deployment('web', { replicas: 2, image: 'app:2' })),
  });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const changed = await untilObject(world, path, (object) => at(object, ...IMAGE) === 'app:2');
  assert.equal(at(changed, 'spec', 'replicas'), 5);
  await expectQuiet(agent, subject);
});

test('replicas that only we own stay when they leave Git', async () => {
  const subject = await declareSubject(world, 'unset', {
    files: { 'web.yaml': text(deployment('web', { replicas: 5 })) },
    spec: { ignoreDifferences: [REPLICAS] },
  });
  await subject.application.untilReady();
  const commit = await subject.repository.commit({ 'web.yaml': text(deployment('web', { image: 'app:2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const path = deploymentPath('unset', 'web');
  const changed = await untilObject(world, path, (object) => at(object, ...IMAGE) === 'app:2');
  assert.equal(at(changed, 'spec', 'replicas'), 5);
  await expectQuiet(agent, subject);
});

test('a new value of an ignored field in Git is not applied, and without the rule it is at once', async () => {
  const subject = await declareSubject(world, 'ruled', {
    files: { 'c.yaml': text(configMap('c', { a: '1', b: '1' })) },
    spec: { ignoreDifferences: [{ kind: 'ConfigMap', name: 'c', jsonPointers: ['/data/a'] }] },
  });
  await subject.application.untilReady();
  const commit = await subject.repository.commit({ 'c.yaml': text(configMap('c', { a: '2', b: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const kept = await subject.configMap('c');
  assert.deepEqual([at(kept, 'data', 'a'), at(kept, 'data', 'b')], ['1', '2']);
  await expectQuiet(agent, subject);
  await subject.application.patch({ ignoreDifferences: null });
  await untilObject(world, configMapPath('ruled', 'c'), (object) => at(object, 'data', 'a') === '2');
});

test('fields of a manager that a rule names are left alone, and fields of other managers are healed', async () => {
  const subject = await declareSubject(world, 'managed', {
    files: { 'c.yaml': text(configMap('c', { a: '1', b: '1', c: '1' })) },
    spec: { ignoreDifferences: [{ kind: '*', managers: ['tuner'] }] },
  });
  await subject.application.untilReady();
  await world.apply(configMap('c', { a: 'tuned' }, { namespace: 'managed' }), 'tuner');
  await world.apply(configMap('c', { b: 'other' }, { namespace: 'managed' }), 'someone');
  const path = configMapPath('managed', 'c');
  await untilObject(world, path, (object) => at(object, 'data', 'b') === '1');
  const commit = await subject.repository.commit({ 'c.yaml': text(configMap('c', { a: '2', b: '2', c: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const found = await world.read(path);
  assert.deepEqual([at(found, 'data', 'a'), at(found, 'data', 'b'), at(found, 'data', 'c')], ['tuned', '2', '2']);
  await expectQuiet(agent, subject);
});

test('values that a controller injects into each item of a list stay', async () => {
  const webhook = (name: string, timeoutSeconds: number): Record<string, unknown> => ({
    name: `${name}.ignore.example`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    timeoutSeconds,
    clientConfig: { url: 'https://127.0.0.1:1/', caBundle: 'Cg==' },
    rules: [{ apiGroups: ['ignore.example'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }],
  });
  const configuration = (timeoutSeconds: number): string =>
    text({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'injected' },
      webhooks: [webhook('a', timeoutSeconds), webhook('b', timeoutSeconds)],
    });
  const subject = await declareSubject(world, 'injected', {
    files: { 'hook.yaml': configuration(2) },
    spec: {
      ignoreDifferences: [
        { kind: 'ValidatingWebhookConfiguration', jsonPointers: ['/webhooks/*/clientConfig/caBundle'] },
      ],
    },
  });
  await subject.application.untilReady();
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/injected';
  const patch = [0, 1].map((index) => ({
    op: 'replace',
    path: `/webhooks/${index}/clientConfig/caBundle`,
    value: 'Cgo=',
  }));
  await edit(world, 'validatingwebhookconfiguration/injected', { patch, type: 'json' });
  await expectQuiet(agent, subject);
  const commit = await subject.repository.commit({ 'hook.yaml': configuration(3) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const found = await untilObject(world, path, (object) => at(object, 'webhooks', 0, 'timeoutSeconds') === 3);
  for (const index of [0, 1]) assert.equal(at(found, 'webhooks', index, 'clientConfig', 'caBundle'), 'Cgo=');
  await expectQuiet(agent, subject);
});

test('a value inside a list that is applied as a whole stays', async () => {
  const ingress = (path: string): string =>
    text({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      spec: {
        rules: [
          {
            host: 'git.example',
            http: {
              paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
            },
          },
        ],
      },
    });
  const subject = await declareSubject(world, 'whole', {
    files: { 'ingress.yaml': ingress('/a') },
    spec: { ignoreDifferences: [{ group: 'networking.k8s.io', jsonPointers: ['/spec/rules/0/host'] }] },
  });
  await subject.application.untilReady();
  const patch = [{ op: 'replace', path: '/spec/rules/0/host', value: 'live.example' }];
  await edit(world, 'ingress/web', { namespace: 'whole', patch, type: 'json' });
  await subject.application.refresh();
  const commit = await subject.repository.commit({ 'ingress.yaml': ingress('/b') });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const path = '/apis/networking.k8s.io/v1/namespaces/whole/ingresses/web';
  const found = await untilObject(
    world,
    path,
    (object) => at(object, 'spec', 'rules', 0, 'http', 'paths', 0, 'path') === '/b',
  );
  assert.equal(at(found, 'spec', 'rules', 0, 'host'), 'live.example');
  await expectQuiet(agent, subject);
});

test('an ignored entry of a Secret keeps its live value, which is not shown', async () => {
  const sealed = (token: string, user: string): string => text(secret('s', { stringData: { token, user } }));
  const subject = await declareSubject(world, 'sealed', {
    files: { 's.yaml': sealed('first', 'a') },
    spec: { ignoreDifferences: [{ kind: 'Secret', jsonPointers: ['/data/token'] }] },
  });
  await subject.application.untilReady();
  const commit = await subject.repository.commit({ 's.yaml': sealed('second', 'b') });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const read = (key: string, object: unknown): string =>
    Buffer.from(String(at(object, 'data', key)), 'base64').toString();
  const path = '/api/v1/namespaces/sealed/secrets/s';
  const kept = await untilObject(world, path, (object) => read('user', object) === 'b');
  assert.equal(read('token', kept), 'first', 'we alone own it');
  await edit(world, 'secret/s', { namespace: 'sealed', patch: { stringData: { token: 'rotated' } } });
  await expectQuiet(agent, subject);
  const next = await subject.repository.commit({ 's.yaml': sealed('third', 'c') });
  await subject.application.refresh();
  await subject.application.untilReady(next);
  const found = await untilObject(world, path, (object) => read('user', object) === 'c');
  assert.equal(read('token', found), 'rotated', 'another owns it');
  assert.doesNotMatch(JSON.stringify(await subject.application.read()), /rotated|cm90YXRlZA/);
});

test('our label is restored although all labels are ignored, and an ignored field with an escaped name stays', async () => {
  const metadata = { annotations: { 'example.com/tuned': 'git', note: 'git' } };
  const subject = await declareSubject(world, 'marked', {
    files: { 'c.yaml': text(configMap('c', { a: '1' }, metadata)) },
    spec: {
      ignoreDifferences: [
        { jsonPointers: ['/metadata/annotations/example.com~1tuned'] },
        // All labels, except that of the agent.
        { jsonPointers: ['/metadata/labels'] },
      ],
    },
  });
  await subject.application.untilReady();
  const annotations = { 'example.com/tuned': 'live', note: 'live' };
  const labels = { [PART_OF]: null, theirs: 'yes' };
  await edit(world, 'configmap/c', { namespace: 'marked', patch: { metadata: { annotations, labels } } });
  const path = configMapPath('marked', 'c');
  const healed = await untilObject(
    world,
    path,
    (object) =>
      at(object, 'metadata', 'annotations', 'note') === 'git' &&
      /^applyset-/.test(String(at(object, 'metadata', 'labels', PART_OF))),
  );
  assert.equal(at(healed, 'metadata', 'annotations', 'example.com/tuned'), 'live');
  assert.equal(at(healed, 'metadata', 'labels', 'theirs'), 'yes');
  await subject.application.untilReady();
  await expectQuiet(agent, subject);
});

test('mode detect reports only differences that are not ignored', async () => {
  const subject = await declareSubject(world, 'detected', {
    files: { 'web.yaml': text(deployment('web', { replicas: 2 })) },
    spec: { ignoreDifferences: [REPLICAS] },
  });
  await subject.application.untilReady();
  await subject.application.patch({ sync: { mode: 'detect' } });
  await kubectl(world, ['scale', 'deployment', 'web', '-n', 'detected', '--replicas=5']);
  await expectQuiet(agent, subject);
  await kubectl(world, ['set', 'image', 'deployment/web', '-n', 'detected', 'app=app:9']);
  const drifted = await subject.application.until('OutOfSync', (application) => syncOf(application) === 'OutOfSync');
  assert.match(
    String(resourceOf(drifted, 'web')?.['message']),
    /differs at \/spec\/template\/spec\/containers\/0\/image$/,
  );
});

test('replicas are left alone if an autoscaler of the same Application scales them', async () => {
  const scaler = autoscaler('web', { minReplicas: 2, maxReplicas: 9 });
  const files = (image: string): string =>
    text(scaler, deployment('web', { replicas: 2, image }), deployment('other', { replicas: 2, image }));
  const subject = await declareSubject(world, 'autoscaled', { files: { 'all.yaml': files('app:1') } });
  await subject.application.untilReady();
  for (const name of ['web', 'other'])
    await kubectl(world, ['scale', 'deployment', name, '-n', 'autoscaled', '--replicas=5']);
  const path = deploymentPath('autoscaled', 'other');
  await untilObject(world, path, (object) => at(object, 'spec', 'replicas') === 2);
  const commit = await subject.repository.commit({ 'all.yaml': files('app:2') });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  const web = await world.read(deploymentPath('autoscaled', 'web'));
  assert.deepEqual([at(web, ...IMAGE), at(web, 'spec', 'replicas')], ['app:2', 5]);
  await expectQuiet(agent, subject);
});

test('a rule without fields and a malformed pointer are refused', async () => {
  const path = '/apis/tautline.dev/v1alpha1/namespaces/default/applications';
  const spec = { source: { repoURL: 'https://git.example/a.git' } };
  for (const rule of [
    { kind: 'Deployment' },
    { jsonPointers: [] },
    { jsonPointers: ['spec'] },
    { jsonPointers: ['/a~b'] },
  ]) {
    const body = applicationManifest('refused', { ...spec, ignoreDifferences: [rule] }, { namespace: 'default' });
    const { code } = await world.plane.request('POST', path, body);
    assert.equal(code, 422, JSON.stringify(rule));
  }
});
