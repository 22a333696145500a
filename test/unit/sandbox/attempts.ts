/**
 * The attempts of code that has taken over a child of the sandbox: signals, the network, files, processes, and modules
 * of Node by every way there is. Each attempt answers 'refused', or says what it got.
 */
import { createRequire } from 'node:module';

const requireAny = createRequire(import.meta.url);

type Attempt = (input: AttemptInput) => unknown;

export interface AttemptInput {
  /** A port of 127.0.0.1 on which a server listens. */
  readonly port: number;
  /** A file outside the folders of the child. */
  readonly file: string;
}

const MODULES = [
  'net',
  'http',
  'https',
  'http2',
  'tls',
  'dgram',
  'dns',
  'child_process',
  'worker_threads',
  'inspector',
];

export const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  'signal by process.kill': () => process.kill(process.ppid, 'SIGUSR1'),
  'signal by process._debugProcess': () => member(process, '_debugProcess')(process.ppid),
  'connection by fetch': ({ port }) => fetch(`http://127.0.0.1:${port}/`),
  'connection by WebSocket': ({ port }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    return new Promise((_, reject) => socket.addEventListener('error', () => reject(new Error('no connection'))));
  },
  'connection by net': async ({ port }) => {
    const { connect } = await import('node:net');
    return new Promise((resolve, reject) => {
      connect({ host: '127.0.0.1', port })
        .on('connect', () => resolve('connected'))
        .on('error', reject);
    });
  },
  datagram: async () => {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.bind(0, '127.0.0.1', () => socket.close(() => resolve('bound')));
    });
  },
  'file by fs': async ({ file }) => (await import('node:fs')).readFileSync(file),
  'environment of the parent': async () => (await import('node:fs')).readFileSync(`/proc/${process.ppid}/environ`),
  'native code by process.dlopen': () => member(process, 'dlopen')({ exports: {} }, '/lib/x.node'),
  ...Object.fromEntries(
    MODULES.flatMap((name): [string, Attempt][] => [
      [`import of ${name}`, () => import(`node:${name}`)],
      [`require of ${name}`, () => requireAny(name) as unknown],
      [`getBuiltinModule of ${name}`, () => process.getBuiltinModule(name)],
    ]),
  ),
};

/** The answers of all attempts, as JSON. */
export async function makeAttempts(input: AttemptInput): Promise<Uint8Array> {
  const answers: [string, string][] = [];
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    const answer = await Promise.resolve()
      .then(() => attempt(input))
      .then(
        (got) => `got ${Object.prototype.toString.call(got)}`,
        () => 'refused',
      );
    answers.push([name, answer]);
  }
  return Buffer.from(JSON.stringify(Object.fromEntries(answers)));
}

function member(owner: object, name: string): (...args: unknown[]) => unknown {
  return Reflect.get(owner, name) as (...args: unknown[]) => unknown;
}
