/**
 * The common part of all commands that use a cluster: the choice of kubeconfig and namespace, and the report of
 * failures.
 *
 * Invariant: every failure is a sentence on stderr and an exit code. A stack is printed only for a defect of Tautline.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ClusterSource } from '../cluster/transport/credentials.ts';
import { defaultClusterLimits } from '../cluster/limits.ts';
import { connectAsUser, RefusedError, type UserCluster } from '../cluster/user-cluster.ts';
import { inClusterAddress, kubeconfigFiles } from '../config/environment.ts';
import { VERSION } from '../config/version.ts';
import { StageError } from '../object/stage-error.ts';
import { namespaceProblem } from './application-name.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { printError } from './output.ts';

/** The flags that all of these commands have. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export interface Access {
  readonly cluster: UserCluster;
  /** From the flag, else from the context, else `default`. */
  readonly namespace: string;
}

/** Connects to the cluster and runs a command. `failure` is the exit code for everything that is thrown. */
export async function withCluster(
  flags: ClusterFlags,
  run: (access: Access) => Promise<ExitCode>,
  failure: ExitCode = EXIT.failed,
): Promise<ExitCode> {
  const problem = flags.namespace === undefined ? undefined : namespaceProblem(flags.namespace);
  if (problem !== undefined) return fail(problem, EXIT.misused);
  // The reader of a pipe, such as `head`, has closed it.
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

/** Prints the reason of a failure on stderr and returns the exit code. */
export function fail(message: string, code: ExitCode = EXIT.failed): ExitCode {
  printError(`Error: ${message}\n`);
  return code;
}

/**
 * In the order of kubectl: the flag, KUBECONFIG, the file in the home folder, and then the ServiceAccount of the Pod.
 */
function sourceOf({ kubeconfig, context }: ClusterFlags): ClusterSource {
  const named = { ...(context === undefined ? {} : { context }), allowPlugins: true };
  if (kubeconfig !== undefined) return { type: 'kubeconfig', file: kubeconfig, ...named };
  const files = kubeconfigFiles();
  const [file = files[0], ...more] = files.filter((name) => existsSync(name));
  if (file !== undefined) return { type: 'kubeconfig', file, more, ...named };
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
