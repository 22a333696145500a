/** `tautline refresh NAME`: requests a poll of Git and a comparison now, and waits for the answer. */
import type { ExitCode } from './exit-code.ts';
import { sendRequest } from './send-request.ts';
import { withCluster, type ClusterFlags } from './with-cluster.ts';

export interface RefreshCommand extends ClusterFlags {
  readonly name: string;
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runRefresh({ name, replace, timeoutMs, ...flags }: RefreshCommand): Promise<ExitCode> {
  return withCluster(flags, (access) =>
    sendRequest(access, { name, replace, timeoutMs, fields: { action: 'refresh' } }),
  );
}
