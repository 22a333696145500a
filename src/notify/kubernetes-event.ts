/** Builds the Kubernetes Event (events.k8s.io/v1) of a pass, regarding the Application. */
import { randomUUID } from 'node:crypto';
import type { KubeObject } from '../object/value.ts';
import { stringAt } from '../object/value.ts';
import type { PassEvent } from '../status/event.ts';

export interface EventContext {
  /** Identifies this process: the Pod's name in a cluster. */
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** The API server checks the bounds of the event: reason and action 128, note 1,024 characters. */
export function kubernetesEvent(event: PassEvent, about: KubeObject, { instance, nowMs }: EventContext): KubeObject {
  const namespace = stringAt(about.metadata, 'namespace') ?? 'default';
  const name = stringAt(about.metadata, 'name') ?? '';
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // After the cut the name must not end with a dash or a dot: no part of a name may.
    metadata: { namespace, name: `${name.slice(0, 200).replace(/[.-]+$/, '')}.${randomUUID().slice(0, 13)}` },
    eventTime: new Date(nowMs).toISOString().replace('Z', '000Z'),
    type: event.type,
    reason: event.reason,
    action: event.action,
    note: event.note,
    reportingController: 'tautline.dev/agent',
    reportingInstance: instance.slice(0, 128) || 'tautline',
    regarding: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      namespace,
      name,
      uid: stringAt(about.metadata, 'uid') ?? '',
      resourceVersion: stringAt(about.metadata, 'resourceVersion') ?? '',
    },
  };
}
