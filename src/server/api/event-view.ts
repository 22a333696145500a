/** Kubernetes Events as people read them. */
import type { KindInfo } from '../../cluster/kinds.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { groupOf, type ObjectId } from '../../object/identity.ts';
import { numberAt, stringAt, valueAt, type KubeObject } from '../../object/value.ts';
import type { EventView } from './schema.ts';

export const EVENTS: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  isNamespaced: true,
  hasStatus: false,
  isWatchable: true,
};

/** A field selector for the Events about one object. It does not know the group: see `aboutOf`. */
export function eventSelector({ kind, name }: Pick<ObjectId, 'kind' | 'name'>): string {
  return `involvedObject.kind=${kind},involvedObject.name=${name.replace(/[\\,=]/g, '\\$&')}`;
}

/** The object that an Event is about. */
export function aboutOf(event: KubeObject): ObjectId {
  const about = valueAt(event, 'involvedObject');
  return {
    group: groupOf(stringAt(about, 'apiVersion') ?? ''),
    kind: stringAt(about, 'kind') ?? '',
    namespace: stringAt(about, 'namespace') ?? '',
    name: stringAt(about, 'name') ?? '',
  };
}

export function viewEvent({ body }: Pick<LiveObject, 'body'>): EventView {
  const lastAt = stringAt(body, 'series', 'lastObservedTime') ?? stringAt(body, 'lastTimestamp');
  const firstAt = stringAt(body, 'eventTime') ?? stringAt(body, 'firstTimestamp');
  const newest = lastAt ?? firstAt;
  const source = stringAt(body, 'reportingComponent') || stringAt(body, 'source', 'component');
  return {
    type: stringAt(body, 'type') ?? 'Normal',
    reason: stringAt(body, 'reason') ?? '',
    message: stringAt(body, 'message') ?? '',
    count: Math.max(1, numberAt(body, 'series', 'count') ?? numberAt(body, 'count') ?? 1),
    ...(firstAt === undefined ? {} : { firstAt }),
    ...(newest === undefined ? {} : { lastAt: newest }),
    ...(source ? { source } : {}),
  };
}
