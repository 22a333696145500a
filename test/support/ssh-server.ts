/**
 * Git over SSH for tests, on 127.0.0.1: OpenSSH's sshd where it is installed, else the server of the SSH library. Both
 * run Git's own upload-pack.
 *
 * Invariant: the keys are made for the test, and the files of the server are in a folder of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import ssh2, { type ServerChannel } from 'ssh2';
import { parseCredential, type Credential } from '../../src/source/credential.ts';
import { gitEnvironment } from './git-command.ts';

export interface SshServer extends AsyncDisposable {
  /** ssh://user@127.0.0.1:port/folder, without a slash at the end. */
  readonly url: string;
  /** Directory of the bare repositories. */
  readonly root: string;
  readonly port: number;
  /** Connections that a client opened; counted by the server of the library only. */
  readonly connections: () => number;
  /** Channels on which a program runs; counted by the server of the library only. */
  readonly channels: () => number;
  /** Breaks the connections; with the server of the library only. */
  readonly cutConnections: () => void;
  /** The values of a Secret with the deploy key. */
  readonly secret: { readonly identity: string; readonly known_hosts: string };
  stop(): Promise<void>;
}

export interface SshServerOptions {
  /** Whether the client may ask for protocol 2. Default: true. */
  readonly isProtocol2?: boolean;
  /** Default: OpenSSH where it is installed. */
  readonly program?: 'openssh' | 'library';
  /** Lines for sshd_config. */
  readonly config?: readonly string[];
  /** More keys that may log in, each in the form of authorized_keys. */
  readonly authorized?: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
  /** Answers each command in the place of git; for the server of the library only. */
  readonly onCommand?: (channel: ServerChannel, command: string) => void;
}

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path));

export const hasOpenSsh = SSHD !== undefined;

export type KeyPair = ReturnType<typeof ssh2.utils.generateKeyPairSync>;

export function makeKey(type: 'ed25519' | 'ecdsa' | 'rsa', passphrase?: string): KeyPair {
  const sealed = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 16 };
  const options = { comment: 'test', ...sealed };
  if (type === 'ed25519') {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', options);
    // One in 256 keys of the library lacks a leading zero, and is damaged.
    const isDamaged = ssh2.utils.parseKey(pair.private, passphrase) instanceof Error;
    return isDamaged ? makeKey(type, passphrase) : pair;
  }
  if (type === 'ecdsa') return ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, ...options });
  return ssh2.utils.generateKeyPairSync('rsa', { bits: 2048, ...options });
}

/** A credential as a Secret with these values gives it. */
export function sshCredential(values: Readonly<Record<string, string>>, secret = 'apps/git'): Credential {
  const data = new Map(Object.entries(values).map(([key, text]) => [key, Buffer.from(text)]));
  return parseCredential({ secret, data });
}

/** Serves every bare repository below `root`. */
export async function startSshServer(root: string, options: SshServerOptions = {}): Promise<SshServer> {
  const absoluteRoot = resolvePath(root);
  await mkdir(absoluteRoot, { recursive: true });
  const login = makeKey('ed25519');
  const hostKeys = (['ed25519', 'ecdsa', 'rsa'] as const).map((type) => makeKey(type));
  const parts: ServerParts = { ...options, login, hostKeys, root: absoluteRoot };
  const isOpenSsh = hasOpenSsh && options.program !== 'library' && !options.onCommand;
  const { stop, ...running } = isOpenSsh ? await startOpenSsh(parts) : await startLibrary(parts);
  const { port } = running;
  const known = hostKeys.map((key) => `[127.0.0.1]:${port} ${key.public}\n`).join('');
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}${absoluteRoot}`,
    root: absoluteRoot,
    ...running,
    secret: { identity: login.private, known_hosts: known },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface ServerParts extends SshServerOptions {
  readonly root: string;
  readonly login: KeyPair;
  readonly hostKeys: readonly KeyPair[];
}

interface Running {
  readonly port: number;
  readonly connections: () => number;
  readonly channels: () => number;
  readonly cutConnections: () => void;
  readonly stop: () => Promise<void>;
}

async function startOpenSsh(parts: ServerParts): Promise<Running> {
  const { login, hostKeys, isProtocol2 = true, config = [], authorized = [] } = parts;
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'tautline-sshd-')));
  const file = (name: string): string => join(dir, name);
  for (const [index, key] of hostKeys.entries()) await writeFile(file(`host-${index}`), key.private, { mode: 0o600 });
  await writeFile(file('authorized'), [login.public, ...authorized].join('\n'), { mode: 0o600 });
  // sshd started by root demands this folder.
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true });
  const port = parts.port ?? (await freePort());
  const lines = [
    ...[
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `PidFile ${file('pid')}`,
      `AuthorizedKeysFile ${file('authorized')}`,
    ],
    ...hostKeys.map((_, index) => `HostKey ${file(`host-${index}`)}`),
    ...['StrictModes no', 'UsePAM no', 'PermitRootLogin prohibit-password', 'PasswordAuthentication no'],
    ...['PrintMotd no', 'PrintLastLog no', 'MaxStartups 100', isProtocol2 ? 'AcceptEnv GIT_PROTOCOL' : ''],
    ...config,
  ];
  await writeFile(file('config'), `${lines.join('\n')}\n`);
  const child = spawn(SSHD ?? 'sshd', ['-D', '-e', '-f', file('config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + String(chunk)).slice(-4000);
    if (said.includes('Server listening on')) resolve();
  });
  child.once('error', reject);
  child.once('exit', () => reject(new Error(`sshd ended: ${said}`)));
  const stop = async (): Promise<void> => {
    await endChild(child);
    await rm(dir, { recursive: true, force: true });
  };
  await listening.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { port, connections: () => 0, channels: () => 0, cutConnections: () => undefined, stop };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await ended;
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function startLibrary(parts: ServerParts): Promise<Running> {
  const { login, hostKeys, isProtocol2 = true, authorized = [] } = parts;
  const children = new Set<ChildProcess>();
  const connections = new Set<{ end(): unknown }>();
  const channels = new Set<ServerChannel>();
  const logins = [login.public, ...authorized].map((text) => parsedKey(text).getPublicSSH());
  const server = new ssh2.Server({ hostKeys: hostKeys.map((key) => key.private) }, (client) => {
    // Otherwise each small answer waits for the acknowledgement of the one before. The types lack the function.
    (client as unknown as { setNoDelay(isOn: boolean): void }).setNoDelay(true);
    connections.add(client);
    client.on('error', () => undefined);
    client.on('close', () => connections.delete(client));
    client.on('authentication', (context) => {
      const isKnown = context.method === 'publickey' && logins.some((key) => key.equals(context.key.data));
      if (!isKnown) return context.reject(['publickey']);
      const { signature, blob } = context as { signature?: Buffer; blob?: Buffer };
      if (!signature || !blob) return context.accept();
      const key = parsedKey([login.public, ...authorized].find((_, index) => logins[index]?.equals(context.key.data)));
      return key.verify(blob, signature, context.hashAlgo) === true ? context.accept() : context.reject();
    });
    client.on('session', (accept) => {
      const session = accept();
      let protocol: string | undefined;
      session.on('env', (acceptEnv, _reject, info) => {
        if (isProtocol2 && info.key === 'GIT_PROTOCOL') protocol = info.val;
        acceptEnv?.();
      });
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channels.add(channel);
        channel.on('close', () => channels.delete(channel));
        channel.on('error', () => undefined);
        if (parts.onCommand) return parts.onCommand(channel, command);
        const environment = { ...gitEnvironment(), ...(protocol !== undefined && { GIT_PROTOCOL: protocol }) };
        const child = spawn('sh', ['-c', command], { env: environment, stdio: 'pipe' });
        children.add(child);
        child.stdin.on('error', () => undefined);
        channel.pipe(child.stdin);
        // A channel is closed only once it was read to its end, also if git does not read so far.
        child.stdin.once('close', () => channel.resume());
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        child.once('close', (code) => {
          children.delete(child);
          channel.exit(code ?? 1);
          channel.end();
        });
      });
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(parts.port ?? 0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  return {
    port,
    connections: () => connections.size,
    channels: () => channels.size,
    cutConnections() {
      for (const connection of connections) connection.end();
    },
    async stop() {
      for (const child of children) child.kill('SIGKILL');
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function parsedKey(text = '') {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}
