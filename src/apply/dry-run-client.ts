/**
 * A client whose writes are all dry runs: the API server checks them, admission included, and stores nothing. The code
 * that applies a plan can run with it unchanged. Invariant: none of its requests changes an object.
 */
import type { ClusterClient } from '../cluster/ports.ts';

export function dryRunClient(client: ClusterClient): ClusterClient {
  return {
    ...client,
    isDryRun: true,
    apply: (request) => client.apply({ ...request, dryRun: true }),
    remove: (request) => client.remove({ ...request, dryRun: true }),
    // Not sent: they change only ownership, which the server does not refuse for its content.
    takeOver: (_kind, live) => Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] }),
    moveGoneVersions: (_kind, live) => Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] }),
    takeFields: (_kind, live) => Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] }),
    release: (_kind, live) => Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] }),
  };
}
