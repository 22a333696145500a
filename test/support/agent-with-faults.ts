/**
 * The agent, with one difference: it kills itself with SIGKILL when it reaches a named point for the n-th time.
 * Arguments: those of `tautline agent`, after `--kill-at <point>` and `--kill-at-count <n>`.
 *
 * Invariant: nothing is flushed, closed or reported at that point: the process ends between two effects.
 */
import { parseArgs } from 'node:util';
import { runAgent } from '../../src/cli/agent.ts';
import { SETTINGS } from '../../src/config/config.ts';
import { startAgent } from '../../src/main.ts';
import { FAULT_POINTS } from '../../src/reconcile/context.ts';

const text = { type: 'string' } as const;
const flagNames = Object.values(SETTINGS).map(({ flag }) => flag);
const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== 'agent'),
  options: Object.fromEntries([...flagNames, 'kill-at', 'kill-at-count'].map((flag) => [flag, text])),
});
const killAt = FAULT_POINTS.find((point) => point === values['kill-at']);
let left = Number(values['kill-at-count'] ?? '1');

const flags = Object.fromEntries(Object.entries(SETTINGS).map(([name, { flag }]) => [name, values[flag]]));
process.exitCode = await runAgent(flags, (config, signal) =>
  startAgent(config, signal, {
    onFaultPoint: (point) => {
      if (point === killAt && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  }),
);
