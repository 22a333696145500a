/** The repositories of `npm run bench -- source`, served over HTTP and SSH by way of relays that count bytes. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRepository, type TestRepository } from '../test/support/git-repository.ts';
import { startGitServer } from '../test/support/git-server.ts';
import type { ServedPlace } from '../test/support/source-apart.ts';
import { startSshServer } from '../test/support/ssh-server.ts';
import { startRelay, type CountingRelay } from './counting-relay.ts';

export const FOLDERS = 200;
export const FILES_PER_FOLDER = 100;
export const LARGE_MIB = 100;

/** A way to the same repositories. */
export interface Way {
  readonly name: 'http' | 'ssh';
  readonly relay: CountingRelay;
  readonly placeOf: (repository: TestRepository) => ServedPlace;
  /** The environment in which git takes this way. */
  readonly gitEnvironment: NodeJS.ProcessEnv;
}

export interface Served {
  /** 20,000 files. */
  readonly wide: TestRepository;
  /** 100 files of 1 MiB that do not compress, and some manifests. */
  readonly large: TestRepository;
  readonly small: TestRepository;
  readonly ways: readonly Way[];
}

/** Everything in `folder`. The servers end with the stack. */
export async function serveRepositories(folder: string, stack: AsyncDisposableStack): Promise<Served> {
  const http = stack.use(await startGitServer(join(folder, 'served')));
  const ssh = stack.use(await startSshServer(http.root));
  const [httpRelay, sshRelay] = [await startRelay(portOf(http.url)), await startRelay(ssh.port)];
  for (const relay of [httpRelay, sshRelay]) stack.use(relay);
  const [identity, knownHosts] = [join(folder, 'identity'), join(folder, 'known_hosts')];
  const secret = { ...ssh.secret, known_hosts: ssh.secret.known_hosts.replaceAll(`:${ssh.port}`, `:${sshRelay.port}`) };
  await writeFile(identity, secret.identity, { mode: 0o600 });
  await writeFile(knownHosts, secret.known_hosts);
  const nameOf = ({ url }: TestRepository): string => url.slice(url.lastIndexOf('/'));
  const options = ['-i', identity, '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'IdentitiesOnly=yes'];
  return {
    wide: await createWide(http),
    large: await createLarge(http),
    small: await createSmall(http),
    ways: [
      {
        name: 'http',
        relay: httpRelay,
        placeOf: (repository) => ({ repoUrl: `http://127.0.0.1:${httpRelay.port}${nameOf(repository)}` }),
        gitEnvironment: {},
      },
      {
        name: 'ssh',
        relay: sshRelay,
        placeOf: (repository) => ({
          repoUrl: `${ssh.url.replace(`:${ssh.port}`, `:${sshRelay.port}`)}${nameOf(repository)}`,
          secret,
        }),
        gitEnvironment: { GIT_SSH_COMMAND: ['ssh', '-F', 'none', ...options].join(' ') },
      },
    ],
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

type Server = Parameters<typeof createRepository>[0];

async function createWide(server: Server): Promise<TestRepository> {
  const repository = await createRepository(server, 'wide');
  const files: Record<string, string> = {};
  for (let folder = 0; folder < FOLDERS; folder++) {
    for (let file = 0; file < FILES_PER_FOLDER; file++) files[pathOf(folder, file)] = manifest(folder, file);
  }
  await repository.commit(files);
  return repository;
}

async function createLarge(server: Server): Promise<TestRepository> {
  const repository = await createRepository(server, 'large');
  const files: Record<string, string | Uint8Array> = {};
  for (let file = 0; file < LARGE_MIB; file++) files[`data/${file}.bin`] = randomBytes(2 ** 20);
  for (let file = 0; file < 50; file++) files[pathOf(0, file)] = manifest(0, file);
  await repository.commit(files);
  return repository;
}

async function createSmall(server: Server): Promise<TestRepository> {
  const repository = await createRepository(server, 'small');
  await repository.commit({ 'a.yaml': manifest(0, 0) });
  return repository;
}

/** One file of the repository of 20,000. */
export function pathOf(folder: number, file: number): string {
  return `app-${folder}/map-${file}.yaml`;
}

export function manifest(folder: number, file: number, change = 0): string {
  const lines = ['apiVersion: v1', 'kind: ConfigMap', 'metadata:', `  name: map-${file}`, `  namespace: app-${folder}`];
  return [...lines, 'data:', `  app: "${folder}"`, `  file: "${file}"`, `  change: "${change}"`, ''].join('\n');
}
