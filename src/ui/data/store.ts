/**
 * Everything that the page knows: the session, the Applications and the connection. The list is read once; after that
 * the event stream tells the changes, and the list is read again only where the stream says so.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { keyOfApplication } from '../logic/list-rows.ts';
import { createApplicationList, type ApplicationList } from './application-list.ts';
import { createSession, type Session } from './session.ts';
import { createStream, type Connection } from './stream.ts';

export interface Store extends Pick<ApplicationList, 'applications' | 'refusal' | 'unreviewed'> {
  readonly session: Session;
  readonly connection: ReadonlySignal<Connection>;
  /** Milliseconds since the epoch, for relative times; changes twice a minute. */
  readonly now: ReadonlySignal<number>;
  /** Calls back when the Application may have changed. Returns a function that ends this. */
  readonly watch: (key: string, onChange: () => void) => () => void;
  /** Reads session and list, and opens the stream. Called again after a sign-in or a sign-out. */
  readonly start: () => Promise<void>;
}

const NOW_MS = 30_000;
/** Until the session is asked for again, where the agent does not answer. */
const AGAIN_MS = 3_000;

export const StoreContext = createContext<Store | undefined>(undefined);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error('the page was started without a store');
  return store;
}

export function createStore(): Store {
  const session = createSession();
  const now = signal(Date.now());
  setInterval(() => (now.value = Date.now()), NOW_MS);
  const watchers = new Map<string, Set<() => void>>();
  const list = createApplicationList((keys = watchers.keys()) => {
    for (const key of keys) for (const onChange of watchers.get(key) ?? []) onChange();
  });
  const stream = createStream({
    onReset: () => void list.read(),
    onApplication: (application) => list.change(keyOfApplication(application), application),
    onRemoved: (names) => list.change(keyOfApplication(names), undefined),
    onRefused: () => void session.read().then(list.read),
  });
  const start = async (): Promise<void> => {
    stream.close();
    list.forget();
    await session.read();
    const view = session.view.value;
    // The first event of a stream asks for the list, so that no change between the two is missed.
    if (view?.signedIn) stream.open();
    else await list.read();
    if (view === undefined) setTimeout(() => void start(), AGAIN_MS);
  };
  return {
    session,
    applications: list.applications,
    refusal: list.refusal,
    unreviewed: list.unreviewed,
    connection: stream.connection,
    now,
    watch(key, onChange) {
      const own = watchers.get(key) ?? new Set();
      watchers.set(key, own.add(onChange));
      return () => {
        own.delete(onChange);
        if (own.size === 0) watchers.delete(key);
      };
    },
    start,
  };
}
