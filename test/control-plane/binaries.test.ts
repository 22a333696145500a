import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { controlPlaneBinary, findPrograms, kustomizeBinary, sourceKey } from './binaries.ts';
import { goBuild } from './go-build.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tautline-binaries-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const quiet = (): void => undefined;

test('the error says what to install if there is neither a cached binary nor Go', async () => {
  const environment = { PATH: '', TAUTLINE_CACHE: join(directory, 'cache') };
  await assert.rejects(controlPlaneBinary({ environment, progress: quiet }), (error: Error) => {
    assert.match(error.message, /^control plane is not available: there is no `go` in PATH/);
    assert.match(error.message, /Install Go 1\.26 or newer/);
    assert.match(error.message, /KUBEBUILDER_ASSETS/);
    return true;
  });
  await assert.rejects(kustomizeBinary({ environment, progress: quiet }), /kustomize v5\.8\.2 is not available/);
});

test('a failed build reports the error of Go and leaves no file behind', async () => {
  const go = join(directory, 'go');
  await writeFile(go, '#!/bin/sh\necho "go: go.mod requires go >= 1.26.0" >&2\nexit 1\n');
  await chmod(go, 0o755);
  const cache = join(directory, 'cache');
  const environment = { PATH: `${directory}:/usr/bin:/bin`, TAUTLINE_CACHE: cache };
  await assert.rejects(controlPlaneBinary({ environment, progress: quiet }), /requires go >= 1\.26\.0/);
  assert.deepEqual(await readdir(cache), []);
});

test('a program is built again when any file of its Go module changes', async () => {
  const names = ['go.mod', 'go.sum', 'main.go', 'other.go'];
  for (const name of names) await writeFile(join(directory, name), name);
  const keys = [await sourceKey(directory)];
  for (const name of names) {
    await writeFile(join(directory, name), `${name} changed`);
    keys.push(await sourceKey(directory));
  }
  assert.equal(new Set(keys).size, names.length + 1);
  await writeFile(join(directory, 'notes.md'), 'a');
  assert.equal(await sourceKey(directory), keys.at(-1));
});

test('two builds of the same file at the same time run Go once, and both find the file', async () => {
  const go = join(directory, 'go');
  const calls = join(directory, 'calls');
  await writeFile(go, `#!/bin/sh\necho called >> '${calls}'\nsleep 1\necho built > "$1"\n`);
  await chmod(go, 0o755);
  const build = {
    name: 'thing',
    target: join(directory, 'cache', 'thing'),
    command: (output: string) => ({ args: [output] }),
    remedy: '',
    environment: { PATH: `${directory}:/usr/bin:/bin` },
    progress: quiet,
  };
  await Promise.all([goBuild(build), goBuild(build)]);
  assert.deepEqual(await readdir(join(directory, 'cache')), ['thing']);
  assert.equal(await readFile(calls, 'utf8'), 'called\n');
});

test('the programs of KUBEBUILDER_ASSETS are used if the folder has all of them', async () => {
  await mkdir(join(directory, 'assets'));
  for (const name of ['etcd', 'kube-apiserver', 'kubectl']) await writeFile(join(directory, 'assets', name), '');
  const environment = {
    PATH: '',
    TAUTLINE_CACHE: join(directory, 'cache'),
    KUBEBUILDER_ASSETS: join(directory, 'assets'),
  };
  const find = await findPrograms(['etcd', 'kube-apiserver', 'kubectl'], { environment });
  assert.equal(find('etcd').command, join(directory, 'assets', 'etcd'));
  const lines: string[] = [];
  await assert.rejects(
    findPrograms(['etcd', 'kwok'], { environment, progress: (line) => lines.push(line) }),
    /Install Go/,
  );
  assert.match(lines[0] ?? '', /has no kwok/);
});
