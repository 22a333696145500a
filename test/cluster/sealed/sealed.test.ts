/** Sealed files on a real API server, opened by the real sops with the keys of a Secret of the tenant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { landlockBinary, sopsBinary } from '../../control-plane/binaries.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, secret, text, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, makeNamespace, QUICK_FLAGS, readyMessage, untilObject } from '../../support/scene.ts';
import { ageKey, seal, VALUES_ONLY, type AgeKeyPair } from '../../support/sealed-files.ts';
import { useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';

const { world } = useWorld({
  agent: async (running) =>
    running.agent({
      flags: [
        ...QUICK_FLAGS,
        ...['--sops', await sopsBinary(), '--landlock-program', await landlockBinary()],
        ...['--allow-cross-namespace', 'true'],
      ],
    }),
});

const DECRYPTION = { render: { decryption: { secretRef: { name: 'sops-age' } } } };

function keySecret(...keys: readonly AgeKeyPair[]) {
  const stringData = Object.fromEntries(keys.map((key, index) => [`key${index}.agekey`, `# key\n${key.private}\n`]));
  return secret('sops-age', { stringData }, { namespace: 'apps' });
}

async function setKeys(name: string, ...keys: readonly AgeKeyPair[]): Promise<Manifest> {
  await makeNamespace(world, 'apps');
  const object = keySecret(...keys);
  await world.apply({ ...object, metadata: { name, namespace: 'apps' } });
  return { render: { decryption: { secretRef: { name } } } };
}

function loginFile(value: string, key: AgeKeyPair): Promise<string> {
  return seal(text(secret('login', { stringData: { password: value } })), { recipients: [key], args: VALUES_ONLY });
}

const passwordOf = (object: unknown): string =>
  Buffer.from(String(at(object, 'data', 'password')), 'base64').toString();

test('a sealed Secret reaches the cluster, follows a commit, and is healed after a change by hand', async () => {
  const key = ageKey();
  const spec = await setKeys('first', key);
  const files = { 'login.yaml': await loginFile('one', key) };
  const { application, repository, namespace } = await declareSubject(world, 'sealed', { files, spec });
  await application.untilReady();
  const path = `/api/v1/namespaces/${namespace}/secrets/login`;
  assert.equal(passwordOf(await world.read(path)), 'one');
  await repository.commit({ 'login.yaml': await loginFile('two', key) });
  await application.refresh();
  await untilObject(world, path, (object) => passwordOf(object) === 'two');
  await world.apply(secret('login', { stringData: { password: 'by hand' } }, { namespace }));
  await untilObject(world, path, (object) => passwordOf(object) === 'two');
});

test('a rotated key is a problem that prunes nothing, and the next key in the Secret heals it', async () => {
  const [old, fresh] = [ageKey(), ageKey()];
  const spec = await setKeys('rotated', old);
  const kept = { 'kept.yaml': text(configMap('kept', { a: '1' })) };
  const files = { ...kept, 'login.yaml': await loginFile('one', old) };
  const { application, repository, namespace } = await declareSubject(world, 'rotated', { files, spec });
  await application.untilReady();
  await repository.commit({ ...kept, 'login.yaml': await loginFile('two', fresh) });
  await application.refresh();
  const isTold = (now: Json): boolean => /login\.yaml.*no key of the Secret apps\/rotated/s.test(readyMessage(now));
  await application.until('the missing key is told', isTold);
  const path = `/api/v1/namespaces/${namespace}/secrets/login`;
  assert.equal(passwordOf(await world.read(path)), 'one');
  await setKeys('rotated', old, fresh);
  await application.untilReady();
  assert.equal(passwordOf(await world.read(path)), 'two');
});

test('without keys, with keys that do not exist and with a wrong MAC nothing sealed is applied', async () => {
  const key = ageKey();
  const login = await loginFile('one', key);
  const bare = await declareSubject(world, 'bare', { files: { 'login.yaml': login } });
  await bare.application.until('it is told', (now) => /login\.yaml.*no key is given/s.test(readyMessage(now)));
  const absent = await declareSubject(world, 'absent', { files: { 'login.yaml': login }, spec: DECRYPTION });
  await absent.application.until('it is told', (now) =>
    /the Secret apps\/sops-age with the keys does not exist/.test(readyMessage(now)),
  );
  const spec = await setKeys('changed', key);
  const changed = login.replace('name: login', 'name: admin');
  const tampered = await declareSubject(world, 'tampered', { files: { 'login.yaml': changed }, spec });
  await tampered.application.until('it is told', (now) => /was changed after it was sealed/.test(readyMessage(now)));
  for (const { namespace } of [bare, absent, tampered]) {
    const names = await kubectl(world, ['get', 'secrets', '-n', namespace, '-o', 'name']);
    assert.equal(names.trim(), '');
  }
  await world.apply(keySecret(key));
  await absent.application.untilReady();
});

test('the Secret is read with the rights of the Application, not with those of the agent', async () => {
  const key = ageKey();
  const spec = await setKeys('guarded', key);
  await kubectl(world, ['create', 'serviceaccount', 'tenant', '-n', 'apps']);
  const files = { 'login.yaml': await loginFile('one', key) };
  const { application } = await declareSubject(world, 'guarded', {
    files,
    spec: { ...spec, serviceAccountName: 'tenant' },
  });
  await application.until('it is told', (now) =>
    /The Secret apps\/guarded of spec\.render\.decryption may not be read by .*tenant/.test(readyMessage(now)),
  );
});

test('generators and patches of a kustomization open their sealed files', async () => {
  const key = ageKey();
  const spec = await setKeys('kustomized', key);
  const recipients = [key];
  const patch = text(configMap('map', { b: 'patched' }));
  const files = {
    'kustomization.yaml':
      'resources: [map.yaml]\nsecretGenerator: [{name: env, envs: [a.env], files: [tls.key]}]\n' +
      'generatorOptions: {disableNameSuffixHash: true}\npatches: [{path: patch.yaml}]\n',
    'map.yaml': text(configMap('map', { a: '1' })),
    'a.env': await seal('PASSWORD=from env\n', { recipients, format: 'dotenv' }),
    'tls.key': await seal('from file', { recipients, format: 'binary' }),
    'patch.yaml': await seal(patch, { recipients, args: VALUES_ONLY }),
  };
  const { application, namespace, ...subject } = await declareSubject(world, 'kustomized', { files, spec });
  await application.untilReady();
  const env = await world.read(`/api/v1/namespaces/${namespace}/secrets/env`);
  const valueOf = (name: string): string => Buffer.from(String(at(env, 'data', name)), 'base64').toString();
  assert.deepEqual([valueOf('PASSWORD'), valueOf('tls.key')], ['from env', 'from file']);
  assert.deepEqual(at(await subject.configMap('map'), 'data'), { a: '1', b: 'patched' });
});
