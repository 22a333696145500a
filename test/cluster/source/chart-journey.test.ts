/**
 * The journey of a user of charts: a repository declares Applications of a chart of a Helm repository and of a real
 * registry, with values from another repository and from a ConfigMap, and a commit goes back to an older version.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helmBinary } from '../../control-plane/binaries.ts';
import { chartEntries, tgzOf } from '../../support/archives.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { applicationManifest, configMap, namespaceManifest, text } from '../../support/objects.ts';
import { startRealRegistry } from '../../support/real-registry.ts';
import { CHART_LAYER, serveCharts, startRegistry, type RegistryServer } from '../../support/registry-server.ts';
import { at, configMapPath, QUICK_FLAGS, untilObject } from '../../support/scene.ts';
import { prepare, useStarted, useWorld } from '../../support/use-world.ts';
import type { ApplicationHandle, Json } from '../../support/world.ts';

const registry = useStarted('the registry', startRealRegistry);
const charts = useStarted('the Helm repository', async (): Promise<RegistryServer & AsyncDisposable> => {
  const server = await startRegistry();
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop() });
});
const { world } = useWorld();

const VERSIONS = ['1.0.0', '1.1.0'];
const TEMPLATE =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\n' +
  'data: {version: "{{ .Chart.Version }}", size: "{{ .Values.size }}", tier: "{{ .Values.tier }}"}\n';

prepare(async () => {
  const listed = await Promise.all(
    VERSIONS.map(async (version) => {
      const files = { 'values.yaml': 'size: small\ntier: none\n', 'templates/web.yaml': TEMPLATE };
      return { name: 'web', version, content: await tgzOf(chartEntries('web', version, files)) };
    }),
  );
  serveCharts(charts, '/charts', listed);
  for (const { version, content } of listed) await registry.push('charts/web', version, content, CHART_LAYER);
  await world.agent({ flags: ['--helm', await helmBinary(), ...QUICK_FLAGS] });
});

interface Journey {
  /** Namespace and name of everything. */
  readonly name: string;
  readonly fleet: TestRepository;
  readonly application: ApplicationHandle;
  /** Declares the Application of the chart at a version, by a commit. */
  readonly declare: (version: string) => Promise<void>;
  readonly untilLive: (data: Readonly<Record<string, string>>) => Promise<Json>;
}

/** An Application without polls whose repository declares another one, with the chart. */
async function setOff(name: string, repoURL: string): Promise<Journey & { readonly values: TestRepository }> {
  const [fleet, values] = [await world.repository(`${name}-fleet`), await world.repository(`${name}-values`)];
  await values.commit({ 'prod/web.yaml': 'size: large\ntier: prod\n' });
  await world.apply(namespaceManifest(name));
  await world.send(
    'POST',
    `/api/v1/namespaces/${name}/configmaps`,
    configMap('tiers', { 'values.yaml': 'tier: gold' }),
  );
  const declare = async (version: string): Promise<void> => {
    const spec = {
      source: { repoURL, chart: 'web', revision: version, interval: '24h' },
      sources: [{ name: 'values', repoURL: values.url, path: 'prod' }],
      render: { helm: { valueFiles: ['$values/web.yaml'], valuesFrom: [{ kind: 'ConfigMap', name: 'tiers' }] } },
    };
    await fleet.commit({ 'web.yaml': text(applicationManifest('web', spec, { namespace: name })) });
  };
  await declare('1.1.0');
  const source = { repoURL: fleet.url, interval: '24h' };
  const application = await world.declare('fleet', { source }, name);
  const untilLive: Journey['untilLive'] = (data) => {
    const isSo = (live: Json): boolean => Object.entries(data).every(([key, value]) => at(live, 'data', key) === value);
    return untilObject(world, configMapPath(name, 'web'), isSo);
  };
  return { name, fleet, values, application, declare, untilLive };
}

const PLACES = [
  ['an HTTP repository', 'http-charts', () => `${charts.url}/charts`],
  ['a real registry', 'oci-charts', () => `oci://${registry.host}/charts`],
] as const;

for (const [title, name, repoURL] of PLACES) {
  test(`a chart of ${title} follows values of Git and of the cluster, and a commit goes back to an older version`, async (t) => {
    const { fleet, application, declare, untilLive } = await setOff(name, repoURL());
    await untilLive({ version: '1.1.0', size: 'large', tier: 'gold' });
    await application.untilReady();

    // No poll is due, so that only the event of the ConfigMap can bring its change.
    const [gitRequests, chartRequests] = [world.git.requests.length, charts.requests.length];
    const tiers = configMapPath(name, 'tiers');
    const changedMs = performance.now();
    await world.send('PATCH', tiers, { data: { 'values.yaml': 'tier: platinum' } });
    await untilLive({ version: '1.1.0', size: 'large', tier: 'platinum' });
    t.diagnostic(`the changed ConfigMap was live after ${Math.round(performance.now() - changedMs)} ms`);
    assert.deepEqual([world.git.requests.length, charts.requests.length], [gitRequests, chartRequests]);

    await declare('1.0.0');
    await application.refresh();
    await untilLive({ version: '1.0.0', size: 'large', tier: 'platinum' });
    await declare('1.1.0');
    await application.refresh();
    await untilLive({ version: '1.1.0' });
    await fleet.commit({ 'web.yaml': await fleet.git(['show', 'main~1:web.yaml']) });
    await application.refresh();
    await untilLive({ version: '1.0.0', size: 'large', tier: 'platinum' });
    const { status } = (await world.read(`/apis/tautline.dev/v1alpha1/namespaces/${name}/applications/web`)) ?? {};
    assert.match(String(status?.['sync']?.['revision']), /^1\.0\.0@sha256:/);
  });
}
