/** Shared by the tests of src/cluster: a connection to a real API server, and objects for it. */
import { connectCluster, type ConnectedCluster, type ConnectOptions } from '../../../src/cluster/connection.ts';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { kindKey, type KindInfo } from '../../../src/cluster/kinds.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { ClusterClient, ReadAnswer, WriteAnswer } from '../../../src/cluster/ports.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';
import type { Log } from '../../../src/telemetry/ports.ts';
import type { ControlPlane, ControlPlaneOptions } from '../../control-plane/control-plane.ts';
import { configMap as unmarked, namespaceManifest } from '../../support/objects.ts';
import { useControlPlane, usePrepared, useStarted } from '../../support/use-world.ts';

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface UsedCluster {
  readonly plane: ControlPlane;
  readonly cluster: ConnectedCluster;
  /** Sends requests as the agent itself. */
  readonly client: ClusterClient;
}

/** A control plane and a connection to it for all tests of a file. */
export function useCluster(
  options: Partial<ConnectOptions> = {},
  planeOptions: ControlPlaneOptions = { mode: 'api-server-only' },
): UsedCluster {
  const plane = useControlPlane(planeOptions);
  const connection = useStarted('the connection', async () => {
    const cluster = await connect(plane, options);
    return { cluster, [Symbol.asyncDispose]: () => cluster.close() };
  });
  const cluster = usePrepared('the connection', async () => connection.cluster);
  const client = usePrepared('the client', async () => cluster.as(agentIdentity));
  return { plane, cluster, client };
}

export function connect(plane: ControlPlane, options: Partial<ConnectOptions> = {}): Promise<ConnectedCluster> {
  return connectCluster({
    source: { type: 'kubeconfig', file: plane.kubeconfig },
    limits: defaultClusterLimits,
    log: silentLog,
    clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
    chance: Math.random,
    ...options,
  });
}

export async function kindOf(cluster: ConnectedCluster, apiVersion: string, kind: string): Promise<KindInfo> {
  const found = (await cluster.kinds()).served.get(kindKey(apiVersion, kind));
  if (!found) throw new Error(`${apiVersion} ${kind} is not served`);
  return found;
}

/** A ConfigMap with the marks of an owner. */
export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string>,
  extra: ValueMap = {},
): KubeObject {
  return unmarked(name, data, { namespace, ...marks(), ...extra });
}

export function marks(owner = 'hub/default/shop'): ValueMap {
  const [hubId = '', namespace = '', name = ''] = owner.split('/');
  const { applySetId, ownerAnnotation } = ownerOf({ hubId, namespace, name });
  return { labels: { [PART_OF_LABEL]: applySetId }, annotations: { [OWNER_ANNOTATION]: ownerAnnotation } };
}

export function configMapId(namespace: string, name: string): ObjectId {
  return { group: '', kind: 'ConfigMap', namespace, name };
}

export function written(answer: WriteAnswer): WriteAnswer & { ok: true } {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.refusal)}`);
  return answer;
}

export function found(answer: ReadAnswer): LiveObject {
  if (!answer.ok || !answer.object) throw new Error(`not found: ${JSON.stringify(answer)}`);
  return answer.object;
}

export async function createNamespace(plane: ControlPlane, name: string): Promise<void> {
  const answer = await plane.request('POST', '/api/v1/namespaces', namespaceManifest(name));
  if (answer.code !== 201) throw new Error(`namespace ${name}: ${answer.code}`);
}
