/** `tautline agent`: runs the agent until SIGTERM or SIGINT, then drains. A second signal ends it at once. */
import { readConfig, type Config } from '../config.ts';
import { StageError } from '../object/stage-error.ts';

export interface RunningAgent {
  stop(): Promise<void>;
}

export type StartAgent = (config: Config, signal: AbortSignal) => Promise<RunningAgent>;

/** Exit codes: 0 ended by a signal, 1 could not start or failed, 2 a setting cannot be used. */
export async function runAgent(
  flags: Readonly<Record<string, string | undefined>>,
  start: StartAgent,
): Promise<number> {
  const read = readConfig(flags);
  if (!read.ok) {
    process.stderr.write(`tautline agent: ${read.problem}\n`);
    return 2;
  }
  const ended = new AbortController();
  const signalled = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.once(name, () => {
        process.once(name, () => process.exit(1));
        ended.abort();
        resolve();
      });
    }
  });
  try {
    const agent = await start(read.config, ended.signal);
    await signalled;
    await agent.stop();
    return 0;
  } catch (error) {
    if (ended.signal.aborted) return 0;
    if (!(error instanceof StageError)) throw error;
    process.stderr.write(`tautline agent: ${error.message}\n`);
    return 1;
  }
}
