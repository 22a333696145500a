#!/usr/bin/env node
/** Entry point of the command line. The code of a command is imported when it is called, so that each starts fast. */
import { Argument, Command, CommanderError, Option } from 'commander';
import type { Shell } from './cli/completion.ts';
import { ignoreInspectorSignal, restartWithFlags } from './cli/restart-with-flags.ts';
import { addRenderFlags } from './cli/add-render-flags.ts';
import { addClusterCommands } from './cli/cluster-commands.ts';
import { withClusterFlags } from './cli/command-flags.ts';
import type { ClusterFlags } from './cli/with-cluster.ts';
import { nodeProblem } from './cli/node-version.ts';
import type { RenderCommand } from './cli/render.ts';
import { SETTINGS, readConfig, variableOf } from './config/config.ts';
import { readNodeOptions } from './config/environment.ts';
import { VERSION } from './config/version.ts';

/** Exit codes are listed in src/cli/exit-code.ts; 2 means that the command line is invalid. */
async function main(): Promise<void> {
  const problem = nodeProblem(process.versions.node);
  if (problem !== undefined) {
    process.stderr.write(`Error: ${problem}\n`);
    process.exitCode = 1;
    return;
  }
  ignoreInspectorSignal();
  const program = new Command('tautline')
    .description('Keeps a Kubernetes cluster taut to a Git repository.')
    .version(VERSION, '--version', 'print the version')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')) })
    .exitOverride();
  addAgent(program);
  addRender(program);
  addClusterCommands(program);
  addVersion(program);
  program
    .command('crd')
    .description('print the CustomResourceDefinition of Application')
    .action(async () => (await import('./cli/crd.ts')).runCrd());
  addCompletion(program);
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

function addAgent(program: Command): void {
  const agent = program
    .command('agent')
    .description('run the agent, which reconciles Applications until SIGTERM or SIGINT');
  for (const setting of Object.values(SETTINGS)) {
    const value = setting.type === 'text' ? 'text' : setting.type;
    const fallback = setting.default ? `, default: ${setting.default}` : '';
    const shown = `${setting.description} (env: ${variableOf(setting)}${fallback})`;
    agent.addOption(new Option(`--${setting.flag} <${value}>`, shown));
  }
  agent.action(async (options: Record<string, string | undefined>) => {
    const byFlag = Object.fromEntries(
      Object.entries(SETTINGS).map(([name, { flag }]) => [name, options[camelCase(flag)]]),
    );
    const read = readConfig(byFlag);
    if (read.ok) {
      restartWithFlags(read.config.heapMib, {
        nodeFlags: process.execArgv,
        script: process.argv.slice(1),
        nodeOptions: readNodeOptions(),
      });
    }
    const [{ runAgent }, { startAgent }] = await Promise.all([import('./cli/agent.ts'), import('./main.ts')]);
    process.exit(await runAgent(byFlag, startAgent));
  });
}

function addVersion(program: Command): void {
  const command = program.command('version').description('print the version');
  withClusterFlags(command)
    .option('--server', 'also print the versions of the agents and of the API server', false)
    .action(async ({ server, ...flags }: ClusterFlags & { server: boolean }) => {
      process.stdout.write(server ? `Command line: ${VERSION}\n` : `${VERSION}\n`);
      if (server) process.exitCode = await (await import('./cli/server-versions.ts')).runServerVersions(flags);
    });
}

function addRender(program: Command): void {
  const command = program
    .command('render')
    .description('render a folder and print the same as `kustomize build`')
    .argument('<dir>', 'folder to render')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json', 'name']).default('yaml'));
  addRenderFlags(command).action(async (dir: string, options: Omit<RenderCommand, 'dir'>) => {
    process.exitCode = await (await import('./cli/render.ts')).runRender({ dir, ...options });
  });
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script with which a shell completes commands, flags and names')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', '\nExample:\n  source <(tautline completion bash)\n')
    .action(async (shell: Shell) => (await import('./cli/completion.ts')).printCompletion(shell, program));
}

/** The name that commander gives to the value of a flag. */
function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

await main();
