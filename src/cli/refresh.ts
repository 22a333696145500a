/** `tautline refresh NAME`: has the agent ask Git and compare now, and waits until it has. */
import { ask } from './ask.ts';
import type { ExitCode } from './exit-code.ts';
import { withCluster, type ClusterFlags } from './with-cluster.ts';

export interface RefreshCommand extends ClusterFlags {
  readonly name: string;
  readonly replace: boolean;
  /** undefined: do not wait. */
  readonly timeoutMs: number | undefined;
}

export function runRefresh({ name, replace, timeoutMs, ...flags }: RefreshCommand): Promise<ExitCode> {
  return withCluster(flags, (access) => ask(access, { name, replace, timeoutMs, wish: { action: 'refresh' } }));
}
