/**
 * Declares the commands that use a cluster, with their flags and help. Invariant: the code of a command is loaded only
 * when the command is called.
 */
import { Option, type Command } from 'commander';
import {
  allOption,
  applicationName,
  applicationNames,
  end,
  examples,
  timeoutOption,
  withClusterFlags,
  withRequestFlags,
} from './command-flags.ts';
import type { GetOutput } from './get.ts';
import { collect, HELM_FLAG, SOPS_FLAG } from './add-render-flags.ts';
import type { DiffOutput } from './diff.ts';
import { addInspectCommands } from './inspect-commands.ts';
import type { WaitFor } from './wait.ts';
import type { ClusterFlags } from './with-cluster.ts';

export function addClusterCommands(program: Command): void {
  addGet(program);
  addRefresh(program);
  addSync(program);
  addRollback(program);
  addRelease(program);
  addConfirm(program);
  addTakeOver(program);
  addWait(program);
  addDiff(program);
  addInspectCommands(program);
}

interface GetFlags extends ClusterFlags {
  readonly allNamespaces: boolean;
  readonly selector: string;
  readonly headers: boolean;
  readonly output: GetOutput;
  readonly watch: boolean;
}

function addGet(program: Command): void {
  withClusterFlags(program.command('get').description('show Applications'))
    .argument('[name...]', 'the Applications to show; without a name, all Applications of the namespace')
    .option('-A, --all-namespaces', 'show the Applications of all namespaces', false)
    .option('-l, --selector <labels>', 'show only Applications with these labels, such as team=shop,tier!=test', '')
    .addOption(
      new Option('-o, --output <format>', 'output format')
        .choices(['table', 'wide', 'json', 'yaml', 'name'])
        .default('table'),
    )
    .option('--no-headers', 'print tables without the names of their columns')
    .option('-w, --watch', 'print Applications again as they change, until the command is interrupted', false)
    .addHelpText('after', examples('get', 'get -A -o wide', 'get -l team=shop --watch', 'get shop web -o yaml'))
    .action(async (names: string[], { headers, ...options }: GetFlags) =>
      end(await (await import('./get.ts')).runGet({ ...options, names, hasHeaders: headers })),
    );
}

interface RequestFlags extends ClusterFlags {
  readonly all: boolean;
  readonly replace: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function addRefresh(program: Command): void {
  withRequestFlags(program.command('refresh').description('poll Git and compare with the cluster now'), '5m')
    .addArgument(applicationNames())
    .addOption(allOption())
    .addHelpText('after', examples('refresh shop', 'get -o name | xargs tautline refresh'))
    .action(async (names: string[], { wait, timeout, ...options }: RequestFlags) => {
      const { runRefresh } = await import('./refresh.ts');
      end(await runRefresh({ ...options, names, timeoutMs: wait ? timeout : undefined }));
    });
}

interface SyncFlags extends RequestFlags {
  readonly revision?: string;
  readonly prune?: boolean;
  readonly dryRun: boolean;
  readonly object: readonly string[];
}

function addSync(program: Command): void {
  withRequestFlags(program.command('sync').description('apply the state of Git now, also in mode manual'), '10m')
    .addArgument(applicationNames())
    .addOption(allOption())
    .option('--revision <revision>', 'commit (its first digits are enough), branch or tag to apply in this sync')
    .option('--prune', 'delete objects that left Git, even if spec.sync.prune is false')
    .option('--no-prune', 'delete nothing, even if spec.sync.prune is true')
    .option('--dry-run', 'write nothing and show what would be written', false)
    .addOption(
      new Option('--object <id>', 'sync only this object: Kind/name, or group/Kind/namespace/name; repeatable')
        .argParser((id: string, before: readonly string[]) => [...before, id])
        .default([], 'all'),
    )
    .addHelpText(
      'after',
      examples(
        'sync shop',
        'sync shop --dry-run',
        'sync shop --revision 6dcb09b5b578',
        'sync shop --object deployment/web',
      ),
    )
    .action(async (names: string[], { wait, timeout, object, ...options }: SyncFlags) => {
      const { runSync } = await import('./sync.ts');
      end(await runSync({ ...options, names, objects: object, timeoutMs: wait ? timeout : undefined }));
    });
}

interface RollbackFlags extends RequestFlags {
  readonly to?: string;
  readonly prune?: boolean;
  readonly reason?: string;
}

function addRollback(program: Command): void {
  const command = program.command('rollback');
  withRequestFlags(command.description('go back to an earlier revision and hold it in force'), '10m')
    .addArgument(applicationName())
    .option('--to <revision>', 'commit (its first digits are enough), branch or tag (default: the last synced before)')
    .option('--prune', 'delete objects that the revision does not have, even if spec.sync.prune is false')
    .option('--no-prune', 'delete nothing while the revision is held')
    .option('--reason <text>', 'reason, which the status repeats')
    .addHelpText('after', examples('rollback shop', 'rollback shop --to 6dcb09b5b578 --reason "checkout fails"'))
    .action(async (name: string, { wait, timeout, ...options }: RollbackFlags) => {
      const { runRollback } = await import('./rollback.ts');
      end(await runRollback({ ...options, name, timeoutMs: wait ? timeout : undefined }));
    });
}

function addRelease(program: Command): void {
  const command = program.command('release');
  withRequestFlags(command.description('end a rollback: follow spec.source.revision again'), '10m')
    .addArgument(applicationNames())
    .addOption(allOption())
    .addHelpText('after', examples('release shop'))
    .action(async (names: string[], { wait, timeout, ...options }: RequestFlags) => {
      const { runRelease } = await import('./rollback.ts');
      end(await runRelease({ ...options, names, timeoutMs: wait ? timeout : undefined }));
    });
}

function addConfirm(program: Command): void {
  const command = program.command('confirm').alias('confirm-prune');
  withRequestFlags(command.description('show a held prune, ask, and delete its objects'), '10m')
    .addArgument(applicationName())
    .option('-y, --yes', 'confirm without a question', false)
    .addHelpText('after', examples('confirm shop', 'confirm shop --yes'))
    .action(async (name: string, { wait, timeout, ...options }: RequestFlags & { yes: boolean }) => {
      const { runConfirm } = await import('./confirm.ts');
      end(await runConfirm({ ...options, name, timeoutMs: wait ? timeout : undefined }));
    });
}

function addTakeOver(program: Command): void {
  const command = program.command('take-over');
  withRequestFlags(command.description('adopt objects of an Application that does not exist any more'), '10m')
    .addArgument(applicationNames())
    .addOption(allOption())
    .addHelpText('after', examples('take-over shop'))
    .action(async (names: string[], { wait, timeout, ...options }: RequestFlags) => {
      const { runTakeOver } = await import('./refresh.ts');
      end(await runTakeOver({ ...options, names, timeoutMs: wait ? timeout : undefined }));
    });
}

function addWait(program: Command): void {
  withClusterFlags(program.command('wait').description('wait until Applications are ready, synced or healthy'))
    .addArgument(applicationNames())
    .addOption(allOption())
    .addOption(
      new Option('--for <state>', 'state to wait for').choices(['ready', 'synced', 'healthy']).default('ready'),
    )
    .addOption(timeoutOption('5m'))
    .addHelpText('after', examples('wait shop --for healthy --timeout 10m', 'get -o name | xargs tautline wait'))
    .action(
      async (
        names: string[],
        { timeout, ...options }: ClusterFlags & { all: boolean; for: WaitFor; timeout: number },
      ) => end(await (await import('./wait.ts')).runWait({ ...options, names, timeoutMs: timeout })),
    );
}

interface DiffFlags extends ClusterFlags {
  readonly local?: string;
  readonly helm: string;
  readonly sops?: string;
  readonly filename?: string;
  readonly revision?: string;
  readonly output: DiffOutput;
}

function addDiff(program: Command): void {
  withClusterFlags(program.command('diff').description('show the differences between an Application and the cluster'))
    .argument('[name]', 'the Application; not needed with --filename')
    .option('--local <dir>', 'compare with this folder instead of the current revision of the Application')
    .option('--source <name=dir>', 'with --local: a folder in place of an entry of spec.sources', collect)
    .option('--helm <program>', HELM_FLAG, 'helm')
    .option('--sops <program>', SOPS_FLAG)
    .option('--revision <revision>', 'compare with this commit (its first digits are enough), branch or tag')
    .option('-f, --filename <file>', 'read the Application from this file; it need not be in the cluster')
    .addOption(
      new Option(
        '-o, --output <format>',
        'output format; patch is a JSON patch (RFC 6902) of each object, one per line',
      )
        .choices(['text', 'json', 'patch', 'name'])
        .default('text'),
    )
    .addHelpText(
      'after',
      examples(
        'diff shop',
        'diff shop --revision feature',
        'diff shop --local deploy/prod',
        'diff -f application.yaml',
      ),
    )
    .action(async (name: string | undefined, options: DiffFlags) =>
      end(await (await import('./diff.ts')).runDiff({ ...options, name })),
    );
}
