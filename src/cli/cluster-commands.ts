/**
 * The commands that speak to a cluster, as the command line knows them. Invariant: nothing but their flags is loaded
 * until one of them is called.
 */
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '../application/duration.ts';
import type { ExitCode } from './exit-code.ts';
import type { GetOutput } from './get.ts';
import type { DiffOutput } from './diff.ts';
import type { WaitFor } from './wait.ts';
import type { ClusterFlags } from './with-cluster.ts';

export function addClusterCommands(program: Command): void {
  addGet(program);
  addRefresh(program);
  addSync(program);
  addWait(program);
  addDiff(program);
}

function addGet(program: Command): void {
  withClusterFlags(program.command('get').description('show Applications'))
    .argument('[name]', 'one Application; all of the namespace if there is none')
    .option('-A, --all-namespaces', 'those of all namespaces', false)
    .addOption(
      new Option('-o, --output <format>', 'form of the output')
        .choices(['table', 'wide', 'json', 'yaml', 'name'])
        .default('table'),
    )
    .action(async (name: string | undefined, options: ClusterFlags & { allNamespaces: boolean; output: GetOutput }) =>
      end(await (await import('./get.ts')).runGet({ ...options, name })),
    );
}

interface Asking extends ClusterFlags {
  readonly replace: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function addRefresh(program: Command): void {
  withAskingFlags(program.command('refresh').description('ask Git and compare now'), '5m')
    .addArgument(applicationName())
    .action(async (name: string, { wait, timeout, ...options }: Asking) =>
      end(await (await import('./refresh.ts')).runRefresh({ ...options, name, timeoutMs: wait ? timeout : undefined })),
    );
}

interface SyncFlags extends Asking {
  readonly revision?: string;
  readonly prune?: boolean;
  readonly dryRun: boolean;
  readonly object: readonly string[];
}

function addSync(program: Command): void {
  withAskingFlags(program.command('sync').description('apply now what Git says, also in mode manual'), '10m')
    .addArgument(applicationName())
    .option('--revision <commit>', 'apply this commit (40 hex digits), this once')
    .option('--prune', 'delete what left Git, whatever spec.sync.prune says')
    .option('--no-prune', 'delete nothing, whatever spec.sync.prune says')
    .option('--dry-run', 'write nothing; tell what would be written', false)
    .addOption(
      new Option(
        '--object <id>',
        'only this object, as group/Kind/namespace/name (Kind/namespace/name in the core group); may be repeated',
      )
        .argParser((id: string, before: readonly string[]) => [...before, id])
        .default([], 'all'),
    )
    .action(async (name: string, { wait, timeout, object, ...options }: SyncFlags) => {
      const { runSync } = await import('./sync.ts');
      end(await runSync({ ...options, name, objects: object, timeoutMs: wait ? timeout : undefined }));
    });
}

function addWait(program: Command): void {
  withClusterFlags(program.command('wait').description('wait until Applications are ready, synced or healthy'))
    .addArgument(new Argument('<name...>', 'the Applications'))
    .addOption(new Option('--for <state>', 'what to wait for').choices(['ready', 'synced', 'healthy']).default('ready'))
    .addOption(timeoutOption('5m'))
    .action(async (names: string[], { timeout, ...options }: ClusterFlags & { for: WaitFor; timeout: number }) =>
      end(await (await import('./wait.ts')).runWait({ ...options, names, timeoutMs: timeout })),
    );
}

interface DiffFlags extends ClusterFlags {
  readonly local?: string;
  readonly output: DiffOutput;
}

function addDiff(program: Command): void {
  withClusterFlags(program.command('diff').description('show where the cluster differs from what an Application says'))
    .addArgument(applicationName())
    .option('--local <dir>', 'compare with this folder instead of the revision that the Application is at')
    .addOption(
      new Option(
        '-o, --output <format>',
        'form of the output; patch: a JSON patch (RFC 6902) of each object, a line each',
      )
        .choices(['text', 'json', 'patch', 'name'])
        .default('text'),
    )
    .action(async (name: string, options: DiffFlags) =>
      end(await (await import('./diff.ts')).runDiff({ ...options, name })),
    );
}

function applicationName(): Argument {
  return new Argument('<name>', 'the Application');
}

function withClusterFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig to use (default: KUBECONFIG, or ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', "namespace of the Application (default: the context's)");
}

function withAskingFlags(command: Command, timeout: string): Command {
  return withClusterFlags(command)
    .option('--no-wait', 'do not wait for the answer')
    .addOption(timeoutOption(timeout))
    .option('--replace', 'take the place of a request that is not answered yet', false);
}

function timeoutOption(text: string): Option {
  return new Option('--timeout <duration>', 'how long to wait')
    .argParser(readDuration)
    .default(readDuration(text), text);
}

/** Milliseconds. */
function readDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1) throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
  return ms;
}

function end(code: ExitCode): void {
  process.exitCode = code;
}
