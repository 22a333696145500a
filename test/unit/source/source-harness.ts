/** A source on a real sandbox and a real Git server, in a folder of its own that goes when the test ends. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeDirs, createSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import { defaultSourceLimits, type SourceLimits } from '../../../src/source/limits.ts';
import type { ProxySettings } from '../../../src/source/transport/proxy.ts';
import { createGitSource, type GitSource } from '../../../src/source/source.ts';
import type { Log } from '../../../src/telemetry/ports.ts';
import { startGitServer, type GitServer } from '../../support/git-server.ts';

export const noProxy: ProxySettings = { http: '', https: '', exceptions: '' };

export interface Harness {
  readonly server: GitServer;
  readonly sandbox: Sandbox;
  readonly source: GitSource;
  readonly dataDir: string;
  /** As after a restart: another source over the same folder. */
  readonly reopen: (limits?: Partial<SourceLimits>) => GitSource;
}

export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

export const childFile = fileURLToPath(new URL('../../../src/child.ts', import.meta.url));

export async function temporaryFolder(t: TestContext): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'tautline-test-')));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export function startSandbox(t: TestContext, options: Partial<SandboxOptions> = {}): Sandbox {
  const sandbox = createSandbox({
    entryFile: childFile,
    slots: 1,
    maxHeapMib: 256,
    maxRssMib: 1024,
    jobDeadlineMs: 120_000,
    maxJobsPerChild: 200,
    maxQueuedJobs: 100,
    idleEndMs: 0,
    writableDirs: [],
    log: quietLog,
    ...options,
    readableDirs: [...codeDirs(options.entryFile ?? childFile), ...(options.readableDirs ?? [])],
  });
  t.after(() => sandbox.close());
  return sandbox;
}

export async function startHarness(
  t: TestContext,
  limits: Partial<SourceLimits> = {},
  proxy: ProxySettings = noProxy,
): Promise<Harness> {
  const dir = await temporaryFolder(t);
  const dataDir = join(dir, 'data');
  const server = await startGitServer(join(dir, 'served'));
  t.after(() => server.stop());
  const sandbox = startSandbox(t, { readableDirs: [dataDir] });
  const open = (changed: Partial<SourceLimits>): GitSource => {
    const source = createGitSource({
      dataDir,
      limits: { ...defaultSourceLimits, ...changed },
      sandbox,
      proxy,
      log: quietLog,
      clock,
    });
    t.after(() => source.close());
    return source;
  };
  const reopen = (changed: Partial<SourceLimits> = limits) => open(changed);
  return { server, sandbox, source: open(limits), dataDir, reopen };
}
