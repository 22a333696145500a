/** Charts in a repository, from a commit to the objects of a real API server, with the real helm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helmBinary, landlockBinary } from '../../control-plane/binaries.ts';
import { at, configMapPath, declareSubject, readyMessage, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({
  agent: async (running) =>
    running.agent({
      flags: [
        ...['--helm', await helmBinary(), '--landlock-program', await landlockBinary()],
        ...['--allow-cross-namespace', 'true', '--max-backoff', '2s'],
      ],
    }),
});

const CHART = 'apiVersion: v2\nname: web\nversion: 1.0.0\n';

function mapTemplate(...lines: readonly string[]): string {
  const data = lines.map((line) => `  ${line}\n`).join('');
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-map"}\ndata:\n${data}`;
}

test('a chart is rendered for the cluster, without its tests, and follows a file with values', async () => {
  const files = {
    'Chart.yaml': CHART,
    'values.yaml': 'size: 1\n',
    'templates/map.yaml': mapTemplate(
      'size: {{ .Values.size | quote }}',
      'namespace: {{ .Release.Namespace }}',
      'has: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}',
      'version: {{ .Capabilities.KubeVersion.Version }}',
    ),
    'templates/tests/test.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: a, image: b}]}\n',
    'prod.yaml': 'size: 2\n',
  };
  const { application, namespace, ...subject } = await declareSubject(world, 'charts', {
    files,
    spec: { render: { helm: { valueFiles: ['prod.yaml'] } } },
  });
  await application.untilReady();
  const version = at(await world.read('/version'), 'gitVersion');
  const data = at(await subject.configMap('charts-map'), 'data');
  assert.deepEqual(data, { size: '2', namespace: 'charts', has: 'true', version });
  assert.equal(await world.read(`/api/v1/namespaces/${namespace}/pods/test`), undefined);
  await subject.repository.commit({ ...files, 'prod.yaml': 'size: 3\n' });
  await application.refresh();
  await untilObject(world, configMapPath(namespace, 'charts-map'), (map) => at(map, 'data', 'size') === '3');
});

test('a chart that cannot be rendered names its template, keeps its objects, and others go on', async () => {
  const files = { 'Chart.yaml': CHART, 'templates/map.yaml': mapTemplate('a: b') };
  const { application, repository, ...subject } = await declareSubject(world, 'broken', { files });
  await application.untilReady();
  const broken = [...files['templates/map.yaml'].split('\n'), '{{ fail "set a value" }}'].join('\n');
  await repository.commit({ ...files, 'templates/map.yaml': broken });
  await application.refresh();
  await application.until('the failure is told', (now) => /set a value/.test(readyMessage(now)));
  assert.match(
    readyMessage((await application.read()) ?? {}),
    /templates\/map\.yaml:\d+: the chart refuses its values/,
  );
  assert.ok(await subject.configMap('broken-map'));
  const other = await declareSubject(world, 'healthy', { files });
  await other.application.untilReady();
});

test('a chart that makes up a password is refused before anything is applied', async () => {
  const files = {
    'Chart.yaml': CHART,
    'templates/secret.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: {{ randAlphaNum 12 | quote }}}\n',
  };
  const { application, namespace } = await declareSubject(world, 'random', { files });
  await application.until('the fields are named', (now) => /Secret login stringData\.password/.test(readyMessage(now)));
  assert.equal(await world.read(`/api/v1/namespaces/${namespace}/secrets/login`), undefined);
});
