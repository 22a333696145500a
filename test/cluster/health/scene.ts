/**
 * Shared by the tests of health: Pods that fit on no node, and statuses of Pods as a kubelet would write them.
 *
 * Invariant: simulated nodes make every Pod Ready that is bound to one. A Pod that must not start therefore selects a
 * node that does not exist (`NOWHERE`), and a test writes its failure to its status.
 */
import assert from 'node:assert/strict';
import { eventually, type Json, type World } from '../../support/world.ts';
import { edit } from '../../support/kubectl.ts';
import type { Manifest } from '../../support/objects.ts';
import { at, readyMessage, readyReason } from '../../support/scene.ts';

export const NOWHERE: Manifest = { nodeSelector: { disk: 'none' } };

/** Status, reason and message of the condition Ready, for example `True ReconciliationSucceeded: …`. */
export function readyText(application: Json): string {
  return `${readyReason(application)}: ${readyMessage(application)}`;
}

/** Waits for the one Pod of a workload, and writes its status as a kubelet would. */
export async function playKubelet(world: World, namespace: string, app: string, status: Manifest): Promise<void> {
  const name = await eventually(async () => {
    const list = await world.read(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`);
    const found = at(list, 'items', 0, 'metadata', 'name');
    const isSeen = at(list, 'items', 0, 'status', 'conditions', 0, 'type') !== undefined;
    return typeof found === 'string' && isSeen ? found : undefined;
  });
  assert.ok(name, `no Pod of ${app}`);
  await edit(world, `pod/${name}`, { namespace, patch: { status }, subresource: 'status', manager: 'kubelet' });
}

/** The status of a Pod whose only container is in the given state and not ready. */
export function notReady(phase: string, container: Manifest): Manifest {
  return {
    phase,
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      {
        type: 'Ready',
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [app]',
      },
    ],
    containerStatuses: [
      { name: 'app', image: 'app', imageID: '', ready: false, restartCount: 0, lastState: {}, ...container },
    ],
  };
}
