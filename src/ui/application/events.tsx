/** The Events of an object, the newest first. */
import type { VNode } from 'preact';
import type { EventView } from '../../server/api/schema.ts';
import { useStore } from '../data/store.ts';
import { useLoad } from '../data/use-load.ts';
import { queryOf, type ObjectNames } from '../logic/object-key.ts';
import { Loading, Notice, Refused } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';

export interface OfObject {
  /** `namespace/name` of the Application. */
  readonly application: string;
  readonly object: ObjectNames;
}

export function EventsOf({ application, object }: OfObject): VNode {
  const store = useStore();
  const { data, refusal } = useLoad<{ events: readonly EventView[] }>(
    `/applications/${application}/events?${queryOf(object)}`,
    (onChange) => store.watch(application, onChange),
  );
  if (refusal && !data) return <Refused refusal={refusal} />;
  if (!data) return <Loading what="the Events" />;
  if (data.events.length === 0) {
    return (
      <Notice title="No Event about this object">
        <p>Kubernetes keeps Events for an hour, unless the cluster is set otherwise.</p>
      </Notice>
    );
  }
  return (
    <ul class="events">
      {data.events.map((event, index) => (
        <li key={index}>
          <div class="event-head">
            <State look="plain" tone={event.type === 'Warning' ? 'warning' : 'ok'} word={event.reason || event.type} />
            <span class="muted">
              {event.count > 1 && `${event.count} times, `}
              {event.lastAt !== undefined && <Time at={event.lastAt} />}
            </span>
          </div>
          <p>{event.message}</p>
          {event.source !== undefined && <p class="muted">{event.source}</p>}
        </li>
      ))}
    </ul>
  );
}
