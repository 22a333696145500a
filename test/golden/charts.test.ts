/** Charts of different habits give the objects that the real `helm template` prints, in its order. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { useRealHelm } from '../support/real-helm.ts';
import { CASES, type ChartCase } from './charts/cases.ts';
import { renderLocally } from './charts/render-locally.ts';

const real = useRealHelm();

function writeRepository(files: ChartCase['files']): string {
  const folder = mkdtempSync(join(real.root, 'repository-'));
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text.startsWith('link: ')) symlinkSync(text.slice('link: '.length), file);
    else writeFileSync(file, text);
  }
  return folder;
}

/** The objects that helm prints. A few words stand for something other than an argument of `helm template`. */
function templateOf(folder: string, { path = 'chart', args = [] }: ChartCase): unknown[] {
  const home = join(real.root, 'home');
  const environment = { PATH: '', HOME: home, KUBECONFIG: join(home, 'none') };
  const run = (...words: readonly string[]): string =>
    execFileSync(real.program, words, {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  if (args.includes('--build-dependencies')) run('dependency', 'update', path);
  const release = args.find((word) => word.startsWith('--release='))?.slice('--release='.length) ?? 'shop';
  const crds = args.includes('--without-crds') ? ['--skip-tests'] : ['--include-crds'];
  const given = args.filter((word) => !/^--(build-dependencies|without-crds|release=)/.test(word));
  const text = run('template', release, `./${path}`, ...['--namespace', 'shop-ns'], ...crds, ...given);
  return parseAllDocuments(text, { version: '1.1', uniqueKeys: false, merge: true, intAsBigInt: false })
    .map((document) => toPlain(document.toJS() as unknown))
    .filter((object) => object !== null)
    .flatMap((object) => (object as { kind?: string; items?: unknown[] }).items ?? [object]);
}

/** Kubernetes has no dates. */
function toPlain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString().replace(/T00:00:00\.000Z$/, '');
  if (Array.isArray(value)) return value.map(toPlain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}

for (const [title, chart] of Object.entries(CASES)) {
  test(`${title} give the objects of helm template`, async () => {
    const folder = writeRepository(chart.files);
    // The dependencies are not vendored for Tautline, so it is rendered before helm builds them.
    const { manifests, runs } = await renderLocally({
      helm: real.helm,
      folder,
      path: chart.path ?? 'chart',
      render: { helm: chart.options ?? {} },
      release: { name: 'shop', namespace: 'shop-ns' },
      ...(chart.data === undefined ? {} : { data: chart.data }),
    });
    assert.deepEqual(manifests.problems, []);
    assert.equal(runs, 1);
    const ours = manifests.manifests.map(({ object }) => JSON.parse(JSON.stringify(object)) as unknown);
    assert.deepEqual(ours, templateOf(folder, chart));
    for (const { file } of manifests.manifests) assert.match(file, /(^|\/)(templates|crds)\//);
  });
}

test('a lock file that helm wrote is accepted, and one that does not fit is refused', async () => {
  const dependencies = [
    '  - {name: sub, version: ">=0.1.0 <1", repository: "file://../sub", condition: "a.b,c", tags: [x, y]}',
    '  - {name: sub, version: "*", repository: "file://../sub", alias: other, import-values: [data, {parent: p, child: c}]}',
  ].join('\n');
  const folder = writeRepository({
    'chart/Chart.yaml': `apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n${dependencies}\n`,
    'chart/templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n',
    'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.4.0\n',
    'sub/templates/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Chart.Name }}"}\n',
  });
  const environment = { PATH: '', HOME: join(real.root, 'home') };
  execFileSync(real.program, ['dependency', 'update', 'chart'], { cwd: folder, env: environment, stdio: 'ignore' });
  rmSync(join(folder, 'chart/charts'), { recursive: true });
  const { manifests } = await renderLocally({ helm: real.helm, folder, path: 'chart' });
  assert.deepEqual(manifests.problems, []);
  assert.equal(manifests.manifests.length, 3);
  const file = join(folder, 'chart/Chart.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"*"', '">=0"'));
  const { manifests: changed, runs } = await renderLocally({ helm: real.helm, folder, path: 'chart' });
  assert.match(changed.problems[0]?.message ?? '', /Chart\.lock does not fit/);
  assert.equal(changed.problems[0]?.file, 'chart/Chart.lock');
  assert.equal(runs, 0);
});
