/** Submodules and files in Git LFS are live, also after a restart while Git is down, and each mistake is named. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { basic } from '../../support/git-server.ts';
import { createLfs } from '../../support/lfs-server.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  makeNamespace,
  QUICK_FLAGS,
  untilFailed,
  untilObject,
} from '../../support/scene.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';

const data = useStarted('the data folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-data-')));
const { world } = useWorld();
// The first test starts it, and the others go on with the one that it has started again.
const startAgent = () =>
  world.agent({ flags: ['--data-dir', data.path, '--submodule-hosts', 'localhost', ...QUICK_FLAGS] });

const entry = (path: string, url: string): string => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`;
const KUSTOMIZATION = { 'kustomization.yaml': 'resources: [vendor/lib]\n' };
const library = (value: string) => ({
  'kustomization.yaml': 'resources: [a.yaml]\n',
  'a.yaml': text(configMap('a', { v: value })),
});

test('objects of a submodule are live, and healed after a restart while Git is down', async () => {
  const agent = await startAgent();
  const lib = await world.repository('lib');
  const subject = await declareSubject(world, 'modules', { files: { 'b.yaml': text(configMap('b', { v: '1' })) } });
  await subject.application.untilReady();
  await subject.repository.commit({
    ...KUSTOMIZATION,
    '.gitmodules': entry('vendor/lib', '../lib.git'),
    'vendor/lib': { submodule: await lib.commit(library('1')) },
  });
  await subject.application.refresh();
  const off = await untilFailed(subject, 'BuildFailed');
  assert.match(off.message, /vendor\/lib is a submodule, and submodules are not fetched/);
  await subject.application.patch({ source: { submodules: true } });
  await subject.application.untilReady();
  const path = configMapPath('modules', 'a');
  assert.equal(at(await subject.configMap('a'), 'data', 'v'), '1');

  await subject.repository.commit({ 'vendor/lib': { submodule: await lib.commit(library('2')) } });
  await subject.application.refresh();
  await untilObject(world, path, (object) => at(object, 'data', 'v') === '2');
  world.git.onRequest = () => ({ status: 503, body: '' });
  await agent.stop();
  await startAgent();
  await world.send('PATCH', path, { data: { v: 'hand' } });
  await untilObject(world, path, (object) => at(object, 'data', 'v') === '2');
  world.git.onRequest = undefined;
});

test('each mistake names its line, prunes nothing, and ends when the repository is mended', async () => {
  const lib = await world.repository('mended');
  const good = await lib.commit(library('1'));
  const subject = await declareSubject(world, 'mistakes', {
    files: { 'x.yaml': text(configMap('x', { v: '1' })) },
    spec: { source: { repoURL: `${world.git.url}/mistakes.git`, submodules: true } },
  });
  await subject.application.untilReady();
  const mistakes: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'a missing commit',
      '../mended.git',
      '1'.repeat(40),
      /:3: .* is at the commit 1{40}, which the server .* not give/,
    ],
    ['another host', 'https://other.example.com/mended.git', good, /:3: .*on another host than its parent/],
    ['a folder', 'file:///etc', good, /:3: .*names a folder of a machine/],
    ['an option', '-u./payload', good, /:3: .*begins with a hyphen/],
    ['a missing repository', '../none.git', good, /:3: the submodule vendor\/lib cannot be read: .*none\.git/],
    ['itself', '../mistakes.git', await subject.repository.resolve('main'), /vendor\/lib.*|there is no kustomization/],
  ];
  for (const [title, url, commit, expected] of mistakes) {
    await subject.repository.commit({
      ...KUSTOMIZATION,
      '.gitmodules': entry('vendor/lib', url),
      'vendor/lib': { submodule: commit },
    });
    const refreshed = subject.application.until(title, (found) => expected.test(messageOf(found)));
    await subject.application.refresh();
    await refreshed;
    assert.equal(at(await subject.configMap('x'), 'data', 'v'), '1', title);
  }
  // The commit is pushed after the one that names it.
  const late = await lib.commit({ ...library('late') }, { branch: 'elsewhere' });
  await lib.deleteBranch('elsewhere');
  await lib.git(['config', 'uploadpack.allowAnySHA1InWant', 'false']);
  await subject.repository.commit({
    '.gitmodules': entry('vendor/lib', '../mended.git'),
    'vendor/lib': { submodule: late },
  });
  await subject.application.refresh();
  await subject.application.until('the commit is not served', (found) => messageOf(found).includes(late));
  await lib.branch('elsewhere', late);
  await subject.application.untilReady(await subject.repository.resolve('main'));
  assert.equal(at(await subject.configMap('a'), 'data', 'v'), 'late');
});

test('the Secret of the source goes to submodules on its server, and to no other', async () => {
  const login = basic('me', 'canary-word');
  const shown: string[] = [];
  world.git.onRequest = ({ path, headers }) => {
    if (headers.authorization !== undefined) shown.push(`${String(headers.host).split(':')[0]} ${path.split('/')[1]}`);
    if (path.startsWith('/secret') && headers.authorization !== login) return { status: 401 };
    return undefined;
  };
  const own = await world.repository('secret-lib');
  const foreign = await world.repository('open-lib');
  const repository = await world.repository('secret-shop');
  const away = world.git.url.replace('127.0.0.1', 'localhost');
  await repository.commit({
    '.gitmodules': entry('own', '../secret-lib.git') + entry('away', `${away}/open-lib.git`),
    'kustomization.yaml': 'resources: [own, away]\n',
    own: { submodule: await own.commit(library('own')) },
    away: {
      submodule: await foreign.commit({
        'kustomization.yaml': 'resources: [b.yaml]\n',
        'b.yaml': text(configMap('b', { v: 'away' })),
      }),
    },
  });
  await makeNamespace(world, 'apps');
  await world.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'apps' },
    stringData: { username: 'me', password: 'canary-word' },
  });
  await makeNamespace(world, 'credentials');
  const application = await world.declare('credentials', {
    source: { repoURL: repository.url, submodules: true, secretRef: { name: 'login' } },
    destination: { namespace: 'credentials' },
  });
  await application.untilReady();
  assert.deepEqual([...new Set(shown)].sort(), ['127.0.0.1 secret-lib.git', '127.0.0.1 secret-shop.git']);
});

test('a file in LFS of a submodule is live, and a pointer without the field is a problem that names it', async () => {
  const lfs = createLfs();
  world.git.onRequest = lfs.handle;
  const content = text(configMap('a', { v: 'large' }));
  const lib = await world.repository('lfs-lib');
  const commit = await lib.commit({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': lfs.add(content) });
  const subject = await declareSubject(world, 'lfs', {
    files: { ...KUSTOMIZATION, '.gitmodules': entry('vendor/lib', '../lfs-lib.git') },
    spec: { source: { repoURL: `${world.git.url}/lfs.git`, submodules: true } },
  });
  await subject.repository.commit({ 'vendor/lib': { submodule: commit } });
  await subject.application.refresh();
  const off = await untilFailed(subject, 'BuildFailed');
  assert.match(off.message, /vendor\/lib\/a\.yaml:1: the file is a pointer of Git LFS/);
  lfs.onRequest = () => ({ status: 404 });
  await subject.application.patch({ source: { lfs: true } });
  await subject.application.until('the content is missing', (found) =>
    messageOf(found).includes('vendor/lib/a.yaml:1'),
  );
  lfs.onRequest = undefined;
  await subject.application.untilReady();
  assert.equal(at(await subject.configMap('a'), 'data', 'v'), 'large');
  world.git.onRequest = undefined;
});

function messageOf(application: unknown): string {
  return JSON.stringify(at(application, 'status', 'conditions'));
}
