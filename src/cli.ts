#!/usr/bin/env node
/** Entry of the command line. Each command's code is imported when it is called, so that each starts quickly. */
import { Command, CommanderError, Option } from 'commander';
import { boundHeap } from './cli/bound-heap.ts';
import { addClusterCommands } from './cli/cluster-commands.ts';
import { SETTINGS, VERSION, readConfig, readNodeOptions, variableOf } from './config.ts';

/** Exit codes: 0 done, 1 failed (the input is wrong, the cluster refuses), 2 the command line is wrong; docs/cli.md. */
async function main(): Promise<void> {
  const program = new Command('tautline')
    .description('Keeps a Kubernetes cluster taut to a Git repository.')
    .version(VERSION, '--version', 'print the version')
    .exitOverride();
  addAgent(program);
  addRender(program);
  addClusterCommands(program);
  program
    .command('crd')
    .description('print the CustomResourceDefinition of Application')
    .action(async () => (await import('./cli/crd.ts')).runCrd());
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

function addAgent(program: Command): void {
  const agent = program.command('agent').description('run the agent: reconcile Applications until it is told to stop');
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
      boundHeap(read.config.heapMib, {
        nodeFlags: process.execArgv,
        script: process.argv.slice(1),
        nodeOptions: readNodeOptions(),
      });
    }
    const [{ runAgent }, { startAgent }] = await Promise.all([import('./cli/agent.ts'), import('./main.ts')]);
    process.exit(await runAgent(byFlag, startAgent));
  });
}

function addRender(program: Command): void {
  program
    .command('render')
    .description('print what `kustomize build` prints for a folder')
    .argument('<dir>', 'the folder')
    .addOption(
      new Option('-o, --output <format>', 'form of the output').choices(['yaml', 'json', 'name']).default('yaml'),
    )
    .option(
      '--directory',
      'print the manifests of a folder that has no kustomization, as the agent applies them',
      false,
    )
    .action(async (dir: string, options: { output: 'yaml' | 'json' | 'name'; directory: boolean }) => {
      process.exitCode = (await import('./cli/render.ts')).runRender({ dir, ...options });
    });
}

/** As commander turns flags into names. */
function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

await main();
