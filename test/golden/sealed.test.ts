/** Files that the real sops has sealed become the objects of their plain text, or a problem that shows nothing of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../../src/object/value.ts';
import type { Manifests } from '../../src/render/manifests.ts';
import type { Sops } from '../../src/sops/sops.ts';
import { ageKey, seal, VALUES_ONLY } from '../support/sealed-files.ts';
import { renderSealed, startSops } from './sealed/local-sops.ts';

const key = ageKey();
const other = ageKey();
const recipients = [key];
const CANARY = 'canary-9f8e7d6c';
const SECRET = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: ${CANARY}\n`;

let sops: Sops;
before(async () => {
  sops = await startSops();
});
after(() => sops.close());

function render(files: Record<string, string | Uint8Array>, keys = [key]) {
  return renderSealed({ sops, files, keys });
}

function onlyObject({ manifests, problems }: Manifests) {
  assert.deepEqual(problems, []);
  assert.equal(manifests.length, 1);
  return JSON.parse(JSON.stringify(manifests[0]?.object)) as KubeObject;
}

function dataOf(manifests: Manifests): Record<string, string> {
  const { data = {} } = onlyObject(manifests) as { data?: Record<string, string> };
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]),
  );
}

/** The only problem, which shows nothing of the plain text. */
function problemOf(manifests: Manifests) {
  assert.doesNotMatch(JSON.stringify(manifests), new RegExp(CANARY));
  assert.equal(manifests.problems.length, 1, JSON.stringify(manifests));
  return manifests.problems[0] ?? assert.fail('no problem');
}

test('a sealed Secret of a plain folder is opened, whether its values or all of it are sealed', async () => {
  for (const args of [VALUES_ONLY, []]) {
    const { manifests } = await render({ 'secret.yaml': await seal(SECRET, { recipients, args }) });
    assert.deepEqual(onlyObject(manifests), {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login' },
      stringData: { password: CANARY },
    });
  }
});

test('several documents of one sealed file are opened together, and JSON as well', async () => {
  const two = `${SECRET}---\n${SECRET.replace('login', 'other')}`;
  const json = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'json' }, data: { a: 'YQ==' } });
  const { manifests, opened } = await render({
    'two.yaml': await seal(two, { recipients, args: VALUES_ONLY }),
    'one.json': await seal(json, { recipients, format: 'json', args: VALUES_ONLY }),
  });
  assert.deepEqual(manifests.problems, []);
  const names = manifests.manifests.map(({ object }) => object.metadata['name']);
  assert.deepEqual(names, ['json', 'login', 'other']);
  assert.equal(opened, 2);
});

test('a kustomization opens sealed resources before it changes them, so that the MAC stays right', async () => {
  const { manifests } = await render({
    'kustomization.yaml': 'namePrefix: shop-\nnamespace: shop\nresources: [secret.yaml]\n',
    'secret.yaml': await seal(SECRET, { recipients, args: VALUES_ONLY }),
  });
  assert.deepEqual(onlyObject(manifests).metadata, { name: 'shop-login', namespace: 'shop' });
});

test('a secretGenerator opens files of every form', async () => {
  const { manifests, opened } = await render({
    'kustomization.yaml':
      'secretGenerator:\n- name: login\n  envs: [a.env]\n' +
      '  files: [key.bin, app.json, app.yaml, conf.ini, store.jks=store.enc.json]\n' +
      'generatorOptions: {disableNameSuffixHash: true}\n',
    'a.env': await seal(`PASSWORD=${CANARY}\nUSER=me\n`, { recipients, format: 'dotenv' }),
    'key.bin': await seal(`${CANARY}\n\t"x"`, { recipients, format: 'binary' }),
    'app.json': await seal(`{"password":"${CANARY}"}`, { recipients, format: 'json' }),
    'app.yaml': await seal(`password: ${CANARY}\n`, { recipients }),
    'conf.ini': await seal(`[db]\npassword = ${CANARY}\n`, { recipients, format: 'ini' }),
    'store.enc.json': await seal(`jks ${CANARY}`, { recipients, format: 'binary' }),
  });
  assert.deepEqual(dataOf(manifests), {
    PASSWORD: CANARY,
    USER: 'me',
    'key.bin': `${CANARY}\n\t"x"`,
    'app.json': `{\n\t"password": "${CANARY}"\n}\n`,
    'app.yaml': `password: ${CANARY}\n`,
    'conf.ini': `[db]\npassword = ${CANARY}\n`,
    'store.jks': `jks ${CANARY}`,
  });
  assert.equal(opened, 6);
});

test('bytes that are no text are opened as they were', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const { manifests } = await render({
    'kustomization.yaml': 'secretGenerator: [{name: a, files: [key.p12]}]\n',
    'key.p12': await seal(bytes, { recipients, format: 'binary' }),
  });
  const { data } = onlyObject(manifests) as unknown as { data: Record<string, string> };
  assert.deepEqual(Buffer.from(data['key.p12'] ?? '', 'base64'), bytes);
});

test('sealed patches are opened, as many as there are, even if their target is sealed too', async () => {
  const patches = Object.fromEntries(
    await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const patch = `apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {key${index}: ${CANARY}}\n`;
        return [`patch${index}.yaml`, await seal(patch, { recipients })] as const;
      }),
    ),
  );
  const paths = Object.keys(patches).map((path) => `- path: ${path}\n`);
  const { manifests } = await render({
    'kustomization.yaml': `resources: [secret.yaml]\npatches:\n${paths.join('')}`,
    'secret.yaml': await seal(SECRET, { recipients }),
    ...patches,
  });
  const { stringData } = onlyObject(manifests) as unknown as { stringData: Record<string, string> };
  assert.equal(Object.keys(stringData).length, 9);
});

test('a sealed file within the data of a Secret is opened', async () => {
  const sealed = await seal(`a: ${CANARY}\n`, { recipients });
  const data = { 'app.yaml': Buffer.from(sealed).toString('base64'), plain: 'YQ==' };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data };
  const { manifests } = await render({ 'secret.json': JSON.stringify(object) });
  assert.deepEqual(dataOf(manifests), { 'app.yaml': `a: ${CANARY}\n`, plain: 'a' });
});

test('one of several keys suffices, and a file of several recipients opens with any of them', async () => {
  const file = { 'secret.yaml': await seal(SECRET, { recipients: [other], args: VALUES_ONLY }) };
  assert.ok(onlyObject((await render(file, [key, other])).manifests));
  const both = { 'secret.yaml': await seal(SECRET, { recipients: [key, other], args: VALUES_ONLY }) };
  for (const one of [key, other]) assert.ok(onlyObject((await render(both, [one])).manifests));
});

test('a file for another key names the keys that open it, and those that are there', async () => {
  const { manifests } = await render({ 'secret.yaml': await seal(SECRET, { recipients: [other], args: VALUES_ONLY }) });
  const { code, file, message } = problemOf(manifests);
  assert.deepEqual([code, file], ['DecryptionFailed', 'secret.yaml']);
  assert.match(message, new RegExp(`no key of the Secret apps/keys opens the file.*age \\(${other.public}\\)`));
  assert.match(message, new RegExp(`its keys are those of ${key.public}`));
});

test('a file that was changed after it was sealed is refused', async () => {
  const sealed = await seal(SECRET, { recipients, args: VALUES_ONLY });
  const changes: Record<string, string> = {
    'a plain value': sealed.replace('name: login', 'name: admin'),
    'a sealed value': sealed.replace(/GCM,data:[^,]*,/, 'GCM,data:AAAAAAAAAAAAAAAAAAAAAAAA,'),
    'no MAC': sealed.replace(/mac: .*/, 'mac: ""'),
    'the MAC of another file': sealed.replace(
      /mac: .*/,
      /mac: .*/.exec(await seal(SECRET, { recipients, args: VALUES_ONLY }))?.[0] ?? '',
    ),
  };
  for (const [what, text] of Object.entries(changes)) {
    const { code, message } = problemOf((await render({ 'secret.yaml': text })).manifests);
    assert.equal(code, 'DecryptionFailed', what);
    assert.match(message, /was changed after it was sealed/, what);
  }
});

test('recipients for which sops would ask a server are refused by name, and sops does not run', async () => {
  const sealed = await seal(SECRET, { recipients, args: VALUES_ONLY });
  const entries: Record<string, [string, RegExp]> = {
    kms: ['arn: arn:aws:kms:eu-west-1:1:key/k', /AWS KMS \(arn:aws:kms:eu-west-1:1:key\/k\)/],
    gcp_kms: ['resource_id: projects/p', /Google Cloud KMS \(projects\/p\)/],
    azure_kv: ['vault_url: https://v.example\n          name: k', /Azure Key Vault \(https:\/\/v\.example\/k\)/],
    hc_vault: ['vault_address: http://127.0.0.1:1', /HashiCorp Vault/],
    hckms: ['key_id: tr:1', /Huawei Cloud KMS/],
  };
  for (const [kind, [fields, expected]] of Object.entries(entries)) {
    for (const list of [`    ${kind}:\n        - ${fields}\n          enc: x\n`, `    ${kind}:\n          ${fields}\n`]) {
      const text = sealed.replace('sops:\n', `sops:\n${list}`);
      const { code, message } = problemOf((await render({ 'secret.yaml': text })).manifests);
      assert.equal(code, 'DecryptionFailed');
      assert.match(message, expected);
    }
  }
  const group = sealed.replace('sops:\n', 'sops:\n    key_groups:\n        - kms:\n            - arn: arn:x\n');
  assert.match(problemOf((await render({ 'secret.yaml': group })).manifests).message, /AWS KMS \(arn:x\)/);
  const hidden = sealed.replace('sops:\n', 'sops:\n    KMS:\n        - arn: arn:x\n');
  assert.match(problemOf((await render({ 'secret.yaml': hidden })).manifests).message, /unknown key KMS/);
});

test('a file for PGP alone is refused by name, and one for age and PGP is opened', async () => {
  const sealed = await seal(SECRET, { recipients, args: VALUES_ONLY });
  const pgp = '    pgp:\n        - created_at: "2026-01-01T00:00:00Z"\n          enc: x\n          fp: ABCDEF\n';
  const both = sealed.replace('sops:\n', `sops:\n${pgp}`);
  assert.ok(onlyObject((await render({ 'secret.yaml': both })).manifests));
  const alone = both.replace(/ {4}age:\n(?: {8}.*\n)+/, '');
  assert.match(problemOf((await render({ 'secret.yaml': alone })).manifests).message, /PGP \(ABCDEF\) only/);
});

test('without a key a sealed file is a problem at every place where it is read', async () => {
  const sealed = await seal(SECRET, { recipients, args: VALUES_ONLY });
  const env = await seal('A=b\n', { recipients, format: 'dotenv' });
  const binary = await seal('x', { recipients, format: 'binary' });
  const trees: Record<string, string>[] = [
    { 'a.yaml': sealed },
    { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': sealed },
    { 'kustomization.yaml': 'secretGenerator: [{name: a, envs: [a.yaml]}]\n', 'a.yaml': env },
    { 'kustomization.yaml': 'secretGenerator: [{name: a, files: [a.yaml]}]\n', 'a.yaml': binary },
    { 'kustomization.yaml': 'configMapGenerator: [{name: a, files: [a.yaml]}]\n', 'a.yaml': binary },
    { 'kustomization.yaml': 'resources: [b.yaml]\npatches: [{path: a.yaml}]\n', 'a.yaml': sealed, 'b.yaml': SECRET.replace(CANARY, 'x') },
  ];
  for (const files of trees) {
    const { manifests } = await renderSealed({ sops, files, keys: [], options: { decryption: undefined } });
    const { code, file } = problemOf(manifests);
    assert.deepEqual([code, file], ['Sealed', 'a.yaml'], JSON.stringify(Object.keys(files)));
    assert.deepEqual(manifests.manifests, []);
  }
});

test('a generator of ConfigMaps never opens a sealed file', async () => {
  const { manifests, opened } = await render({
    'kustomization.yaml': 'configMapGenerator: [{name: a, files: [a.env]}]\n',
    'a.env': await seal(`A=${CANARY}\n`, { recipients, format: 'dotenv' }),
  });
  assert.match(problemOf(manifests).message, /a ConfigMap would show its content/);
  assert.equal(opened, 0);
});

test('a problem of an opened text shows nothing of it, at the file and elsewhere', async () => {
  const trees: Record<string, string>[] = [
    { 'a.yaml': await seal(`kind: Thing\nnote: ${CANARY}\n`, { recipients }) },
    { 'a.yaml': await seal(`text: |\n  ${CANARY}\nkind: ${CANARY}\n`, { recipients }) },
    {
      'kustomization.yaml': 'resources: [b.yaml]\npatches: [{path: a.yaml}]\n',
      'a.yaml': await seal(`apiVersion: v1\nkind: Secret\nmetadata: {name: ${CANARY}}\n`, { recipients }),
      'b.yaml': SECRET.replace(CANARY, 'x'),
    },
    {
      'kustomization.yaml': 'secretGenerator: [{name: a, files: [a.yaml]}]\nresources: [missing]\n',
      'a.yaml': await seal(CANARY, { recipients, format: 'binary' }),
    },
  ];
  for (const files of trees) problemOf((await render(files)).manifests);
});

test('a sealed file with many megabytes of comments is opened', async () => {
  const comments = `# ${'x'.repeat(998)}\n`.repeat(2_000);
  const { manifests } = await render({ 'a.yaml': await seal(`${comments}${SECRET}`, { recipients, args: VALUES_ONLY }) });
  assert.ok(onlyObject(manifests));
});

test('an object that a controller opens in the cluster stays sealed', async () => {
  const plain = 'apiVersion: isindir.github.com/v1alpha3\nkind: SopsSecret\nmetadata: {name: a}\nspec: {x: y}\n';
  const sealed = await seal(plain, { recipients, args: ['--encrypted-regex', '^spec$'] });
  const { manifests, opened } = await render({ 'a.yaml': sealed });
  assert.ok('sops' in onlyObject(manifests));
  assert.equal(opened, 0);
});

test('objects that may hold values of a sealed file are marked, but for Secrets and those of other files', async () => {
  const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sealed}\ndata: {a: ${CANARY}}\n`;
  const plain = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n';
  const files = {
    'map.yaml': await seal(map, { recipients, args: VALUES_ONLY }),
    'plain.yaml': plain,
    'secret.yaml': await seal(SECRET, { recipients, args: VALUES_ONLY }),
  };
  const marked = ({ manifests }: Manifests): unknown[] =>
    manifests.filter(({ isSealed }) => isSealed).map(({ object }) => object.metadata['name']);
  assert.deepEqual(marked((await render(files)).manifests), ['sealed']);
  const kustomization = 'resources: [map.yaml, plain.yaml, secret.yaml]\n';
  assert.deepEqual(marked((await render({ ...files, 'kustomization.yaml': kustomization })).manifests), ['sealed']);
  const patch = await seal(`${plain}data: {a: ${CANARY}}\n`, { recipients, args: VALUES_ONLY });
  const patched = { 'plain.yaml': plain, 'patch.yaml': patch };
  const overlay = 'resources: [plain.yaml]\npatches: [{path: patch.yaml}]\n';
  assert.deepEqual(marked((await render({ ...patched, 'kustomization.yaml': overlay })).manifests), ['plain']);
});
