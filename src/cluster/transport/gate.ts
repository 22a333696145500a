/**
 * A bound on concurrency with fair turns: the keys that wait are served in turn, so that an Application of 10,000
 * objects does not hold up one of three.
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
  let running = 0;
  let waiting = 0;

  function permit(): () => void {
    let isOut = true;
    return () => {
      if (!isOut) return;
      isOut = false;
      running--;
      admitNext();
    };
  }

  function admitNext(): void {
    const first = queues.entries().next();
    if (first.done || running >= limit) return;
    const [key, queue] = first.value;
    queues.delete(key);
    const admit = queue.shift();
    if (queue.length > 0) queues.set(key, queue);
    waiting--;
    running++;
    admit?.();
  }

  return {
    enter(key) {
      if (running < limit) {
        running++;
        return Promise.resolve(permit());
      }
      waiting++;
      return new Promise((admitted) => {
        const queue = queues.get(key);
        const admit = (): void => admitted(permit());
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
