/** `tautline diff`: every class of difference, from Git and from a folder, and with few rights. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { createPerson, start, tautline } from './scene.ts';
import { basic } from '../../support/git-server.ts';
import { configMap, secret, service, text } from '../../support/objects.ts';
import { rule } from '../../support/rights.ts';
import { configMapPath, declareSubject, makeNamespace } from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const sealed = secret('s', { stringData: { password: 'first-value' } });
const file = (name: string, value: string) => ({ [`${name}.yaml`]: text(configMap(name, { k: value })) });

async function withFolder(files: Record<string, string>, run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'tautline-local-'));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
    await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Synced once in mode manual, so that drift stays. */
async function declareResting(name: string, files: Record<string, string>) {
  const subject = await declareSubject(world, name, { files, spec: { sync: { mode: 'manual' } } });
  const synced = await tautline(world, 'sync', name);
  assert.equal(synced.code, 0, synced.stderr);
  return subject;
}

test('without a difference nothing is printed, and the exit code is 0', async () => {
  await declareResting('equal', { ...file('a', '1'), 's.yaml': text(sealed) });
  const { code, stdout, stderr } = await tautline(world, 'diff', 'equal');
  assert.equal(code, 0, stderr + stdout);
  assert.equal(stdout, '');
  assert.match(stderr, /equal against main@sha1:[0-9a-f]{40}: no difference/);
});

test('missing, changed, surplus and foreign objects are listed, and the exit code is 1', async () => {
  const files = { ...file('changed', '1'), ...file('gone', '1'), ...file('surplus', '1'), 's.yaml': text(sealed) };
  const subject = await declareResting('all', files);
  await world.apply(configMap('changed', { k: 'by hand' }, { namespace: 'all' }), 'someone');
  await world.apply(secret('s', { stringData: { password: 'stolen' } }, { namespace: 'all' }));
  await world.send('DELETE', configMapPath('all', 'gone'));
  await world.apply(configMap('found', { k: 'other' }, { namespace: 'all' }), 'someone');
  await subject.repository.commit({ 'surplus.yaml': null, ...file('found', '1') });
  assert.equal((await tautline(world, 'refresh', 'all')).code, 0);
  const { code, stdout, stderr } = await tautline(world, 'diff', 'all');
  assert.equal(code, 1, stderr);
  assert.match(
    stdout,
    /^~ ConfigMap all\/changed \(changed\.yaml:1\)\n {4}\/data\/k: "by hand" → "1" {3}\(by someone\)$/m,
  );
  assert.match(stdout, /^~ ConfigMap all\/found .*: it exists without the owner marks of this Application$/m);
  assert.match(stdout, /^\+ ConfigMap all\/gone \(gone\.yaml:1\)$/m);
  assert.match(stdout, /^- ConfigMap all\/surplus$/m);
  assert.match(stdout, /^~ Secret all\/s .*\n {4}\/data\/password: changed/m);
  assert.doesNotMatch(stdout + stderr, /stolen|first-value|c3RvbGVu/);
  assert.match(stderr, /5 objects differ/);
  const names = await tautline(world, 'diff', 'all', '-o', 'name');
  assert.equal(names.stdout.split('\n')[0], '~ ConfigMap all/changed');
  const json = JSON.parse((await tautline(world, 'diff', 'all', '-o', 'json')).stdout) as { state: string }[];
  assert.deepEqual(json.map(({ state }) => state).sort(), ['changed', 'changed', 'changed', 'missing', 'surplus']);
});

test('patches are printed one per line, and kubectl applies them', async () => {
  const web = (port: number, app: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { ports: [{ name: app, port }], selector: { app } },
  });
  const files = {
    ...file('changed', '1'),
    ...file('gone', '1'),
    'web.yaml': text(web(80, 'a')),
    's.yaml': text(sealed),
  };
  await declareResting('patched', files);
  const metadata = { name: 'web', namespace: 'patched' };
  await world.apply({ ...web(9, 'z'), metadata }, 'someone');
  await world.apply(configMap('changed', { k: 'by hand' }, { namespace: 'patched' }), 'someone');
  await world.apply({ ...sealed, metadata: { name: 's', namespace: 'patched' }, stringData: { password: 'stolen' } });
  await world.plane.request('DELETE', '/api/v1/namespaces/patched/configmaps/gone');
  const { code, stdout, stderr } = await tautline(world, 'diff', 'patched', '-o', 'patch');
  assert.equal(code, 1, stderr);
  assert.doesNotMatch(stdout, /stolen|first-value|c3RvbGVu/);
  const objects = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Patched);
  const told = objects.map(({ state, name, masked, patch }) => [name, state, masked, patch !== undefined]);
  assert.deepEqual(told, [
    ['changed', 'changed', undefined, true],
    ['gone', 'missing', undefined, false],
    ['s', 'changed', true, true],
    ['web', 'changed', undefined, true],
  ]);
  for (const { kind, version, group, name, namespace, masked, patch } of objects) {
    if (!patch) continue;
    const target = [`${kind}.${version}.${group}`, name, '-n', namespace];
    const done = await world.plane.kubectl(['patch', ...target, '--type=json', '-p', JSON.stringify(patch)]);
    assert.equal(done.code, masked ? 1 : 0, done.stderr);
  }
  const after = await tautline(world, 'diff', 'patched', '-o', 'name');
  assert.equal(after.stdout, '+ ConfigMap patched/gone\n~ Secret patched/s\n');
});

interface Patched {
  readonly state: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly masked?: true;
  readonly patch?: unknown;
}

test('with --local a folder is compared in place of the repository', async () => {
  await declareResting('local', { ...file('a', '1'), ...file('b', '1') });
  await withFolder({ 'a.yaml': text(configMap('a', { k: '2' })) }, async (dir) => {
    const { code, stdout } = await tautline(world, 'diff', 'local', '--local', dir);
    assert.equal(code, 1);
    assert.match(stdout, /\/data\/k: "1" → "2"/);
    assert.match(stdout, /^- ConfigMap local\/b$/m);
  });
  await withFolder({ 'a.yaml': 'kind: [' }, async (dir) => {
    const { code, stdout, stderr } = await tautline(world, 'diff', 'local', '--local', dir);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /a\.yaml/);
  });
  assert.equal((await tautline(world, 'diff', 'local', '--local', '/nonexistent/folder')).code, 2);
  assert.equal((await tautline(world, 'diff', 'nobody')).code, 2);
});

test('a person with few rights sees the objects they may read, and which right is missing for the others', async () => {
  await declareResting('few', file('a', '1'));
  const read = rule('tautline.dev', 'applications', ['get']);
  const maps = rule('', 'configmaps', ['get']);
  await using reader = await createPerson(world, 'few-reader', { rules: [read, maps], namespaces: ['few'] });
  const equal = await start(reader.kubeconfig, ['diff', 'few']).ended;
  assert.equal(equal.code, 0, equal.stderr + equal.stdout);
  await using stranger = await createPerson(world, 'few-stranger', { rules: [read] });
  const blind = await start(stranger.kubeconfig, ['diff', 'few']).ended;
  assert.equal(blind.code, 2);
  assert.match(blind.stdout, /^\? ConfigMap few\/a .*get.*configmaps/m);
});

test('a difference that only the server can decide is settled by a dry run', async () => {
  const web = service('web', { ports: [{ port: 80 }], selector: { app: 'web' }, type: 'NodePort' });
  await declareResting('tried', { 'web.yaml': text(web) });
  const { code, stdout, stderr } = await tautline(world, 'diff', 'tried');
  assert.equal(code, 0, stdout + stderr);
});

test('a private repository is fetched with its Secret if the person may read it, and no password is shown', async () => {
  const password = 'canary-of-the-password';
  world.git.onRequest = ({ path, headers }) =>
    !path.startsWith('/private.git') || headers.authorization === basic('deployer', password)
      ? undefined
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="git"' } };
  try {
    await makeNamespace(world, 'apps');
    const credentials = { stringData: { username: 'deployer', password } };
    await world.apply(secret('private', credentials, { namespace: 'apps' }));
    const source = { repoURL: `${world.git.url}/private.git`, secretRef: { name: 'private' } };
    const spec = { source, sync: { mode: 'manual' } };
    await declareSubject(world, 'private', { files: file('a', '1'), spec });
    assert.equal((await tautline(world, 'sync', 'private')).code, 0);
    await world.apply(configMap('a', { k: 'by hand' }, { namespace: 'private' }), 'someone');
    const seen = await tautline(world, 'diff', 'private');
    assert.equal(seen.code, 1, seen.stderr);
    assert.match(seen.stdout, /\/data\/k: "by hand" → "1"/);
    assert.doesNotMatch(seen.stdout + seen.stderr, new RegExp(password));
    const rules = [rule('tautline.dev', 'applications', ['get']), rule('', 'configmaps', ['get'])];
    await using blind = await createPerson(world, 'blind', { rules, namespaces: ['private'] });
    const refused = await start(blind.kubeconfig, ['diff', 'private']).ended;
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /may not read the Secret of spec\.source\.secretRef.*--local/);
    await withFolder(file('a', '2'), async (dir) => {
      const local = await start(blind.kubeconfig, ['diff', 'private', '--local', dir]).ended;
      assert.match(local.stdout, /"by hand" → "2"/);
    });
  } finally {
    world.git.onRequest = undefined;
  }
});
