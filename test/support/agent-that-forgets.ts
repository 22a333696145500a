/**
 * The agent, with one difference: whenever no pass is under way, it drops all memory that may be dropped. Arguments:
 * those of `tautline agent`.
 *
 * Invariant: memory is dropped between passes, never within one, so that no two passes share any.
 */
import { parseArgs } from 'node:util';
import { runAgent } from '../../src/cli/agent.ts';
import { SETTINGS } from '../../src/config/config.ts';
import { startAgent } from '../../src/main.ts';

const FORGET_EVERY_MS = 5;

const flagNames = Object.values(SETTINGS).map(({ flag }) => flag);
const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== 'agent'),
  options: Object.fromEntries(flagNames.map((flag) => [flag, { type: 'string' } as const])),
});
const flags = Object.fromEntries(Object.entries(SETTINGS).map(([name, { flag }]) => [name, values[flag]]));
process.exitCode = await runAgent(flags, async (config, signal) => {
  const agent = await startAgent(config, signal);
  setInterval(() => {
    if (!agent.controller.stats().longest) agent.controller.forget();
  }, FORGET_EVERY_MS).unref();
  return agent;
});
