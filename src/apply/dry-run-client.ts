/**
 * A client of which every write is only tried: the server checks it, admission included, and forgets it. Invariant: no
 * request of it changes anything, so that a plan can be walked with it by the very code that applies it.
 */
import type { ClusterClient } from '../cluster/ports.ts';

export function dryRunClient(client: ClusterClient): ClusterClient {
  return {
    ...client,
    apply: (request) => client.apply({ ...request, dryRun: true }),
    remove: (request) => client.remove({ ...request, dryRun: true }),
    // Both touch the marks of ownership alone: there is nothing in them that a server could refuse for its content.
    takeOver: (_kind, live) => Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] }),
    release: (_kind, live) => Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] }),
  };
}
