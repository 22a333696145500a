/**
 * A program that has nothing of the agent but its source and its sandbox, and does what its parent asks for: so that
 * memory, descriptors and disk are those of the source alone. Argument: the folder for its data.
 *
 * Invariant: one request is answered at a time, in the order in which they come.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { registrySettingsOf, sourceLimitsOf } from '../../src/agent-limits.ts';
import { readConfig } from '../../src/config/config.ts';
import { openSandbox } from '../../src/sandbox/open-sandbox.ts';
import { createSource } from '../../src/source/source.ts';
import { openTransport } from '../../src/source/transport/open-transport.ts';
import { createWebClient } from '../../src/source/transport/web-client.ts';
import { parseCredential } from '../../src/source/credential.ts';
import type { SourceFigures, SourceReply, SourceTask } from './source-apart.ts';

const [dataDir = ''] = process.argv.slice(2);
const read = readConfig({ dataDir, sourceDeny: '' }, {});
if (!read.ok) throw new Error(read.problem);
/** How far the clock of the source is ahead. */
let aheadMs = 0;
const clock = { now: () => Date.now() + aheadMs, monotonicMs: () => performance.now() + aheadMs };
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const sandbox = openSandbox(read.config, { maxQueuedJobs: 10, log: quiet, clock });
const limits = sourceLimitsOf(read.config);
const network = { limits, proxy: { http: '', https: '', exceptions: '' }, addresses: { allow: [], deny: [] }, clock };
const source = createSource({
  dataDir,
  limits,
  registry: registrySettingsOf(read.config),
  sandbox,
  transport: openTransport({ ...network, knownHostsFile: '' }),
  web: createWebClient(network),
  log: quiet,
  clock,
});

let last: Promise<unknown> = Promise.resolve();
process.on('message', (task: SourceTask) => {
  last = last.then(async () => process.send?.(await answer(task)));
});
process.on('disconnect', () => {
  sandbox.close();
  void source.close().then(() => process.exit(0));
});

async function answer(task: SourceTask): Promise<SourceReply> {
  try {
    if (task.type === 'figures') return { type: 'figures', figures: figures() };
    const { repoUrl, secret, mustFetch, afterMs = 0 } = task;
    aheadMs += afterMs;
    const data = secret && new Map(Object.entries(secret).map(([key, text]) => [key, Buffer.from(text)]));
    const place = { repoUrl, ...(data && { credential: parseCredential({ secret: 'bench/key', data }) }) };
    const startMs = performance.now();
    const resolved = await source.poll({ ...place, revision: 'main' });
    if (mustFetch) await source.fetch({ ...place, resolved });
    return { type: 'brought', commit: resolved.commit, durationMs: performance.now() - startMs };
  } catch (error) {
    return { type: 'failed', message: String(error) };
  }
}

function figures(): SourceFigures {
  globalThis.gc?.();
  const files = filesBelow(dataDir);
  // Snapshots share packs by hard links.
  const sizes = new Map(files.map((file) => statSync(file)).map(({ ino, size }) => [ino, size]));
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    heapBytes: process.memoryUsage().heapUsed,
    snapshots: files.filter((file) => basename(file) === 'snapshot.json').length,
    diskBytes: [...sizes.values()].reduce((total, size) => total + size, 0),
  };
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
