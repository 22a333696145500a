/**
 * Work that must be done if this process ends early: programs to kill and folders to remove. It covers the end by a
 * signal that nothing else handles, as at the command line. Only SIGKILL of this process leaves the work undone; a
 * program that tautline-landlock has started is killed by the kernel then.
 */

export interface ExitHooks {
  /** `work` must be synchronous, and must not throw. Returns how to withdraw it. */
  add(work: () => void): () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function createExitHooks(): ExitHooks {
  const works = new Set<() => void>();
  const runAll = (): void => {
    for (const work of works) work();
    works.clear();
  };
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      // With another listener this process goes on, and ends in its own way.
      if (process.listenerCount(name) > 1) return;
      runAll();
      process.removeListener(name, handler);
      process.kill(process.pid, name);
    };
    return { name, handler };
  });
  const listen = (): void => {
    process.on('exit', runAll);
    for (const { name, handler } of handlers) process.on(name, handler);
  };
  const unlisten = (): void => {
    process.removeListener('exit', runAll);
    for (const { name, handler } of handlers) process.removeListener(name, handler);
  };
  return {
    add(work) {
      if (works.size === 0) listen();
      works.add(work);
      return () => {
        if (works.delete(work) && works.size === 0) unlisten();
      };
    },
  };
}
