/**
 * An agent inside the test's own process, for tests that need more of it than its listeners show: the number of
 * requests by their purpose, or a way to make it forget.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config.ts';
import { startAgent, type Agent, type StartOptions } from '../../src/main.ts';

export interface InProcessOptions extends StartOptions {
  /** Further settings, as text, by their names in `SETTINGS`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The agent logs errors only and may write into all namespaces. `stop` drains it and removes its data. */
export async function startAgentInProcess(kubeconfig: string, options: InProcessOptions = {}): Promise<Agent> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tautline-agent-'));
  const anyPort = '127.0.0.1:0';
  const listeners = { apiAddress: anyPort, probesAddress: anyPort, metricsAddress: anyPort, webhookAddress: anyPort };
  const flags = {
    kubeconfig,
    dataDir,
    logLevel: 'error',
    allowCrossNamespace: 'true',
    sourceDeny: 'link-local',
    ...listeners,
  };
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
