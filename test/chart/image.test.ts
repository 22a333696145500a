/**
 * The image without a container engine: the tree that the script of the Dockerfile makes, and the agent in that tree.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startWorld } from '../support/world.ts';
import { run } from './command.ts';
import { HELM_VERSION, SOPS_VERSION } from '../control-plane/binaries.ts';
import { readDockerfile } from './dockerfile.ts';
import { writeKubeconfig } from './kubeconfig.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAX_TREE_MIB = 160;
/** User id of the image; the chart sets the same one. */
const USER_ID = 65532;

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

let root = '';
let tree = '';
const isRoot = process.getuid?.() === 0;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'tautline-image-'));
  await chmod(root, 0o755);
  tree = join(root, 'app');
  const made = await run('npm', ['run', 'image-tree', '--', tree], { cwd: ROOT });
  assert.equal(made.code, 0, made.stdout + made.stderr);
});

after(() => rm(root, { recursive: true, force: true }));

/** Files of the tree, with their paths relative to it. */
async function listTree(): Promise<{ path: string; sizeBytes: number }[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: path.slice(tree.length + 1), sizeBytes: (await lstat(path)).size };
    }),
  );
}

test('the tree contains the built agent and its production packages, but no sources, tests or development packages', async () => {
  const files = await listTree();
  assert.deepEqual((await readdir(tree)).sort(), ['LICENSE', 'dist', 'node_modules', 'package.json']);
  const built = files.filter(({ path }) => path.startsWith('dist/')).map(({ path }) => path);
  assert.ok(built.includes('dist/cli.js') && built.includes('dist/child.js') && built.includes('dist/main.js'));
  assert.deepEqual(
    built.filter((path) => /\.(ts|tsx|map)$|\.test\.|(^|\/)test\//.test(path)),
    [],
  );
  for (const name of Object.keys(manifest.dependencies)) {
    assert.ok(existsSync(join(tree, 'node_modules', name, 'package.json')), `${name} is missing`);
  }
  const devPackages = Object.keys(manifest.devDependencies).filter((name) =>
    existsSync(join(tree, 'node_modules', name)),
  );
  // Some production packages depend on packages of types.
  assert.deepEqual(
    devPackages.filter((name) => !name.startsWith('@types/')),
    [],
  );
});

test(`the tree is smaller than ${MAX_TREE_MIB} MiB`, async (t) => {
  const files = await listTree();
  const sizeMib = files.reduce((total, { sizeBytes }) => total + sizeBytes, 0) / 1024 ** 2;
  t.diagnostic(`the tree has ${files.length} files, ${sizeMib.toFixed(1)} MiB`);
  assert.ok(sizeMib < MAX_TREE_MIB, `${sizeMib} MiB`);
});

test('the Dockerfile runs the scripts of the repository, and starts the built agent as a user without privileges', () => {
  const stages = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
  const [landlock, helm, sops, build, final] = stages;
  assert.ok(landlock && helm && sops && build && final && stages.length === 5);
  const runs = build.instructions.filter(({ name }) => name === 'RUN').map(({ text }) => text);
  assert.deepEqual(runs, ['npm ci --ignore-scripts --no-progress', 'npm run image-tree -- /tautline']);
  assert.ok(manifest.scripts['image-tree'] === 'node scripts/image-tree.ts');
  for (const { name, text } of [...landlock.instructions, ...build.instructions]) {
    if (name !== 'COPY') continue;
    for (const path of text.split(' ').slice(0, -1)) assert.ok(existsSync(join(ROOT, path)), `no ${path} to copy`);
  }
  const textsOf = (wanted: string): string[] =>
    final.instructions.filter(({ name }) => name === wanted).map(({ text }) => text);
  assert.deepEqual(textsOf('RUN'), [], 'the runtime image has no shell, so it can have no RUN');
  assert.deepEqual(textsOf('COPY'), [
    '--from=build --chown=0:0 /tautline /app',
    '--from=landlock --chown=0:0 /tautline-landlock /usr/local/bin/tautline-landlock',
    '--from=helm --chown=0:0 /bin-helm/helm /usr/local/bin/helm',
    '--from=sops --chown=0:0 /bin-sops/sops /usr/local/bin/sops',
  ]);
  const pinned = [helm, sops].flatMap(({ instructions }) =>
    instructions.flatMap(({ name, text }) => (name === 'ARG' ? [text] : [])),
  );
  assert.deepEqual(
    pinned.map((text) => text.split('=')[0]),
    ['HELM_VERSION', 'HELM_SUM', 'SOPS_VERSION', 'SOPS_SUM'],
  );
  assert.equal(pinned[0], `HELM_VERSION=${HELM_VERSION}`, 'the image has the helm that the tests use');
  assert.equal(pinned[2], `SOPS_VERSION=${SOPS_VERSION}`, 'the image has the sops that the tests use');
  assert.deepEqual(textsOf('ENV'), [
    'TAUTLINE_LANDLOCK_PROGRAM=/usr/local/bin/tautline-landlock',
    'TAUTLINE_HELM=/usr/local/bin/helm',
    'TAUTLINE_SOPS=/usr/local/bin/sops',
  ]);
  assert.deepEqual(textsOf('USER'), [`${USER_ID}:${USER_ID}`]);
  const [entrypoint = ''] = textsOf('ENTRYPOINT');
  const [program, flag, script] = JSON.parse(entrypoint) as string[];
  assert.equal(flag, '--disable-sigusr1');
  assert.equal(program, '/nodejs/bin/node');
  assert.ok(script?.startsWith('/app/') && existsSync(join(tree, script.slice('/app/'.length))), script);
  assert.deepEqual(JSON.parse(textsOf('CMD')[0] ?? ''), ['agent']);
  for (const { base } of stages) assert.match(base, /^\$\{\w+_IMAGE\}$/);
});

test('the Dockerfile copies exactly the paths that .dockerignore admits', () => {
  const admitted = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/^!.*$/gm) ?? [];
  const stages = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
  const build = stages.find(({ instructions }) => instructions.some(({ text }) => text.startsWith('npm ci')));
  const copied = (build?.instructions ?? [])
    .filter(({ name }) => name === 'COPY')
    .flatMap(({ text }) => text.split(' ').slice(0, -1));
  assert.deepEqual(admitted.map((line) => line.slice(1)).sort(), copied.sort());
});

test('the agent syncs an Application as the user of the image, from a tree that it cannot write', async () => {
  await using world = await startWorld();
  const kubeconfig = join(root, 'kubeconfig');
  await writeKubeconfig(kubeconfig, world.plane, world.plane.adminToken);
  const locked = await run('chmod', ['-R', 'a-w', tree]);
  assert.equal(locked.code, 0, locked.stderr);
  const repository = await world.repository('shop');
  await repository.commit({ 'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n' });
  const agent = await world.agent({
    kubeconfig,
    entry: join(tree, 'dist/cli.js'),
    ...(isRoot && { user: USER_ID }),
    environment: { HOME: '/nonexistent', TMPDIR: root },
  });
  const shop = await world.declare('shop', { source: { repoURL: repository.url, path: '.' } });
  const ready = await shop.untilReady();
  assert.equal(String(ready['status']?.['sync']?.['status']), 'Synced');
  assert.equal(await agent.stop(), 0, agent.stderr());
});
