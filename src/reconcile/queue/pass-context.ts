/** The context of one pass: it gives the worker of the pass back while the pass waits for something slow. */
import type { ReconcileContext } from '../context.ts';
import type { Worker } from './keyed-queue.ts';

/** The part of the context that is the same for all passes. */
export type SharedContext = Omit<ReconcileContext, 'sourceWhileApplying'>;

/**
 * A pass holds no worker while it waits for a Git server, a render or the checks of people, which may take minutes. A
 * pass that polls while it applies keeps its worker: it sends requests meanwhile.
 */
export function contextOfPass(context: SharedContext, worker: Worker): ReconcileContext {
  const { source, render, helm, healthChecks } = context;
  return {
    ...context,
    source: {
      ...source,
      poll: (request) => worker.whileWaiting(() => source.poll(request)),
      fetch: (request) => worker.whileWaiting(() => source.fetch(request)),
    },
    sourceWhileApplying: source,
    render: {
      render: (request) => worker.whileWaiting(() => render.render(request)),
      chartFiles: (request) => worker.whileWaiting(() => render.chartFiles(request)),
      locateFields: (request) => worker.whileWaiting(() => render.locateFields(request)),
    },
    healthChecks: {
      ...healthChecks,
      read: (...call) => worker.whileWaiting(() => healthChecks.read(...call)),
      evaluate: (...call) => worker.whileWaiting(() => healthChecks.evaluate(...call)),
    },
    helm: { ...helm, template: (call) => worker.whileWaiting(() => helm.template(call)) },
  };
}
