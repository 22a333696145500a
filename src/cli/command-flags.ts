/** The arguments and flags that several commands which use a cluster have in common. */
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '../application/duration.ts';
import type { ExitCode } from './exit-code.ts';

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  tautline ${line}\n`).join('')}`;
}

export function applicationName(): Argument {
  return new Argument('<name>', 'the Application');
}

export function applicationNames(): Argument {
  return new Argument('[name...]', 'the Applications, as NAME or application/NAME');
}

export function allOption(): Option {
  return new Option('--all', 'all Applications of the namespace, in place of names').default(false);
}

export function withClusterFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig file (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig (default: its current context)')
    .option('-n, --namespace <name>', "namespace of the Application (default: the context's)");
}

export function withRequestFlags(command: Command, timeout: string): Command {
  return withClusterFlags(command)
    .option('--no-wait', 'do not wait for the answer of the agent')
    .addOption(timeoutOption(timeout))
    .option('--replace', 'replace a request that is not answered yet', false);
}

export function timeoutOption(text: string): Option {
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

export function end(code: ExitCode): void {
  process.exitCode = code;
}
