/**
 * Declares the commands that show one Application closely, and those that suspend and resume. Invariant: the code of a
 * command is loaded only when the command is called.
 */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { HELM_FLAG, SOPS_FLAG } from './add-render-flags.ts';
import {
  allOption,
  applicationName,
  applicationNames,
  end,
  examples,
  timeoutOption,
  withClusterFlags,
} from './command-flags.ts';
import type { HistoryOutput } from './history.ts';
import type { ClusterFlags } from './with-cluster.ts';

export function addInspectCommands(program: Command): void {
  addWhy(program);
  addTree(program);
  addHistory(program);
  addEvents(program);
  addLogs(program);
  addTrace(program);
  addExport(program);
  addPage(program);
  addSuspend(program, true);
  addSuspend(program, false);
}

function addWhy(program: Command): void {
  const command = program.command('why').description('explain on one screen why an Application is not well');
  withClusterFlags(command)
    .addArgument(applicationName())
    .addHelpText('after', examples('why shop'))
    .action(async (name: string, options: ClusterFlags) =>
      end(await (await import('./why.ts')).runWhy({ ...options, name })),
    );
}

function addPage(program: Command): void {
  const command = program.command('page').description('serve the page in a browser, with your own rights');
  withClusterFlags(command)
    .addOption(new Option('--port <port>', 'port on 127.0.0.1; 0: any free port').argParser(readPort).default(0))
    .option('--open', 'open the page in your browser', false)
    .addHelpText('after', examples('page --open', 'page -n shop --port 8080'))
    .action(async (options: ClusterFlags & { port: number; open: boolean }) =>
      end(await (await import('./page.ts')).runPage(options)),
    );
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw new InvalidArgumentError('It must be a port from 0 to 65535.');
  return port;
}

interface TableFlags<Output extends string = 'table' | 'json' | 'yaml'> extends ClusterFlags {
  readonly output: Output;
  readonly headers: boolean;
}

function addTree(program: Command): void {
  const command = program.command('tree').description('show the objects of an Application and what they own');
  withTableFlags(command, ['table', 'json', 'yaml'])
    .addArgument(applicationName())
    .addHelpText('after', examples('tree shop', 'tree shop -o json'))
    .action(async (name: string, { headers, ...options }: TableFlags) =>
      end(await (await import('./tree.ts')).runTree({ ...options, name, hasHeaders: headers })),
    );
}

function addHistory(program: Command): void {
  const command = program.command('history').description('show the last syncs of an Application, the newest first');
  withTableFlags(command, ['table', 'wide', 'json', 'yaml'])
    .addArgument(applicationName())
    .addHelpText('after', examples('history shop', 'history shop -o wide'))
    .action(async (name: string, { headers, ...options }: TableFlags<HistoryOutput>) =>
      end(await (await import('./history.ts')).runHistory({ ...options, name, hasHeaders: headers })),
    );
}

function addEvents(program: Command): void {
  const command = program.command('events').description('show the Events of an Application and its objects');
  withTableFlags(command, ['table', 'json', 'yaml'])
    .addArgument(applicationName())
    .addOption(new Option('--limit <count>', 'number of Events to show').argParser(readCount).default(50))
    .addHelpText('after', examples('events shop', 'events shop --limit 200'))
    .action(async (name: string, { headers, ...options }: TableFlags & { limit: number }) =>
      end(await (await import('./events.ts')).runEvents({ ...options, name, hasHeaders: headers })),
    );
}

interface LogFlags extends ClusterFlags {
  readonly pod?: string;
  readonly container?: string;
  readonly previous: boolean;
  readonly lines: number;
}

function addLogs(program: Command): void {
  const command = program.command('logs').description('show the last lines of the logs of the Pods of an Application');
  withClusterFlags(command)
    .addArgument(applicationName())
    .option('--pod <name>', 'only this Pod')
    .option('-c, --container <name>', 'only this container of each Pod')
    .option('-p, --previous', 'the log before the last restart', false)
    .addOption(new Option('--lines <count>', 'last lines of each log').argParser(readCount).default(20))
    .addHelpText('after', examples('logs shop', 'logs shop --pod web-5d4f8c7b9-x2x7p --previous --lines 200'))
    .action(async (name: string, options: LogFlags) =>
      end(await (await import('./logs.ts')).runLogs({ ...options, name })),
    );
}

interface ExportFlags extends ClusterFlags {
  readonly all: boolean;
  readonly allNamespaces: boolean;
}

function addExport(program: Command): void {
  const command = program.command('export').description('print Applications as files for Git, without their status');
  withClusterFlags(command)
    .addArgument(applicationNames())
    .addOption(allOption())
    .option('-A, --all-namespaces', 'all Applications of all namespaces, in place of names', false)
    .addHelpText('after', examples('export shop', 'export --all > applications.yaml'))
    .action(async (names: string[], options: ExportFlags) =>
      end(await (await import('./export.ts')).runExport({ ...options, names })),
    );
}

interface TraceFlags extends ClusterFlags {
  readonly render: boolean;
  readonly helm: string;
  readonly sops?: string;
  readonly output: 'text' | 'json' | 'yaml';
}

function addTrace(program: Command): void {
  const command = program.command('trace').description('go from an object to its Application, commit and file');
  withClusterFlags(command)
    .argument('<object>', 'the object, as KIND/NAME')
    .option('--render', 'fetch and render the revision, to name the file and the line', false)
    .option('--helm <program>', HELM_FLAG, 'helm')
    .option('--sops <program>', SOPS_FLAG)
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json', 'yaml']).default('text'))
    .addHelpText('after', examples('trace deployment/web', 'trace pod/web-5d4f8c7b9-x2x7p -n shop', 'trace svc/web'))
    .action(async (object: string, options: TraceFlags) =>
      end(await (await import('./trace.ts')).runTrace({ ...options, object })),
    );
}

interface SuspendFlags extends ClusterFlags {
  readonly all: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function addSuspend(program: Command, isSuspended: boolean): void {
  const name = isSuspended ? 'suspend' : 'resume';
  const purpose = isSuspended ? 'pause Applications: nothing is fetched, compared or written' : 'end a pause';
  withClusterFlags(program.command(name).description(purpose))
    .addArgument(applicationNames())
    .addOption(allOption())
    .option('--no-wait', 'do not wait until the agent has taken it up')
    .addOption(timeoutOption('1m'))
    .addHelpText('after', examples(`${name} shop`, `get -l team=shop -o name | xargs tautline ${name}`))
    .action(async (names: string[], { wait, timeout, ...options }: SuspendFlags) => {
      const { runSuspend } = await import('./suspend.ts');
      end(await runSuspend({ ...options, names, isSuspended, timeoutMs: wait ? timeout : undefined }));
    });
}

function withTableFlags(command: Command, outputs: readonly string[]): Command {
  return withClusterFlags(command)
    .addOption(new Option('-o, --output <format>', 'output format').choices(outputs).default('table'))
    .option('--no-headers', 'print tables without the names of their columns');
}

function readCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
  return count;
}
