/** SSH servers that answer wrongly, too slowly or not at all: each has its own code, and the next poll succeeds. */
import { createServer, type AddressInfo } from 'node:net';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerChannel } from 'ssh2';
import { makeKey, sshCredential } from '../../support/ssh-server.ts';
import { answer, COMMIT, GREETING, openClient, packet, REFS, rejectsWith, serve } from './ssh-harness.ts';

const SHORT = { requestTimeoutMs: 1_500, idleTimeoutMs: 1_000, headersTimeoutMs: 1_000 };

/** Programs that answer wrongly, with the code of the failure. A poll after each finds a server that has recovered. */
const HOSTILE: readonly (readonly [string, (channel: ServerChannel) => void, string, RegExp])[] = [
  ['never answers', () => undefined, 'Timeout', /in time/],
  ['sends half a packet and waits', (channel) => void channel.write('00'), 'Timeout', /in time/],
  ['ends at once', (channel) => (channel.exit(0), channel.end()), 'TruncatedAnswer', /ended early/],
  [
    'sends a greeting and ends',
    (channel) => (channel.write(GREETING), channel.exit(0), channel.end()),
    'TruncatedAnswer',
    /./,
  ],
  ['prints a banner', (channel) => void channel.write('Welcome to this machine\n'), 'NotGit', /prints nothing/],
  ['sends packets without end', (channel) => flood(channel, packet('x'.repeat(60_000))), 'TooLarge', /maxRefsBytes/],
  ['refuses', (channel) => refuse(channel, 'ERROR: Repository not found.\n', 1), 'RepositoryNotFound', /says: ERROR/],
  ['denies', (channel) => refuse(channel, 'remote: Permission denied\u0007', 1), 'AccessDenied', /apps\/git/],
  ['has no git', (channel) => refuse(channel, 'sh: git-upload-pack: not found', 127), 'NotGit', /no git-upload-pack/],
  ['fails', (channel) => refuse(channel, `fatal: ${'broken '.repeat(5000)}`, 128), 'RemoteError', /exit code 128.*…/],
  [
    'sends an error packet',
    (channel) => (channel.write(packet('ERR go away')), channel.exit(1), channel.end()),
    'RemoteError',
    /go away/,
  ],
];

function refuse(channel: ServerChannel, text: string, code: number): void {
  channel.stderr.write(text);
  channel.exit(code);
  channel.end();
}

function flood(channel: ServerChannel, text: string): void {
  const write = (): void => {
    while (!channel.destroyed && channel.writable && channel.write(text));
  };
  channel.on('drain', write);
  write();
}

for (const [name, program, code, message] of HOSTILE) {
  test(`a server that ${name} fails the poll by ${code}, and the next poll succeeds`, async (t) => {
    let current = program;
    const server = await serve(t, { onCommand: (channel) => current(channel) });
    const { poll } = openClient(t, { limits: SHORT });
    const credential = sshCredential(server.secret);
    for (let times = 0; times < 6; times++) await rejectsWith(poll(`${server.url}/a.git`, credential), code, message);
    current = answer;
    assert.equal(await poll(`${server.url}/a.git`, credential), COMMIT);
  });
}

test('a server that never closes a channel costs a connection, and every poll is answered', async (t) => {
  const server = await serve(t, {
    onCommand(channel) {
      channel.write(GREETING);
      channel.on('data', (chunk: Buffer) => String(chunk).includes('ls-refs') && channel.write(REFS));
      // The library would close the channel as soon as the client does.
      channel.close = () => undefined;
      channel.end = () => channel;
    },
  });
  const { poll } = openClient(t);
  const credential = sshCredential(server.secret);
  for (let times = 0; times < 12; times++) assert.equal(await poll(`${server.url}/a.git`, credential), COMMIT);
});

test('a server that does not greet, or is no SSH server, fails in time', async (t) => {
  const greetings = ['', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'SSH-1.5-old\r\n'];
  const codes = ['Timeout', 'Network', 'SshFailed'];
  for (const [index, greeting] of greetings.entries()) {
    const listener = createServer((socket) => {
      socket.on('error', () => undefined);
      if (greeting === '') return;
      socket.end(greeting);
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    t.after(() => listener.close());
    const { port } = listener.address() as AddressInfo;
    const key = makeKey('ed25519');
    const credential = sshCredential({ identity: key.private, known_hosts: `[127.0.0.1]:${port} ${key.public}` });
    const { poll } = openClient(t, { limits: { connectTimeoutMs: 1_000 } });
    await rejectsWith(poll(`ssh://git@127.0.0.1:${port}/a.git`, credential), codes[index] ?? '');
  }
});
