/** A client and servers for the tests of Git over SSH. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ServerChannel } from 'ssh2';
import { StageError } from '../../../src/object/stage-error.ts';
import type { Credential } from '../../../src/source/credential.ts';
import { defaultSourceLimits, type SourceLimits } from '../../../src/source/limits.ts';
import { createRepositoryNaming } from '../../../src/source/repository.ts';
import { parseRevision } from '../../../src/source/revision.ts';
import type { AddressRules } from '../../../src/source/transport/address-rules.ts';
import { createRemote } from '../../../src/source/transport/remote.ts';
import { createKnownHostsFile } from '../../../src/source/transport/ssh/known-hosts-file.ts';
import { createSshTransport } from '../../../src/source/transport/ssh/ssh-transport.ts';
import { startSshServer, type SshServer, type SshServerOptions } from '../../support/ssh-server.ts';
import { noProxy, temporaryFolder } from './source-harness.ts';

export const COMMIT = 'ab'.repeat(20);

interface ClientOptions {
  readonly limits?: Partial<SourceLimits>;
  readonly addresses?: AddressRules;
  readonly proxy?: string;
  readonly knownHostsFile?: string;
}

/** A client with the one operation that needs every part of a transport: a poll. */
export function openClient(
  t: TestContext,
  { limits = {}, addresses, proxy = '', knownHostsFile = '' }: ClientOptions = {},
) {
  const all = { ...defaultSourceLimits, ...limits };
  const transport = createSshTransport({
    limits: all,
    proxy: { ...noProxy, ssh: proxy },
    addresses: addresses ?? { allow: [], deny: [] },
    knownHosts: createKnownHostsFile(knownHostsFile),
  });
  t.after(() => transport.close());
  const remote = createRemote(transport, all);
  const nameRepository = createRepositoryNaming();
  return {
    transport,
    poll: async (repoUrl: string, credential?: Credential, signal?: AbortSignal) =>
      (await remote.resolve(nameRepository(repoUrl, credential), parseRevision('main'), signal)).commit,
  };
}

export async function serve(t: TestContext, options: SshServerOptions = {}): Promise<SshServer> {
  const server = await startSshServer(join(await temporaryFolder(t), 'served'), options);
  t.after(() => server.stop());
  return server;
}

export async function rejectsWith(work: Promise<unknown>, code: string, message = /./): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof StageError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /geheim/);
    return true;
  });
}

export function packet(text: string): string {
  return `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
}

export const GREETING = `${['version 2\n', 'ls-refs\n', 'fetch=shallow\n'].map(packet).join('')}0000`;
export const REFS = `${packet(`${COMMIT} refs/heads/main\n`)}0000`;

/** Answers as a server of protocol 2 whose branch is at COMMIT, without running git. */
export function answer(channel: ServerChannel): void {
  channel.write(GREETING);
  let received = '';
  channel.on('data', (chunk: Buffer) => {
    received += String(chunk);
    if (received.includes('command=ls-refs')) channel.write(REFS);
    if (!received.endsWith('0000') || received.endsWith('main\n0000')) return;
    channel.exit(0);
    channel.end();
  });
}
