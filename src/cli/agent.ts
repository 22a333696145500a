/** `tautline agent`: runs the agent until SIGTERM or SIGINT, then drains. A second signal ends it at once. */
import { readConfig, type Config } from '../config.ts';
import { StageError } from '../object/stage-error.ts';

export interface RunningAgent {
  stop(): Promise<void>;
}

export type StartAgent = (config: Config, signal: AbortSignal) => Promise<RunningAgent>;

/** How long a start that is under way may take to give up once it is told to stop. */
const GIVE_UP_MS = 3000;

/**
 * Exit codes: 0 ended by a signal, 1 could not start or failed, 2 a setting cannot be used. The caller ends the process
 * with it: after an unfinished start, requests may still be under way.
 */
export async function runAgent(
  flags: Readonly<Record<string, string | undefined>>,
  start: StartAgent,
): Promise<number> {
  const read = readConfig(flags);
  if (!read.ok) {
    process.stderr.write(`tautline agent: ${read.problem}\n`);
    return 2;
  }
  // As in the sandbox's child: no key from outside becomes a member of every object.
  Object.preventExtensions(Object.prototype);
  const ended = new AbortController();
  const signalled = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.once(name, () => {
        for (const again of ['SIGTERM', 'SIGINT'] as const) process.once(again, () => process.exit(1));
        ended.abort();
        resolve();
      });
    }
  });
  const starting = start(read.config, ended.signal);
  try {
    const agent = await Promise.race([starting, signalled]);
    if (!agent) return await giveUp(starting);
    await signalled;
    await agent.stop();
    return 0;
  } catch (error) {
    if (ended.signal.aborted && error === ended.signal.reason) return 0;
    process.stderr.write(`tautline agent: ${describeFailure(error)}\n`);
    return 1;
  }
}

/** Told to stop while still starting: nothing was begun that needs an end. */
async function giveUp(starting: Promise<RunningAgent>): Promise<number> {
  const stopped = starting.then(
    (agent) => agent.stop(),
    () => undefined,
  );
  await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, GIVE_UP_MS).unref())]);
  return 0;
}

/** One line for what a person can mend; what is a defect of ours comes with its stack. */
function describeFailure(error: unknown): string {
  if (error instanceof StageError) return error.message;
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  return 'syscall' in error ? error.message : `unexpected failure: ${error.stack ?? error.message}`;
}
