/** `tautline sync NAME`: requests a sync of an Application, and waits for the answer to this request. */
import type { ExitCode } from './exit-code.ts';
import { sendRequest, type RequestFields } from './send-request.ts';
import { withCluster, type ClusterFlags } from './with-cluster.ts';

export interface SyncCommand extends ClusterFlags {
  readonly name: string;
  /** A commit of 40 hex digits. */
  readonly revision?: string | undefined;
  readonly prune?: boolean | undefined;
  readonly dryRun: boolean;
  /** `group/Kind/namespace/name`, or `Kind/namespace/name` in the core group; empty: all objects. */
  readonly objects: readonly string[];
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runSync(command: SyncCommand): Promise<ExitCode> {
  const { name, replace, timeoutMs } = command;
  return withCluster(command, (access) =>
    sendRequest(access, { name, replace, timeoutMs, fields: syncFieldsOf(command) }),
  );
}

/** The fields of the request. A flag that is not given is left out, so that the spec decides. */
export function syncFieldsOf({
  revision,
  prune,
  dryRun,
  objects,
}: Pick<SyncCommand, 'revision' | 'prune' | 'dryRun' | 'objects'>): RequestFields {
  return {
    action: 'sync',
    ...(revision === undefined ? {} : { revision }),
    ...(prune === undefined ? {} : { prune }),
    ...(dryRun ? { dryRun } : {}),
    ...(objects.length > 0 ? { objects: objects.map(withGroup) } : {}),
  };
}

/** Requests write the core group as an empty text. On the command line the leading slash may be left out. */
function withGroup(object: string): string {
  return object.split('/').length === 3 ? `/${object}` : object;
}
