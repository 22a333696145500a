/**
 * A bound on concurrency with fair turns: the keys that wait are served in turn, so that an Application of 10,000
 * objects does not hold up one of three. A key holds at most half of the permits that the others leave, so that one
 * whose requests take long (behind a slow admission webhook) leaves permits to the next.
 *
 * Invariant: at most `limit` permits are out at once; each is given back once, and giving it back again does nothing.
 */

export interface Gate {
  /** Waits for a permit, and resolves to the function that gives it back. */
  enter(key: string): Promise<() => void>;
  readonly running: number;
  readonly waiting: number;
}

export function createGate(limit: number): Gate {
  /** In the order of turns: a key that was served goes to the end. */
  const queues = new Map<string, (() => void)[]>();
  const held = new Map<string, number>();
  let running = 0;
  let waiting = 0;

  function mayEnter(key: string): boolean {
    const own = held.get(key) ?? 0;
    return running < limit && own < Math.ceil((limit - (running - own)) / 2);
  }

  function take(key: string): () => void {
    running++;
    held.set(key, (held.get(key) ?? 0) + 1);
    let isOut = true;
    return () => {
      if (!isOut) return;
      isOut = false;
      running--;
      const left = (held.get(key) ?? 1) - 1;
      if (left > 0) held.set(key, left);
      else held.delete(key);
      admitNext();
    };
  }

  /** A permit that comes back raises the share of every key, so that several may enter. */
  function admitNext(): void {
    for (let key = nextKey(); key !== undefined; key = nextKey()) {
      const queue = queues.get(key) ?? [];
      queues.delete(key);
      const admit = queue.shift();
      if (queue.length > 0) queues.set(key, queue);
      waiting--;
      admit?.();
    }
  }

  /** The keys that it passes over hold permits, so there are few of them. */
  function nextKey(): string | undefined {
    if (running >= limit) return undefined;
    for (const key of queues.keys()) if (mayEnter(key)) return key;
    return undefined;
  }

  return {
    enter(key) {
      const queue = queues.get(key);
      if (!queue && mayEnter(key)) return Promise.resolve(take(key));
      waiting++;
      return new Promise((admitted) => {
        const admit = (): void => admitted(take(key));
        if (queue) queue.push(admit);
        else queues.set(key, [admit]);
      });
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting;
    },
  };
}
