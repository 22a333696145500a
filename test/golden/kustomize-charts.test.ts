/** Charts of kustomizations give exactly what `kustomize build --enable-helm` prints. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { writeYaml } from '../../src/object/yaml/write.ts';
import { kustomizeBinary } from '../control-plane/binaries.ts';
import { useRealHelm } from '../support/real-helm.ts';
import { KUSTOMIZATIONS, REFUSED } from './charts/kustomize-cases.ts';
import { renderLocally } from './charts/render-locally.ts';

const real = useRealHelm();
let kustomize = '';

before(async () => {
  kustomize = await kustomizeBinary();
});

function write(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(real.root, 'repository-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function build(folder: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const flags = ['build', '--enable-helm', '--helm-command', real.program, folder];
  return spawnSync(kustomize, flags, { encoding: 'utf8', env: { HOME: join(real.root, 'home'), PATH: '' } });
}

for (const [title, files] of Object.entries(KUSTOMIZATIONS)) {
  test(`${title}: the output is that of kustomize build --enable-helm`, async () => {
    const folder = write(files);
    const { manifests } = await renderLocally({ helm: real.helm, folder, path: '' });
    assert.deepEqual(manifests.problems, []);
    const theirs = build(folder);
    assert.equal(theirs.status, 0, theirs.stderr);
    assert.equal(manifests.manifests.map(({ object }) => writeYaml(object)).join('---\n'), theirs.stdout);
  });
}

for (const [title, [files, message]] of Object.entries(REFUSED)) {
  test(`${title} is refused, as kustomize refuses it`, async () => {
    const folder = write(files);
    const { manifests } = await renderLocally({ helm: real.helm, folder, path: '' });
    assert.match(manifests.problems[0]?.message ?? '', message);
    assert.equal(manifests.problems[0]?.file, 'kustomization.yaml');
    assert.notEqual(build(folder).status, 0);
  });
}

test('a chart of a repository is asked for, and rendered with its values', async () => {
  const { 'kustomization.yaml': _, ...chart } = KUSTOMIZATIONS['a chart without options'] ?? {};
  const folder = write({
    ...chart,
    'kustomization.yaml':
      'helmCharts: [{name: web, releaseName: rel, repo: "https://charts.example.com/", version: 1.x, valuesInline: {a: x}}]\n',
  });
  const charts = { web: join(folder, 'charts/web') };
  const { manifests, runs } = await renderLocally({ helm: real.helm, folder, path: '', charts });
  assert.deepEqual(manifests.problems, []);
  assert.equal(runs, 1);
  assert.equal(manifests.manifests[0]?.file, 'web/templates/map.yaml');
});
