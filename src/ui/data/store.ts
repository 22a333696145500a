/**
 * Everything that the page knows: the session, the Applications and the connection. The list is read once; after that
 * the event stream tells the changes, and the list is read again only where the stream says so.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Refusal } from '../logic/request-words.ts';
import { keyOfApplication } from '../logic/list-rows.ts';
import type { Listed } from '../logic/words.ts';
import { getJson, refusalIn } from './http.ts';
import { createSession, type Session } from './session.ts';
import { createStream, type Connection } from './stream.ts';

export interface Store {
  readonly session: Session;
  /** By `namespace/name`; undefined until the list has been read. */
  readonly applications: ReadonlySignal<ReadonlyMap<string, Listed> | undefined>;
  /** Why the list cannot be read. */
  readonly refusal: ReadonlySignal<Refusal | undefined>;
  /** Namespaces that the list does not cover, since too many had to be reviewed. */
  readonly unreviewed: ReadonlySignal<number>;
  readonly connection: ReadonlySignal<Connection>;
  /** Milliseconds since the epoch, for relative times; changes twice a minute. */
  readonly now: ReadonlySignal<number>;
  /** Calls back when the Application may have changed. Returns a function that ends this. */
  watch(key: string, onChange: () => void): () => void;
  /** Reads session and list, and opens the stream. Called again after a sign-in or a sign-out. */
  start(): Promise<void>;
}

interface ListAnswer {
  readonly applications: readonly Listed[];
  readonly continue?: string;
  readonly unreviewedNamespaces?: number;
}

const PAGE_SIZE = 500;
const NOW_MS = 30_000;
/** Changes within this time are shown together. */
const GATHER_MS = 80;

export const StoreContext = createContext<Store | undefined>(undefined);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error('the page was started without a store');
  return store;
}

export function createStore(): Store {
  const session = createSession();
  const applications = signal<ReadonlyMap<string, Listed> | undefined>(undefined);
  const refusal = signal<Refusal | undefined>(undefined);
  const unreviewed = signal(0);
  const now = signal(Date.now());
  setInterval(() => (now.value = Date.now()), NOW_MS);
  const watchers = new Map<string, Set<() => void>>();
  const tell = (keys: Iterable<string>): void => {
    for (const key of keys) for (const onChange of watchers.get(key) ?? []) onChange();
  };
  const gather = createGathering((changes) => {
    const next = new Map(applications.value);
    for (const [key, application] of changes) {
      if (application) next.set(key, application);
      else next.delete(key);
    }
    applications.value = next;
    tell(changes.keys());
  });
  let round = 0;

  const readList = async (): Promise<void> => {
    const own = ++round;
    try {
      const found = new Map<string, Listed>();
      let token: string | undefined;
      do {
        const more = token === undefined ? '' : `&continue=${token}`;
        const page = await getJson<ListAnswer>(`/applications?sort=severity&limit=${PAGE_SIZE}${more}`);
        if (own !== round) return;
        for (const application of page.applications) found.set(keyOfApplication(application), application);
        // The first page has the problems: it is shown while the rest is read.
        if (applications.value === undefined) applications.value = new Map(found);
        unreviewed.value = page.unreviewedNamespaces ?? 0;
        token = page.continue;
      } while (token !== undefined);
      applications.value = found;
      refusal.value = undefined;
      tell(watchers.keys());
    } catch (error) {
      if (own !== round) return;
      refusal.value = refusalIn(error);
      if (refusal.value.status === 401) applications.value = undefined;
    }
  };
  const stream = createStream({
    onReset: () => void readList(),
    onApplication: (application) => gather(keyOfApplication(application), application),
    onRemoved: (names) => gather(keyOfApplication(names), undefined),
    onRefused: () => void session.read().then(readList),
  });
  return {
    session,
    applications,
    refusal,
    unreviewed,
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
    async start() {
      stream.close();
      applications.value = undefined;
      refusal.value = undefined;
      await session.read();
      // The first event of a stream asks for the list, so that no change between the two is missed.
      if (session.view.value?.signedIn) stream.open();
      else await readList();
      if (session.view.value === undefined) setTimeout(() => void this.start(), NOW_MS / 10);
    },
  };
}

type Changes = ReadonlyMap<string, Listed | undefined>;

/** Gathers changes for a moment, so that a burst of them is one render. */
function createGathering(flush: (changes: Changes) => void): (key: string, application: Listed | undefined) => void {
  let changes = new Map<string, Listed | undefined>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (key, application) => {
    changes.set(key, application);
    timer ??= setTimeout(() => {
      const gathered = changes;
      changes = new Map();
      timer = undefined;
      flush(gathered);
    }, GATHER_MS);
  };
}
