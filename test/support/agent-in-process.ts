/**
 * An agent inside the test's own process, for tests that ask it what no listener tells: requests by what they were for.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import { startAgent, type Agent, type StartOptions } from '../../src/main.ts';

export interface InProcessOptions extends StartOptions {
  /** Further settings by their names in config.ts, as text. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** `stop` drains it and removes what it stored. It logs errors only, and may write into all namespaces. */
export async function startAgentInProcess(kubeconfig: string, options: InProcessOptions = {}): Promise<Agent> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tautline-agent-'));
  const anyPort = '127.0.0.1:0';
  const listeners = { apiAddress: anyPort, probesAddress: anyPort, webhookAddress: anyPort };
  const flags = { kubeconfig, dataDir, logLevel: 'error', allowCrossNamespace: 'true', ...listeners };
  const read = readConfig({ ...flags, ...options.settings }, {});
  if (!read.ok) throw new Error(read.problem);
  const agent = await startAgent(read.config, new AbortController().signal, options);
  return {
    ...agent,
    async stop() {
      await agent.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
