/**
 * The nodes of a control plane in full mode: Node objects whose kubelet is simulated by kwok.
 *
 * Invariant: a node counts as ready if the scheduler can place a Pod on it: it is Ready and has no taint.
 */
import { expectKubernetes } from './kubernetes-request.ts';
import type { Access } from './kubernetes-request.ts';

interface NodeList {
  readonly items: readonly {
    readonly spec: { readonly taints?: readonly unknown[] };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

export async function addNodes(access: Access, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const name = `node-${index}`;
    const size = { cpu: '32', memory: '256Gi', pods: '1000' };
    await expectKubernetes(access, {
      method: 'POST',
      path: '/api/v1/nodes',
      body: {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          annotations: { 'kwok.x-k8s.io/node': 'fake', 'node.alpha.kubernetes.io/ttl': '0' },
          labels: {
            'kubernetes.io/hostname': name,
            'kubernetes.io/os': 'linux',
            'kubernetes.io/arch': 'amd64',
            type: 'kwok',
          },
        },
        status: { allocatable: size, capacity: size },
      },
    });
  }
}

export async function hasReadyNodes(access: Access, count: number): Promise<boolean> {
  const list = (await expectKubernetes(access, { method: 'GET', path: '/api/v1/nodes' })) as NodeList;
  const readyNodes = list.items.filter(
    (node) =>
      (node.spec.taints ?? []).length === 0 &&
      node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  );
  return readyNodes.length >= count;
}
