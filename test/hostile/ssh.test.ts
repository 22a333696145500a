/** The trees and packs of `git-attacks.ts` from an SSH server in protocol 0, which sends them as they are. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { ServerChannel } from 'ssh2';
import { StageError } from '../../src/object/stage-error.ts';
import { encodeLine, FLUSH } from '../../src/source/transport/pkt-line.ts';
import { startSshServer } from '../support/ssh-server.ts';
import { BLOB, commitOf, entry, oidOf, packOf } from '../support/hand-made-pack.ts';
import { overSshServer, startHarnessOver } from '../unit/source/source-harness.ts';
import { CONFIG_MAP, type Attack } from './attack.ts';
import { advertisementBody, serves, type Replies, type Reply } from './front.ts';
import { ANSWER_ATTACKS, PACK_ATTACKS, TREE_ATTACKS } from './git-attacks.ts';

/** As low as those of the agent of `arena.ts`. */
const LIMITS = { maxPackBytes: 4 * 2 ** 20, maxFiles: 20_000, fetchTimeoutMs: 30_000 };

const blob = Buffer.from(CONFIG_MAP);
const honest = commitOf({ 'a.yaml': oidOf(BLOB, blob) });
const HONEST = serves(honest.commit, packOf([...honest.entries, entry(BLOB, blob)]));

/** The answers whose pack is hostile. `ssh-hostile.test.ts` tries those that never end, since its times are short. */
const ANSWERS = ANSWER_ATTACKS.filter(({ name, strike }) => {
  const isWhole = !/^endless|byte by byte/.test(name);
  return isWhole && strike.type === 'server' && strike.replies.pack;
});

test('trees, packs and answers that are refused over http are refused over ssh, and the next fetch succeeds', async (t) => {
  let replies: Replies = HONEST;
  const over = overSshServer('ssh', (root) =>
    startSshServer(root, { onCommand: (channel) => answer(channel, replies) }),
  );
  const { server, source } = await startHarnessOver(over, t, { limits: LIMITS });
  const repoUrl = `${server.url}/a.git`;
  const fetch = async () => source.fetch({ repoUrl, resolved: await source.poll({ repoUrl }) });
  for (const { name, strike, expected } of [...TREE_ATTACKS, ...PACK_ATTACKS, ...ANSWERS]) {
    replies = repliesOf(strike);
    await assert.rejects(fetch(), (error: unknown) => {
      assert.ok(error instanceof StageError, `${name}: ${String(error)}`);
      assert.ok(expected.includes(error.code), `${name}: ${error.code}, ${error.message}`);
      return true;
    });
  }
  replies = HONEST;
  assert.equal((await fetch()).commit, honest.commit);
});

function repliesOf(strike: Attack['strike']): Replies {
  assert.ok(strike.type === 'server');
  return strike.replies;
}

const SERVICE_LINE = encodeLine('# service=git-upload-pack\n') + FLUSH;

/** Answers a poll and a fetch. */
function answer(channel: ServerChannel, { refs, pack }: Replies): void {
  const listed = refs && /[0-9a-f]{40}/.exec(bytesOf(refs).toString('latin1').slice(4))?.[0];
  channel.write(advertisementBody(listed ?? '', ['HEAD']).slice(SERVICE_LINE.length));
  let received = '';
  channel.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    if (/done\n?$/.test(received)) {
      if (pack) channel.write(bytesOf(pack));
    } else if (received !== FLUSH) return;
    channel.exit(0);
    channel.end();
  });
}

/** The body of an answer that ends at once. */
function bytesOf(reply: Reply): Buffer {
  let bytes = Buffer.alloc(0);
  const response = {
    writeHead: () => response,
    end: (body: string | Uint8Array = '') => void (bytes = Buffer.from(body)),
  };
  reply(response as unknown as ServerResponse);
  return bytes;
}
