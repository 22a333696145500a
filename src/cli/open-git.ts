/** Sources and the sandbox on a person's machine, with that person's access to the network. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readConfig, type Config } from '../config/config.ts';
import { proxySettings } from '../config/environment.ts';
import { defaultRegistryLimits } from '../registry/limits.ts';
import { openSandbox } from '../sandbox/open-sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { defaultSourceLimits } from '../source/limits.ts';
import { createSource, type Source } from '../source/source.ts';
import { openTransport } from '../source/transport/open-transport.ts';
import { createWebClient } from '../source/transport/web-client.ts';
import type { Log } from '../telemetry/ports.ts';

export interface Git {
  readonly source: Source;
  readonly sandbox: Sandbox;
  readonly config: Config;
  close(): Promise<void>;
}

/** The command line acts for the person who calls it. */
const ALL_ADDRESSES = { allow: [], deny: [] };

/** A command runs few jobs: it checks fetched packs, collects the files of charts and renders. */
const MAX_QUEUED_JOBS = 64;

/** `dataDir` is an empty folder of the caller, who removes it after `close`. */
export function openGit(dataDir: string): Git {
  const read = readConfig({ dataDir }, {});
  if (!read.ok) throw new RangeError(read.problem);
  const { config } = read;
  const limits = defaultSourceLimits;
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const sandbox = openSandbox(config, { maxQueuedJobs: MAX_QUEUED_JOBS, log: SILENT, clock });
  const network = { limits, proxy: proxySettings(), addresses: ALL_ADDRESSES, clock };
  const registry = { limits: defaultRegistryLimits, tokenHosts: [], plainHttpHosts: [] };
  const transport = openTransport({ ...network, knownHostsFile: join(homedir(), '.ssh', 'known_hosts') });
  const web = createWebClient(network);
  const source = createSource({ dataDir, limits, registry, sandbox, transport, web, log: SILENT, clock });
  return {
    source,
    sandbox,
    config,
    async close() {
      await source.close();
      sandbox.close();
    },
  };
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
