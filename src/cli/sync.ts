/** `tautline sync NAME`: has the agent apply what Git says, and waits for the answer to this very request. */
import { ask, type Wish } from './ask.ts';
import type { ExitCode } from './exit-code.ts';
import { withCluster, type ClusterFlags } from './with-cluster.ts';

export interface SyncCommand extends ClusterFlags {
  readonly name: string;
  /** A commit of 40 hex digits. */
  readonly revision?: string | undefined;
  readonly prune?: boolean | undefined;
  readonly dryRun: boolean;
  /** `group/Kind/namespace/name`, or `Kind/namespace/name` of the core group; empty: all. */
  readonly objects: readonly string[];
  readonly replace: boolean;
  /** undefined: do not wait. */
  readonly timeoutMs: number | undefined;
}

export function runSync(command: SyncCommand): Promise<ExitCode> {
  const { name, replace, timeoutMs } = command;
  return withCluster(command, (access) => ask(access, { name, replace, timeoutMs, wish: wishOf(command) }));
}

export function wishOf({
  revision,
  prune,
  dryRun,
  objects,
}: Pick<SyncCommand, 'revision' | 'prune' | 'dryRun' | 'objects'>): Wish {
  return {
    action: 'sync',
    ...(revision === undefined ? {} : { revision }),
    ...(prune === undefined ? {} : { prune }),
    ...(dryRun ? { dryRun } : {}),
    ...(objects.length > 0 ? { objects: objects.map(withGroup) } : {}),
  };
}

/** The core group has no name, and nobody wants to begin with a slash. */
function withGroup(object: string): string {
  return object.split('/').length === 3 ? `/${object}` : object;
}
