/** Applications whose folder is a Helm chart, with values from Git and from the cluster. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { countedHelm, type CountedHelm } from '../../support/counted-helm.ts';
import { configMap } from '../../support/objects.ts';
import { at, configMapPath, QUICK_FLAGS, untilObject } from '../../support/scene.ts';
import { prepare, useStarted, useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';

const folder = useStarted('the folder of helm', () => mkdtempDisposable(join(tmpdir(), 'tautline-charts-')));
const { world } = useWorld();
let helm: CountedHelm;

prepare(async () => {
  helm = await countedHelm(folder.path);
  await world.agent({ flags: ['--helm', helm.program, ...QUICK_FLAGS] });
});

const CHART = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'chart/values.yaml': 'color: red\nsize: small\n',
  'chart/templates/web.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\n' +
    'data: {color: "{{ .Values.color }}", size: "{{ .Values.size }}", tier: "{{ .Values.tier }}"}\n',
};

test('values of another repository and of a ConfigMap reach the cluster, and a changed ConfigMap does so at once', async () => {
  const chart = await world.repository('web');
  await chart.commit(CHART);
  const values = await world.repository('values');
  await values.commit({ 'prod/web.yaml': 'size: large\ntier: prod\n' });
  const collection = '/api/v1/namespaces/web/configmaps';
  const spec = {
    source: { repoURL: chart.url, path: 'chart', interval: '1h' },
    sources: [{ name: 'values', repoURL: values.url, path: 'prod' }],
    render: {
      helm: { valueFiles: ['$values/web.yaml'], valuesFrom: [{ kind: 'ConfigMap', name: 'web-values' }] },
    },
  };
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } });
  await world.send('POST', collection, configMap('web-values', { 'values.yaml': 'tier: gold' }));
  const application = await world.declare('web', spec, 'web');
  const ready = await application.untilReady();
  const live = await world.read(configMapPath('web', 'web'));
  assert.deepEqual(at(live, 'data'), { color: 'red', size: 'large', tier: 'gold' });
  const [source] = at(ready, 'status', 'sync', 'sources') as { name: string; revision: string }[];
  assert.equal(source?.name, 'values');
  assert.match(source?.revision ?? '', /^main@sha1:[0-9a-f]{40}$/);
  assert.equal(await helm.runs(), 1);

  await world.send('PATCH', `${collection}/web-values`, { data: { 'values.yaml': 'tier: platinum' } });
  await untilObject(world, configMapPath('web', 'web'), (object) => at(object, 'data', 'tier') === 'platinum');
  assert.equal(await helm.runs(), 2);

  await values.commit({ 'prod/web.yaml': 'size: huge\ntier: prod\n', 'other.txt': 'x' });
  await application.refresh();
  await untilObject(world, configMapPath('web', 'web'), (object) => at(object, 'data', 'size') === 'huge');
  assert.equal(await helm.runs(), 3);
});

test('a commit that changes no input of the chart runs helm no more', async () => {
  const chart = await world.repository('still');
  await chart.commit(CHART);
  const source = { repoURL: chart.url, path: 'chart', interval: '1h' };
  const application = await world.declare('still', { source }, 'still');
  await application.untilReady();
  const before = await helm.runs();
  await chart.commit({ 'README.md': 'words' });
  await application.refresh();
  await application.untilReady();
  assert.equal(await helm.runs(), before);
});

test('with several charts in one kustomization, helm runs again only for the one that changed', async () => {
  const several = await world.repository('several');
  const { 'chart/values.yaml': values, ...rest } = CHART;
  const chart = (name: string): Record<string, string> =>
    Object.fromEntries(Object.entries(rest).map(([path, text]) => [path.replace('chart/', `charts/${name}/`), text]));
  const names = ['one', 'two', 'three'];
  const entries = names.map((name) => `- {name: ${name}, releaseName: ${name}}\n`).join('');
  const files = Object.assign({}, ...names.map(chart)) as Record<string, string>;
  const valuesOf = (changed: Record<string, string>) =>
    Object.fromEntries(names.map((name) => [`charts/${name}/values.yaml`, changed[name] ?? values]));
  await several.commit({ ...files, ...valuesOf({}), 'kustomization.yaml': `helmCharts:\n${entries}` });
  const source = { repoURL: several.url, interval: '1h' };
  const application = await world.declare('several', { source }, 'several');
  await application.untilReady();
  const before = await helm.runs();
  await several.commit(valuesOf({ two: 'color: blue\nsize: small\n' }));
  await application.refresh();
  await untilObject(world, configMapPath('several', 'two'), (object) => at(object, 'data', 'color') === 'blue');
  assert.equal(await helm.runs(), before + 1);
  await several.commit({ 'kustomization.yaml': `helmCharts:\n${entries}commonAnnotations: {team: web}\n` });
  await application.refresh();
  await untilObject(world, configMapPath('several', 'one'), (object) => {
    return at(object, 'metadata', 'annotations', 'team') === 'web';
  });
  assert.equal(await helm.runs(), before + 1);
});

test('a broken template is a problem with its file and line, and nothing is pruned', async () => {
  const chart = await world.repository('broken');
  await chart.commit(CHART);
  const application = await world.declare('broken', { source: { repoURL: chart.url, path: 'chart' } }, 'broken');
  await application.untilReady();
  await chart.commit({ 'chart/templates/bad.yaml': 'a: b\nc: {{ fail "no color" }}\n' });
  await application.refresh();
  await untilTrue(async () => {
    const ready = (await application.read())?.['status']?.['conditions'];
    return JSON.stringify(ready ?? '').includes('chart/templates/bad.yaml:2');
  }, 'the problem names the line of the template');
  assert.ok(await world.read(configMapPath('broken', 'broken')));
});
