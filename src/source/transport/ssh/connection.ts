/**
 * One SSH connection with its channels.
 *
 * Invariants: at most `maxSshChannels` channels are open at a time; further requests wait. A channel that the server
 * does not close in time ends the connection, so that a place is never lost. Only a known key of a host is accepted.
 */
import type { AuthenticationType, Client, ClientChannel, ConnectConfig, ParsedKey } from 'ssh2';
import type { Duplex } from 'node:stream';
import { hostKeyAlgorithms, judgeHostKey, type HostKeys, type HostVerdict } from '../../known-hosts.ts';
import { createSession, type OpenSession, type Session } from './session.ts';
import { ConnectionEnded } from './ssh-failure.ts';

export interface SshConnection {
  /** Rejects with ConnectionEnded, the reason of `signal`, or the server's refusal of the channel. */
  run(command: string, signal: AbortSignal): Promise<Session>;
  /** Channels that are open, and requests that wait for one. */
  busy(): number;
  hasEnded(): boolean;
  /** Ends everything that is under way. */
  destroy(): void;
}

export interface HandshakeOptions {
  readonly socket: Duplex;
  readonly username: string;
  readonly key: ParsedKey;
  readonly hostKeys: HostKeys;
  readonly maxChannels: number;
  readonly onEnd: () => void;
}

/** The host showed a key that is not trusted. */
export class HostKeyRefused extends Error {
  readonly verdict: Exclude<HostVerdict, 'trusted'>;
  constructor(verdict: Exclude<HostVerdict, 'trusted'>) {
    super('the key of the host is not trusted');
    this.name = 'HostKeyRefused';
    this.verdict = verdict;
  }
}

/** A connection that carries nothing is asked for a sign of life, and given up after some without an answer. */
const KEEPALIVE = { keepaliveInterval: 15_000, keepaliveCountMax: 2 };

/** Time for the server to close a channel. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * A server that chooses the prime of a key exchange could make it cost seconds of the event loop, so groups that the
 * server chooses are not offered. Neither is SHA-1.
 */
const KEY_EXCHANGES: NonNullable<NonNullable<ConnectConfig['algorithms']>['kex']> = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group14-sha256',
];

/** Environment of the program: servers that do not accept it answer in protocol 0. */
const ENVIRONMENT = { GIT_PROTOCOL: 'version=2' };

/** Rejects with HostKeyRefused, or an error of the library. The caller closes the socket at its deadline. */
export async function openConnection(options: HandshakeOptions): Promise<SshConnection> {
  const { default: ssh2 } = await import('ssh2');
  const client = new ssh2.Client();
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  let refused: HostKeyRefused | undefined;
  const connection = createConnection(client, options);
  client.on('error', (error) => reject(refused ?? error));
  client.on('close', () => reject(refused ?? new ConnectionEnded()));
  client.once('ready', resolve);
  const config: ConnectConfig = {
    sock: options.socket,
    username: options.username,
    // The library ignores a parsed key elsewhere; its types do not know that this place takes one.
    authHandler: [
      { type: 'publickey', username: options.username, key: options.key },
    ] as unknown as AuthenticationType[],
    hostVerifier: (shown: Buffer) => {
      const verdict = judgeHostKey(options.hostKeys, shown);
      if (verdict !== 'trusted') refused = new HostKeyRefused(verdict);
      return verdict === 'trusted';
    },
    algorithms: {
      kex: KEY_EXCHANGES,
      serverHostKey: hostKeyAlgorithms(options.hostKeys) as NonNullable<
        NonNullable<ConnectConfig['algorithms']>['serverHostKey']
      >,
    },
    readyTimeout: 0,
    ident: 'tautline',
    ...KEEPALIVE,
  };
  try {
    client.connect(config);
    await ready;
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

function createConnection(client: Client, { socket, maxChannels, onEnd }: HandshakeOptions): SshConnection {
  const sessions = new Set<OpenSession>();
  const places = createPlaces(maxChannels);
  let hasEnded = false;

  const endAll = (): void => {
    if (hasEnded) return;
    hasEnded = true;
    places.close();
    for (const session of sessions) session.fail(new ConnectionEnded());
    sessions.clear();
    onEnd();
  };
  const destroy = (): void => {
    socket.destroy();
    endAll();
  };
  const toSession = (channel: ClientChannel): OpenSession => {
    const onClosed = (): void => {
      sessions.delete(session);
      places.free();
    };
    const session = createSession({ channel, onClosed, onStuck: destroy, closeTimeoutMs: CLOSE_TIMEOUT_MS });
    if (hasEnded) session.fail(new ConnectionEnded());
    else sessions.add(session);
    return session;
  };
  client.on('close', endAll);
  client.on('end', endAll);

  return {
    async run(command, signal) {
      await places.take(signal);
      const opening = execute(client, command, toSession).catch((error: unknown) => {
        places.free();
        if (!socket.writable) destroy();
        throw hasEnded ? new ConnectionEnded() : error;
      });
      return unlessAborted(opening, signal, destroy);
    },
    busy: () => places.taken(),
    hasEnded: () => hasEnded,
    destroy,
  };
}

/**
 * The library calls back in every case: when the server answers, and when the connection ends. `toSession` is called
 * within the call, since the channel may end within the same piece of data.
 */
function execute(
  client: Client,
  command: string,
  toSession: (channel: ClientChannel) => OpenSession,
): Promise<OpenSession> {
  return new Promise((resolve, reject) => {
    client.exec(command, { env: ENVIRONMENT }, (error, channel) => {
      if (error) reject(error);
      else resolve(toSession(channel));
    });
  });
}

/** If the caller gives up, closes the session as soon as it is open, and calls `onStuck` if that takes too long. */
async function unlessAborted(opening: Promise<Session>, signal: AbortSignal, onStuck: () => void): Promise<Session> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    const timer = setTimeout(onStuck, CLOSE_TIMEOUT_MS);
    opening
      .then((session) => session.close())
      .catch(() => undefined)
      .finally(() => clearTimeout(timer));
    reject(signal.reason as Error);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([opening, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Places {
  /** Rejects with the reason of `signal`, or with ConnectionEnded. */
  take(signal: AbortSignal): Promise<void>;
  free(): void;
  /** With those that wait for one. */
  taken(): number;
  close(): void;
}

function createPlaces(most: number): Places {
  const waiting = new Set<{ readonly go: () => void; readonly fail: (reason: unknown) => void }>();
  let taken = 0;
  let isClosed = false;
  return {
    async take(signal) {
      if (isClosed) throw new ConnectionEnded();
      if (taken < most) {
        taken++;
        return;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const one = { go: resolve, fail: reject };
      const onAbort = (): void => {
        waiting.delete(one);
        reject(signal.reason as Error);
      };
      waiting.add(one);
      signal.addEventListener('abort', onAbort, { once: true });
      await promise.finally(() => signal.removeEventListener('abort', onAbort));
    },
    free() {
      const [next] = waiting;
      if (!next) {
        taken--;
        return;
      }
      waiting.delete(next);
      next.go();
    },
    taken: () => taken + waiting.size,
    close() {
      isClosed = true;
      for (const { fail } of waiting) fail(new ConnectionEnded());
      waiting.clear();
    },
  };
}
