/** Watches on an API server of an older version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCredentials } from '../../../src/cluster/transport/credentials.ts';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import { noMetrics } from '../../../src/cluster/metrics.ts';
import { createTransport } from '../../../src/cluster/transport/transport.ts';
import { checkRevision } from '../../../src/cluster/watches/watch-list.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, configMapId, connect, createNamespace, kindOf, silentLog, useCluster } from './edge-cluster.ts';
import { untilTrue } from '../../support/world.ts';

/** Without WatchList, as before Kubernetes 1.34, and with GOAWAY frames for HTTP/2 clients. */
const apiServerArgs = ['--feature-gates=WatchList=false', '--goaway-chance=0.02'];
const KIB = 1024;
const restarts: string[] = [];
const { plane, cluster } = useCluster(
  {
    metrics: { ...noMetrics, onWatchRestart: ({ reason }) => void restarts.push(reason) },
    limits: { ...defaultClusterLimits, listPageSize: 7 },
  },
  { mode: 'api-server-only', apiServerArgs },
);
let configMaps: KindInfo;

prepare(async () => {
  configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
});

test('a server that cannot list within a watch is listed in pages and then watched', async () => {
  const client = cluster.as(agentIdentity);
  const names = Array.from({ length: 200 }, (_, n) => `map-${n}`);
  const answers = await Promise.all(
    names.map((name) => client.apply({ kind: configMaps, body: configMap('default', name, {}), force: false })),
  );
  assert.ok(answers.every((answer) => answer.ok && answer.isCreated));
  const before = cluster.requestCounts().watch;
  await cluster.live.keepWatched('app', agentIdentity, [{ kind: configMaps, namespace: 'default' }]);
  const look = (name: string): string =>
    cluster.live.look(agentIdentity, configMaps, configMapId('default', name)).state;
  assert.ok(names.every((name) => look(name) === 'present'));
  assert.ok(cluster.requestCounts().watch - before >= 29);
  await plane.request('DELETE', '/api/v1/namespaces/default/configmaps/map-7');
  await untilTrue(() => look('map-7') === 'absent', 'the deletion is seen');
  assert.deepEqual(restarts, []);
});

test('a server that cannot list within a watch is asked whether it has reached a revision, which reveals a restored etcd', async () => {
  const credentials = await loadCredentials({ type: 'kubeconfig', file: plane.kubeconfig });
  const limits = defaultClusterLimits;
  const transport = createTransport({ credentials, limits, metrics: noMetrics, userAgent: 'tautline' });
  const log = { warn: () => undefined };
  const target = { transport, limits, log, identity: agentIdentity, kind: configMaps, namespace: 'default' };
  assert.deepEqual(await checkRevision(target, '1'), { ok: true, isReached: true });
  assert.deepEqual(await checkRevision(target, '99999999999999999999'), { ok: true, isReached: false });
  await transport.close();
});

test('a page that is larger than the bound on answers is asked for in smaller pages, and an object beyond it is named', async (t) => {
  await createNamespace(plane, 'large');
  const create = async (name: string, bytes: number): Promise<void> => {
    // The server writes this character as six bytes.
    const body = configMap('large', name, { blob: '<'.repeat(bytes / 6) });
    assert.equal((await plane.request('POST', '/api/v1/namespaces/large/configmaps', body)).code, 201);
  };
  const names = Array.from({ length: 12 }, (_, n) => `large-${n}`);
  await Promise.all(names.map((name) => create(name, 600 * KIB)));
  await create('larger', 3_000 * KIB);
  const warnings: unknown[] = [];
  const other = await connect(plane, {
    limits: { ...defaultClusterLimits, maxResponseBytes: 2_000 * KIB },
    log: { ...silentLog, warn: (_message, fields) => void warnings.push(fields) },
  });
  t.after(() => other.close());
  await other.live.keepWatched('app', agentIdentity, [{ kind: configMaps, namespace: 'large' }]);
  const look = (name: string): string => other.live.look(agentIdentity, configMaps, configMapId('large', name)).state;
  assert.deepEqual(
    names.map(look),
    names.map(() => 'present'),
  );
  assert.equal(look('larger'), 'unseen');
  assert.deepEqual(warnings, [{ kind: 'ConfigMap', namespace: 'large', name: 'larger' }]);
});
