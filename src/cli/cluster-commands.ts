/**
 * Declares the commands that use a cluster, with their flags and help. Invariant: the code of a command is loaded only
 * when the command is called.
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
    .argument('[name]', 'the Application to show; without it, all Applications of the namespace')
    .option('-A, --all-namespaces', 'show the Applications of all namespaces', false)
    .addOption(
      new Option('-o, --output <format>', 'output format')
        .choices(['table', 'wide', 'json', 'yaml', 'name'])
        .default('table'),
    )
    .action(async (name: string | undefined, options: ClusterFlags & { allNamespaces: boolean; output: GetOutput }) =>
      end(await (await import('./get.ts')).runGet({ ...options, name })),
    );
}

interface RequestFlags extends ClusterFlags {
  readonly replace: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function addRefresh(program: Command): void {
  withRequestFlags(program.command('refresh').description('poll Git and compare with the cluster now'), '5m')
    .addArgument(applicationName())
    .action(async (name: string, { wait, timeout, ...options }: RequestFlags) =>
      end(await (await import('./refresh.ts')).runRefresh({ ...options, name, timeoutMs: wait ? timeout : undefined })),
    );
}

interface SyncFlags extends RequestFlags {
  readonly revision?: string;
  readonly prune?: boolean;
  readonly dryRun: boolean;
  readonly object: readonly string[];
}

function addSync(program: Command): void {
  withRequestFlags(program.command('sync').description('apply the state of Git now, also in mode manual'), '10m')
    .addArgument(applicationName())
    .option('--revision <commit>', 'commit to apply in this sync (40 hex digits)')
    .option('--prune', 'delete objects that left Git, even if spec.sync.prune is false')
    .option('--no-prune', 'delete nothing, even if spec.sync.prune is true')
    .option('--dry-run', 'write nothing and show what would be written', false)
    .addOption(
      new Option(
        '--object <id>',
        'sync only this object: group/Kind/namespace/name, or Kind/namespace/name in the core group; repeatable',
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
    .addArgument(new Argument('<name...>', 'the Applications to wait for'))
    .addOption(
      new Option('--for <state>', 'state to wait for').choices(['ready', 'synced', 'healthy']).default('ready'),
    )
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
  withClusterFlags(program.command('diff').description('show the differences between an Application and the cluster'))
    .addArgument(applicationName())
    .option('--local <dir>', 'compare with this folder instead of the current revision of the Application')
    .addOption(
      new Option(
        '-o, --output <format>',
        'output format; patch is a JSON patch (RFC 6902) of each object, one per line',
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
    .option('--kubeconfig <file>', 'kubeconfig file (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig (default: its current context)')
    .option('-n, --namespace <name>', "namespace of the Application (default: the context's)");
}

function withRequestFlags(command: Command, timeout: string): Command {
  return withClusterFlags(command)
    .option('--no-wait', 'do not wait for the answer of the agent')
    .addOption(timeoutOption(timeout))
    .option('--replace', 'replace a request that is not answered yet', false);
}

function timeoutOption(text: string): Option {
  return new Option('--timeout <duration>', 'longest time to wait')
    .argParser(readDuration)
    .default(readDuration(text), text);
}

/** Returns milliseconds. */
function readDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1) throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
  return ms;
}

function end(code: ExitCode): void {
  process.exitCode = code;
}
