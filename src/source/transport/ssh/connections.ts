/**
 * Connections by SSH that are kept between requests: one for each server, user, key, set of known hosts and route.
 *
 * Invariants: requests share a connection only if all of these are the same. A server whose key is not known is not
 * connected to. A connection that is not used for a while is closed, so a key that has left its Secret goes out of use.
 */
import { createHash } from 'node:crypto';
import { sourceError } from '../../../object/source-error.ts';
import type { SshKey } from '../../credential.ts';
import { keysOfHost, parseKnownHosts } from '../../known-hosts.ts';
import type { SourceLimits } from '../../limits.ts';
import type { Repository } from '../../repository.ts';
import { DEFAULT_SSH_PORT, sshUrl, type SshAddress } from '../../ssh-address.ts';
import { createAddressGuard, type AddressGuard, type AddressRules, type Checked } from '../address-rules.ts';
import { proxyFor, type ProxySettings } from '../proxy.ts';
import { HostKeyRefused, openConnection, type SshConnection } from './connection.ts';
import type { KnownHostsFile } from './known-hosts-file.ts';
import { openSocket } from './open-socket.ts';
import { createPrivateKeys, type PrivateKeys } from './private-key.ts';
import { connectError, hostKeyError, keyMissing } from './ssh-failure.ts';

export interface ConnectionsOptions {
  readonly limits: SourceLimits;
  readonly proxy: ProxySettings;
  readonly addresses: AddressRules;
  /** Counts for credentials without known hosts of their own. */
  readonly knownHosts: KnownHostsFile;
}

export interface SshRepository extends Repository {
  readonly ssh: SshAddress;
}

export interface Connections {
  /** Throws StageError. `isKept`: the connection was open already, so it may have ended without a word. */
  connect(repository: SshRepository): Promise<{ readonly connection: SshConnection; readonly isKept: boolean }>;
  close(): Promise<void>;
}

interface Kept {
  readonly opening: Promise<SshConnection>;
  /** undefined: it is being opened. */
  connection: SshConnection | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

interface Plan {
  readonly repository: SshRepository;
  readonly ssh: SshKey;
  readonly knownHosts: string;
  readonly proxyUrl: string | undefined;
  readonly checked: Checked;
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { limits, proxy, addresses, knownHosts } = options;
  const guard = createAddressGuard(addresses);
  const privateKeys = createPrivateKeys();
  /** In order of use, the latest last. */
  const kept = new Map<string, Kept>();
  const closing = new AbortController();

  async function planFor(repository: SshRepository): Promise<Plan> {
    const { credential, label } = repository;
    if (!credential?.ssh) throw keyMissing(repository);
    const url = sshUrl(repository.ssh);
    const proxyUrl = proxyFor(new URL(url), proxy);
    const checked = guard.check(url, label, proxyUrl !== undefined);
    const known = credential.ssh.knownHosts ?? (await knownHosts.read());
    return { repository, ssh: credential.ssh, knownHosts: known, proxyUrl, checked };
  }

  function keep(key: string, plan: Plan): Kept {
    const forget = (): void => {
      clearTimeout(entry.idleTimer);
      if (kept.get(key) === entry) kept.delete(key);
    };
    const opening = openPlanned(plan, { ...options, guard, privateKeys, closing: closing.signal, onEnd: forget });
    const entry: Kept = { opening, connection: undefined, idleTimer: undefined };
    opening.then((connection) => (entry.connection = connection), forget);
    return entry;
  }

  function closeIdle(): void {
    for (const [key, entry] of kept) {
      if (kept.size <= limits.maxSshConnections) return;
      if (entry.connection?.busy() !== 0) continue;
      kept.delete(key);
      entry.connection.destroy();
    }
  }

  /** Starts the time of the connection without use again. */
  function restIn(entry: Kept): void {
    clearTimeout(entry.idleTimer);
    entry.idleTimer = setTimeout(() => {
      if (entry.connection?.busy() === 0) entry.connection.destroy();
      else restIn(entry);
    }, limits.keepPoolMs);
    entry.idleTimer.unref();
  }

  return {
    async connect(repository) {
      const plan = await planFor(repository);
      closing.signal.throwIfAborted();
      const key = keyOf(plan);
      const found = kept.get(key);
      const entry = found && !found.connection?.hasEnded() ? found : keep(key, plan);
      const isKept = entry.connection !== undefined;
      kept.delete(key);
      kept.set(key, entry);
      closeIdle();
      const connection = await entry.opening;
      restIn(entry);
      return { connection, isKept };
    },
    async close() {
      closing.abort();
      for (const { opening, connection } of kept.values()) {
        connection?.destroy();
        await opening.then(
          (opened) => opened.destroy(),
          () => undefined,
        );
      }
      kept.clear();
    },
  };
}

interface OpenOptions {
  readonly limits: SourceLimits;
  readonly guard: AddressGuard;
  readonly privateKeys: PrivateKeys;
  readonly closing: AbortSignal;
  readonly onEnd: () => void;
}

/** Throws StageError. */
async function openPlanned(plan: Plan, options: OpenOptions): Promise<SshConnection> {
  const { repository, ssh, knownHosts, proxyUrl, checked } = plan;
  const { limits, guard, privateKeys, closing, onEnd } = options;
  const { host, port, user } = repository.ssh;
  const name = port === DEFAULT_SSH_PORT ? host : `[${host}]:${port}`;
  const parsed = parseKnownHosts(knownHosts);
  const hostKeys = keysOfHost(parsed.ok ? parsed.hosts : [], { host, port });
  if (hostKeys.trusted.length === 0) {
    throw hostKeyError(repository, 'unknown', { name, isByAuthority: hostKeys.isByAuthority });
  }
  const key = await privateKeys.open(ssh, repository.credential?.secret ?? '');
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), limits.connectTimeoutMs);
  const signal = AbortSignal.any([deadline.signal, closing]);
  try {
    const socket = await openSocket({ host, port, proxyUrl, lookup: guard.lookupFor(checked), signal });
    const maxChannels = limits.maxSshChannels;
    return await openConnection({ socket, username: user, key, hostKeys, maxChannels, onEnd });
  } catch (error) {
    if (error instanceof HostKeyRefused) throw hostKeyError(repository, error.verdict, { name });
    if (deadline.signal.aborted) throw sourceError('Timeout', `${repository.label} did not answer in time.`);
    throw connectError(error, repository);
  } finally {
    clearTimeout(timer);
  }
}

function keyOf({ repository, ssh, knownHosts, proxyUrl, checked }: Plan): string {
  const { host, port, user } = repository.ssh;
  const content = [host, port, user, ssh.privateKey, ssh.passphrase, knownHosts, proxyUrl ?? '', checked];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
