/** A source on a real sandbox and a real Git server, in a folder of its own that goes when the test ends. */
import type { AddressRules } from '../../../src/source/transport/address-rules.ts';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeDirs, createSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import type { Credential } from '../../../src/source/credential.ts';
import { defaultSourceLimits, type SourceLimits } from '../../../src/source/limits.ts';
import { createSource, type Source } from '../../../src/source/source.ts';
import type { DispatchersOptions } from '../../../src/source/transport/dispatchers.ts';
import { createHttpTransport } from '../../../src/source/transport/http-transport.ts';
import { createWebClient } from '../../../src/source/transport/web-client.ts';
import { defaultRegistryLimits } from '../../../src/registry/limits.ts';
import type { ProxySettings } from '../../../src/source/transport/proxy.ts';
import { createSshTransport } from '../../../src/source/transport/ssh/ssh-transport.ts';
import type { Transport, TransportRequest } from '../../../src/source/transport/transport.ts';
import type { Clock, Log } from '../../../src/telemetry/ports.ts';
import { startGitServer, type GitServer } from '../../support/git-server.ts';
import {
  hasOpenSsh,
  sshCredential,
  startSshServer,
  type SshServer,
  type SshServerOptions,
} from '../../support/ssh-server.ts';
import { builtFile } from '../../support/built-program.ts';

export const noProxy: ProxySettings = { http: '', https: '', exceptions: '' };

/** A transport under test, with a Git server that it reaches. */
export interface TestTransport<Server extends ServedRepositories = ServedRepositories> {
  /** For the names of tests. */
  readonly name: string;
  /** Serves the bare repositories below a folder. */
  serve(root: string): Promise<Server>;
  open(options: DispatchersOptions): Transport;
  /** Every request shows it if it shows no other one. Snapshots are private then. Default: none. */
  credentialFor?(server: Server): Credential;
  /** The server answers in protocol 0. */
  readonly isProtocol0?: boolean;
}

type ServedRepositories = Pick<GitServer, 'url' | 'root' | 'stop'>;

export const overHttp: TestTransport<GitServer> = {
  name: 'http',
  serve: (root) => startGitServer(root),
  open: createHttpTransport,
};

const NO_KNOWN_HOSTS = { read: () => Promise.resolve('') };

function overSsh(name: string, options: SshServerOptions): TestTransport {
  const over = overSshServer(name, (root) => startSshServer(root, options));
  return { ...over, isProtocol0: options.isProtocol2 === false };
}

export function overSshServer(name: string, serve: (root: string) => Promise<SshServer>): TestTransport<SshServer> {
  return {
    name,
    serve,
    open: (opened) => createSshTransport({ ...opened, knownHosts: NO_KNOWN_HOSTS }),
    credentialFor: ({ secret }) => sshCredential(secret),
  };
}

/** Every transport; the tests of the source itself run over each. Without sshd, the server of the library stands in. */
export const TRANSPORTS: readonly TestTransport[] = [
  overHttp,
  overSsh(hasOpenSsh ? 'ssh' : "ssh, the library's server because sshd is not installed", {}),
  overSsh('ssh without protocol 2', { isProtocol2: false }),
];

export interface HarnessOptions {
  readonly limits?: Partial<SourceLimits>;
  readonly proxy?: ProxySettings;
  readonly addresses?: AddressRules;
  readonly clock?: Clock;
}

/** The servers of tests are on loopback. */
const ANY: AddressRules = { allow: [], deny: [] };

export interface Harness<Server extends ServedRepositories = GitServer> {
  readonly server: Server;
  readonly sandbox: Sandbox;
  readonly source: Source;
  readonly dataDir: string;
  /** Requests that all sources of this harness have sent, oldest first. Empty it with `sent.length = 0`. */
  readonly sent: SentRequest[];
  /** Called when an answer has begun; its body waits for the promise. May be set and unset at any time. */
  onAnswer: (() => Promise<void>) | undefined;
  /** Opens another source over the same folder, as after a restart. */
  readonly reopen: (limits?: Partial<SourceLimits>) => Source;
}

export interface SentRequest {
  readonly operation: TransportRequest['operation'];
  /** The bytes of the answer's body that were read. */
  receivedBytes: number;
}

export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const systemClock: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

/** The sources of the child, which other children of the tests import. */
export const childFile = fileURLToPath(new URL('../../../src/child.ts', import.meta.url));

const builtChild = builtFile('child.js');

export async function temporaryFolder(t: TestContext): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'tautline-test-')));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export function startSandbox(t: TestContext, options: Partial<SandboxOptions> = {}): Sandbox {
  const sandbox = createSandbox({
    entryFile: builtChild,
    slots: 1,
    maxHeapMib: 256,
    maxRssMib: 1024,
    shortLane: { deadlineMs: 120_000, maxHeapMib: 256, maxRssMib: 1024 },
    jobDeadlineMs: 120_000,
    maxJobsPerChild: 200,
    maxQueuedJobs: 100,
    idleEndMs: 0,
    writableDirs: [],
    clock: systemClock,
    log: quietLog,
    ...options,
    readableDirs: [...codeDirs(options.entryFile ?? builtChild), ...(options.readableDirs ?? [])],
  });
  t.after(() => sandbox.close());
  return sandbox;
}

/** Over HTTP. */
export function startHarness(t: TestContext, options: HarnessOptions = {}): Promise<Harness> {
  return startHarnessOver(overHttp, t, options);
}

export async function startHarnessOver<Server extends ServedRepositories>(
  over: TestTransport<Server>,
  t: TestContext,
  { limits = {}, proxy = noProxy, addresses = ANY, clock = systemClock }: HarnessOptions = {},
): Promise<Harness<Server>> {
  const dir = await temporaryFolder(t);
  const dataDir = join(dir, 'data');
  const server = await over.serve(join(dir, 'served'));
  t.after(() => server.stop());
  const sandbox = startSandbox(t, { readableDirs: [dataDir] });
  const sent: SentRequest[] = [];
  const open = (changed: Partial<SourceLimits>): Source => {
    const all = { ...defaultSourceLimits, ...changed };
    const transport = recording(over.open({ limits: all, proxy, addresses, clock }), harness);
    const web = createWebClient({ limits: all, proxy, addresses, clock });
    const registry = { limits: defaultRegistryLimits, tokenHosts: [], plainHttpHosts: [] };
    const source = createSource({ dataDir, limits: all, registry, sandbox, transport, web, log: quietLog, clock });
    t.after(() => source.close());
    return withCredential(source, over.credentialFor?.(server));
  };
  const harness = { server, sandbox, dataDir, sent, onAnswer: undefined, reopen: (changed = limits) => open(changed) };
  return Object.assign(harness, { source: open(limits) });
}

function withCredential(source: Source, credential: Credential | undefined): Source {
  if (!credential) return source;
  return {
    ...source,
    poll: (request) => source.poll({ credential, ...request }),
    fetch: (request) => source.fetch({ credential, ...request }),
    recall: (request) => source.recall({ credential, ...request }),
  };
}

function recording(transport: Transport, harness: Pick<Harness, 'sent' | 'onAnswer'>): Transport {
  return {
    ...transport,
    async send(request) {
      const record = { operation: request.operation, receivedBytes: 0 };
      harness.sent.push(record);
      const { base, body } = await transport.send(request);
      await harness.onAnswer?.();
      return { base, body: counted(body, record) };
    },
    close: () => transport.close(),
  };
}

async function* counted(body: AsyncIterable<Buffer>, record: SentRequest) {
  for await (const chunk of body) {
    record.receivedBytes += chunk.length;
    yield chunk;
  }
}
