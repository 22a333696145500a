/**
 * The list of Applications in the page. It is read page by page, and then kept up to date by changes. A burst of
 * changes is shown together.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { keyOfApplication } from '../logic/list-rows.ts';
import type { Refusal } from '../logic/request-words.ts';
import type { Listed } from '../logic/words.ts';
import { getJson, refusalIn } from './http.ts';

export interface ApplicationList {
  /** By `namespace/name`; undefined until the list has been read. */
  readonly applications: ReadonlySignal<ReadonlyMap<string, Listed> | undefined>;
  /** Why the list cannot be read. */
  readonly refusal: ReadonlySignal<Refusal | undefined>;
  /** Namespaces that the list does not cover, since too many had to be reviewed. */
  readonly unreviewed: ReadonlySignal<number>;
  /** Reads the whole list. A later call makes an earlier one end without effect. */
  readonly read: () => Promise<void>;
  /** Takes over a change; undefined: the Application is gone. */
  readonly change: (key: string, application: Listed | undefined) => void;
  readonly forget: () => void;
}

interface ListAnswer {
  readonly applications: readonly Listed[];
  readonly continue?: string;
  readonly unreviewedNamespaces?: number;
}

const PAGE_SIZE = 500;
/** Changes within this time are shown together. */
const GATHER_MS = 80;

/** `onChange` gets the keys of Applications that may have changed; undefined: any of them. */
export function createApplicationList(onChange: (keys: Iterable<string> | undefined) => void): ApplicationList {
  const applications = signal<ReadonlyMap<string, Listed> | undefined>(undefined);
  const refusal = signal<Refusal | undefined>(undefined);
  const unreviewed = signal(0);
  let round = 0;

  const readPages = async (isLatest: () => boolean): Promise<void> => {
    const found = new Map<string, Listed>();
    let token: string | undefined;
    do {
      const more = token === undefined ? '' : `&continue=${token}`;
      const page: ListAnswer = await getJson(`/applications?sort=severity&limit=${PAGE_SIZE}${more}`);
      if (!isLatest()) return;
      for (const application of page.applications) found.set(keyOfApplication(application), application);
      // The first page has the problems: it is shown while the rest is read.
      if (applications.value === undefined) applications.value = new Map(found);
      unreviewed.value = page.unreviewedNamespaces ?? 0;
      token = page.continue;
    } while (token !== undefined);
    applications.value = found;
    refusal.value = undefined;
    onChange(undefined);
  };
  const change = gathering((changes) => {
    const next = new Map(applications.value);
    for (const [key, application] of changes) {
      if (application) next.set(key, application);
      else next.delete(key);
    }
    applications.value = next;
    onChange(changes.keys());
  });
  return {
    applications,
    refusal,
    unreviewed,
    change,
    async read() {
      const own = ++round;
      try {
        await readPages(() => own === round);
      } catch (error) {
        if (own !== round) return;
        refusal.value = refusalIn(error);
        if (refusal.value.status === 401) applications.value = undefined;
      }
    },
    forget() {
      round++;
      applications.value = undefined;
      refusal.value = undefined;
    },
  };
}

type Changes = ReadonlyMap<string, Listed | undefined>;

/** Gathers changes for a moment, so that a burst of them is one render. */
function gathering(flush: (changes: Changes) => void): ApplicationList['change'] {
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
