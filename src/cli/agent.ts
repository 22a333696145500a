/** `tautline agent`: runs the agent until SIGTERM or SIGINT, then drains it. A second signal ends it immediately. */
import { readConfig, type Config } from '../config/config.ts';
import { StageError } from '../object/stage-error.ts';
import { printError } from './output.ts';

export interface RunningAgent {
  stop(): Promise<void>;
}

export type StartAgent = (config: Config, signal: AbortSignal) => Promise<RunningAgent>;

/** How long an unfinished start may take to stop after a signal. */
const GIVE_UP_MS = 3000;

/**
 * Returns the exit code: 0 after a signal, 1 if the agent could not start or failed, 2 for an invalid setting. The
 * caller must end the process with it, because requests may still be open after an unfinished start.
 */
export async function runAgent(
  flags: Readonly<Record<string, string | undefined>>,
  start: StartAgent,
): Promise<number> {
  const read = readConfig(flags);
  if (!read.ok) {
    printError(`tautline agent: ${read.problem}\n`);
    return 2;
  }
  // Prevents prototype pollution, as in the child of the sandbox: no input can add a member to every object.
  Object.preventExtensions(Object.prototype);
  const ended = new AbortController();
  const signalled = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.once(name, () => {
        for (const second of ['SIGTERM', 'SIGINT'] as const) process.once(second, () => process.exit(1));
        ended.abort();
        resolve();
      });
    }
  });
  const starting = start(read.config, ended.signal);
  try {
    const agent = await Promise.race([starting, signalled]);
    if (!agent) return await abandonStart(starting);
    await signalled;
    await agent.stop();
    return 0;
  } catch (error) {
    if (ended.signal.aborted && error === ended.signal.reason) return 0;
    printError(`tautline agent: ${describeFailure(error)}\n`);
    return 1;
  }
}

/** After a signal during the start. No pass has begun yet, so nothing has to be finished. */
async function abandonStart(starting: Promise<RunningAgent>): Promise<number> {
  const stopped = starting.then(
    (agent) => agent.stop(),
    () => undefined,
  );
  await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, GIVE_UP_MS).unref())]);
  return 0;
}

/** One line for a failure that a person can fix; the stack for a defect of Tautline. */
function describeFailure(error: unknown): string {
  if (error instanceof StageError) return error.message;
  if (!(error instanceof Error)) return 'failed for an unknown reason';
  return 'syscall' in error ? error.message : `unexpected failure: ${error.stack ?? error.message}`;
}
