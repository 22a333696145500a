/** Shared by the tests of watches: an API server, a connection through a fault proxy, and a record of its reports. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import type { ConnectedCluster } from '../../../src/cluster/connection.ts';
import { agentIdentity, type Identity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits, type ClusterLimits } from '../../../src/cluster/limits.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import { formatId } from '../../../src/object/identity.ts';
import { stringAt } from '../../../src/object/value.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/control-plane.ts';
import { startFaultProxy, type FaultProxy } from '../../fault/proxy.ts';
import { useStarted } from '../../support/use-world.ts';
import { configMap, configMapId, connect, createNamespace, kindOf } from '../edge/edge-cluster.ts';

export const NAMESPACE = 'watched';

export interface Scene extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly proxy: FaultProxy;
  /** Connected to the API server through the proxy. */
  readonly cluster: ConnectedCluster;
  readonly configMaps: KindInfo;
  /** Reported changes, such as `added ConfigMap watched/a`, in order. `splice(0)` empties it. */
  readonly changes: string[];
  /** The reasons for which watches were opened again, in order. */
  readonly restarts: string[];
  /** Level and message of the log at info and above. */
  readonly logged: string[];
  keepWatched(...namespaces: string[]): Promise<void>;
  look(name: string, namespace?: string): LiveEntry;
  /** `data.v` of a ConfigMap, if it is known as present. */
  valueOf(name: string): string | undefined;
  /** Create, change and delete ConfigMaps as another client, not through the proxy. */
  create(name: string, v?: string): Promise<void>;
  change(name: string, v: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** The data folder of etcd. */
  readonly etcdData: string;
  /** Compacts the history of etcd up to now. */
  compact(): Promise<void>;
}

export interface SceneOptions {
  readonly limits?: Partial<ClusterLimits>;
  readonly apiServerArgs?: readonly string[];
  readonly identity?: Identity;
}

/** A scene for all tests of a file. */
export function useScene(options: SceneOptions = {}): Scene {
  return useStarted('the scene', () => startScene(options));
}

export async function startScene({ limits, apiServerArgs = [], identity }: SceneOptions = {}): Promise<Scene> {
  const plane = await startControlPlane({ mode: 'api-server-only', apiServerArgs });
  const proxy = await startFaultProxy({ target: plane.url, caFile: plane.caFile, token: plane.adminToken });
  const changes: string[] = [];
  const restarts: string[] = [];
  const logged: string[] = [];
  const logAs =
    (level: string) =>
    (message: string): void =>
      void logged.push(`${level} ${message}`);
  const cluster = await connect(plane, {
    source: { type: 'kubeconfig', file: proxy.kubeconfig },
    limits: { ...defaultClusterLimits, ...limits },
    events: { onChange: ({ id, type }) => void changes.push(`${type} ${formatId(id)}`) },
    metrics: { onRequest() {}, onWatchRestart: ({ reason }) => void restarts.push(reason) },
    log: { debug() {}, info: logAs('info'), warn: logAs('warn'), error: logAs('error') },
  });
  const configMaps = await kindOf(cluster, 'v1', 'ConfigMap');
  await createNamespace(plane, NAMESPACE);
  const whose = identity ?? agentIdentity;
  const directory = dirname(plane.kubeconfig);
  const send = async (method: string, path: string, body?: unknown): Promise<void> => {
    const { code } = await plane.request(method, `/api/v1/namespaces/${NAMESPACE}/configmaps${path}`, body);
    assert.ok(code === 200 || code === 201, `${method} ${path}: ${code}`);
  };
  const look: Scene['look'] = (name, namespace = NAMESPACE) =>
    cluster.live.look(whose, configMaps, configMapId(namespace, name));
  return {
    plane,
    proxy,
    cluster,
    configMaps,
    changes,
    restarts,
    logged,
    look,
    keepWatched: (...namespaces) =>
      cluster.live.keepWatched(
        'app',
        whose,
        namespaces.map((namespace) => ({ kind: configMaps, namespace })),
      ),
    valueOf(name) {
      const entry = look(name);
      return entry.state === 'present' ? stringAt(entry.object.body, 'data', 'v') : undefined;
    },
    create: (name, v = '0') => send('POST', '', configMap(NAMESPACE, name, { v })),
    change: (name, v) => send('PUT', `/${name}`, configMap(NAMESPACE, name, { v })),
    remove: (name) => send('DELETE', `/${name}`),
    etcdData: join(directory, 'etcd'),
    compact: () => compactEtcd(join(directory, 'etcd.sock')),
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await proxy.stop();
      await plane.stop();
    },
  };
}

/** Uses the JSON gateway that etcd has beside gRPC. */
async function compactEtcd(socketPath: string): Promise<void> {
  const range = await askEtcd(socketPath, '/v3/kv/range', { key: Buffer.from('a').toString('base64') });
  const revision = stringAt(JSON.parse(range), 'header', 'revision');
  assert.ok(revision, range);
  await askEtcd(socketPath, '/v3/kv/compaction', { revision, physical: true });
}

function askEtcd(socketPath: string, path: string, body: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method: 'POST', headers: { host: 'localhost' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${path}: ${text}`))));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}
