/**
 * The one event stream of a tab. It is closed while the tab is hidden, and opened again when it is seen. A stream that
 * the agent refuses is tried again, more and more seldom.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { ApplicationSummary } from '../../server/api/schema.ts';
import { API } from './http.ts';

export type Connection = 'connecting' | 'live' | 'offline';

export interface Receiver {
  /** The list has to be read again. */
  onReset(): void;
  onApplication(application: ApplicationSummary): void;
  onRemoved(names: { readonly namespace: string; readonly name: string }): void;
  /** The agent has refused the stream, or it does not answer. */
  onRefused(): void;
}

export interface Stream {
  readonly connection: ReadonlySignal<Connection>;
  open(): void;
  close(): void;
}

const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;

export function createStream(receiver: Receiver): Stream {
  const connection = signal<Connection>('connecting');
  let source: EventSource | undefined;
  let isWanted = false;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let waitMs = MIN_WAIT_MS;

  const stop = (): void => {
    clearTimeout(retry);
    source?.close();
    source = undefined;
  };
  const start = (): void => {
    stop();
    if (!isWanted || document.hidden) return;
    const opened = new EventSource(`${API}/stream`);
    source = opened;
    opened.addEventListener('open', () => {
      waitMs = MIN_WAIT_MS;
      connection.value = 'live';
    });
    opened.addEventListener('reset', () => receiver.onReset());
    opened.addEventListener('application', ({ data }: MessageEvent<string>) => {
      receiver.onApplication(JSON.parse(data) as ApplicationSummary);
    });
    opened.addEventListener('removed', ({ data }: MessageEvent<string>) => {
      receiver.onRemoved(JSON.parse(data) as { namespace: string; name: string });
    });
    opened.addEventListener('error', () => {
      connection.value = 'offline';
      // The browser tries again by itself where the connection is cut, and not where the agent refuses the stream.
      if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
      receiver.onRefused();
      retry = setTimeout(start, waitMs);
      waitMs = Math.min(waitMs * 2, MAX_WAIT_MS);
    });
  };
  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : start()));
  return {
    connection,
    open() {
      isWanted = true;
      start();
    },
    close() {
      isWanted = false;
      connection.value = 'connecting';
      stop();
    },
  };
}
