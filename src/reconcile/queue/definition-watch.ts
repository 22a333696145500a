/**
 * Wakes the Applications that wait for a definition when the definitions of its API group change.
 *
 * Invariant: nothing is asked while no Application waits, and one look serves all that do.
 */

export interface DefinitionWatch {
  /** Takes note of the API groups that an Application waits for; none: it waits no more. */
  note(key: string, groups: ReadonlySet<string>): void;
  stop(): void;
}

export interface DefinitionWatchOptions {
  /** By group: a text that changes with its definitions. undefined: it is not known now. Never rejects. */
  readonly read: () => Promise<ReadonlyMap<string, string> | undefined>;
  readonly wake: (key: string) => void;
  /** Between two looks. */
  readonly checkMs: number;
}

/**
 * How often an Application is woken for one change, at consecutive looks while it still waits: the API server begins to
 * serve a definition some time after it shows it.
 */
const WAKES = 3;

interface Waiting {
  /** By group: the text that the Application knows. undefined: the next look is its first one. */
  readonly known: ReadonlyMap<string, string | undefined>;
  readonly wakesLeft: number;
}

export function createDefinitionWatch({ read, wake, checkMs }: DefinitionWatchOptions): DefinitionWatch {
  const waiting = new Map<string, Waiting>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let isStopped = false;

  function lookIn(delayMs: number): void {
    clearTimeout(timer);
    timer = undefined;
    if (isStopped || isLooking || waiting.size === 0) return;
    timer = setTimeout(() => void look(), delayMs);
  }

  async function look(): Promise<void> {
    isLooking = true;
    const texts = await read();
    isLooking = false;
    if (texts) {
      for (const [key, before] of waiting) {
        const { isWoken, ...after } = compare(before, texts);
        waiting.set(key, after);
        if (isWoken) wake(key);
      }
    }
    lookIn(checkMs);
  }

  return {
    note(key, groups) {
      if (groups.size === 0) {
        waiting.delete(key);
        return;
      }
      const before = waiting.get(key);
      const known = new Map([...groups].map((group) => [group, before?.known.get(group)] as const));
      waiting.set(key, { known, wakesLeft: before?.wakesLeft ?? 0 });
      // The first text is to be of the moment at which the Application began to wait.
      if ([...known.values()].includes(undefined)) lookIn(0);
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

function compare({ known, wakesLeft }: Waiting, texts: ReadonlyMap<string, string>): Waiting & { isWoken: boolean } {
  const textOf = (group: string): string => texts.get(group) ?? '';
  const isChanged = [...known].some(([group, before]) => before !== undefined && before !== textOf(group));
  const wakes = isChanged ? WAKES : wakesLeft;
  return {
    known: new Map([...known.keys()].map((group) => [group, textOf(group)] as const)),
    wakesLeft: Math.max(0, wakes - 1),
    isWoken: wakes > 0,
  };
}
