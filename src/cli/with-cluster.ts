/**
 * What every command that speaks to a cluster shares: which kubeconfig, which namespace, and how a failure is told.
 *
 * Invariant: whatever happens, a person reads sentences and a script reads an exit code; a stack is printed for a
 * defect of ours alone.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClusterSource } from '../cluster/transport/credentials.ts';
import { defaultClusterLimits } from '../cluster/limits.ts';
import { connectAsUser, RefusedError, type UserCluster } from '../cluster/user-cluster.ts';
import { inClusterAddress, kubeconfigFiles, VERSION } from '../config.ts';
import { StageError } from '../object/stage-error.ts';
import { EXIT, type ExitCode } from './exit-code.ts';

/** The flags that all of them take. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export interface Access {
  readonly cluster: UserCluster;
  /** The one asked for, else the context's, else `default`. */
  readonly namespace: string;
}

/** Runs a command; `failure` is its exit code for whatever it throws. */
export async function withCluster(
  flags: ClusterFlags,
  run: (access: Access) => Promise<ExitCode>,
  failure: ExitCode = EXIT.failed,
): Promise<ExitCode> {
  // The reader of a pipe has had enough.
  process.stdout.once('error', () => process.exit(EXIT.failed));
  let cluster: UserCluster | undefined;
  try {
    cluster = await connectAsUser({
      source: sourceOf(flags),
      limits: defaultClusterLimits,
      clock: { now: () => Date.now(), monotonicMs: () => performance.now() },
      userAgent: `tautline-cli/${VERSION}`,
    });
    return await run({ cluster, namespace: flags.namespace ?? cluster.namespace ?? 'default' });
  } catch (error) {
    return fail(describe(error), failure);
  } finally {
    await cluster?.close();
  }
}

/** Says why a command ends, on stderr. */
export function fail(message: string, code: ExitCode = EXIT.failed): ExitCode {
  process.stderr.write(`Error: ${message}\n`);
  return code;
}

/** As kubectl looks: the flag, the variable, the file at home; then the ServiceAccount of a Pod. */
function sourceOf({ kubeconfig, context }: ClusterFlags): ClusterSource {
  const named = { ...(context === undefined ? {} : { context }), allowPlugins: true };
  if (kubeconfig !== undefined) return { type: 'kubeconfig', file: kubeconfig, ...named };
  const files = kubeconfigFiles();
  const existing = files.filter((file) => existsSync(file));
  if (existing.length > 1) {
    throw invalid('KUBECONFIG names several files, which are not merged here: name one of them with --kubeconfig');
  }
  const [file = files[0]] = existing;
  if (file !== undefined) return { type: 'kubeconfig', file, ...named };
  const atHome = join(homedir(), '.kube', 'config');
  if (existsSync(atHome)) return { type: 'kubeconfig', file: atHome, ...named };
  const { host, port } = inClusterAddress();
  if (host !== '') return { type: 'inCluster', host, port };
  throw invalid(`there is no kubeconfig at ${atHome}: name one with --kubeconfig or the variable KUBECONFIG`);
}

function invalid(message: string): StageError {
  return new StageError({ stage: 'observe', code: 'ClusterConfigInvalid', retry: 'never', message });
}

function describe(error: unknown): string {
  if (error instanceof StageError || error instanceof RefusedError) return error.message;
  return `unexpected failure, please report it: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}`;
}
