/**
 * Many polls and fetches in a row leave nothing behind: no descriptor, connection or channel, and no file beyond the
 * commits that are kept. `npm run bench -- source` shows the same for a thousand polls, with memory.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createRepository } from '../../support/git-repository.ts';
import { startGitServer } from '../../support/git-server.ts';
import { startSourceApart, type ServedPlace, type SourceFigures } from '../../support/source-apart.ts';
import { startSshServer } from '../../support/ssh-server.ts';
import { temporaryFolder } from './source-harness.ts';

/** Once to begin with, and once more. */
const FETCHES = 7;
const POLLS_PER_FETCH = 5;
/** Superseded commits leave the disk after ten minutes, and a fetch comes every two minutes of the clock. */
const FETCH_EVERY_MS = 120_000;

interface Counts extends SourceFigures {
  /** At the server. */
  readonly connections: number;
}

interface FlatServer {
  readonly root: string;
  readonly url: string;
  readonly secret?: ServedPlace['secret'];
  readonly connections?: () => number;
  readonly channels?: () => number;
}

/** Fetches as many commits as given, with polls between them, and answers the counts at the end. */
async function bringAll(t: TestContext, server: FlatServer): Promise<(fetches: number) => Promise<Counts>> {
  const repository = await createRepository(server, 'flat');
  const source = startSourceApart(join(await temporaryFolder(t), 'data'));
  t.after(() => source[Symbol.asyncDispose]());
  const place = { repoUrl: repository.url, secret: server.secret };
  return async (fetches) => {
    for (let fetch = 0; fetch < fetches; fetch++) {
      const commit = await repository.commit({ 'a.yaml': `at: ${performance.now()}\n` });
      assert.equal((await source.fetch({ ...place, afterMs: FETCH_EVERY_MS })).commit, commit);
      for (let poll = 0; poll < POLLS_PER_FETCH; poll++) assert.equal((await source.poll(place)).commit, commit);
    }
    const { connections = () => 0, channels = () => 0 } = server;
    // The server may notice late that the last channel is closed.
    for (let wait = 0; channels() > 1 && wait < 2_000; wait++) await setTimeout(10);
    assert.ok(channels() <= 1, `${channels()} channels are open`);
    return { ...(await source.figures()), connections: connections() };
  };
}

/** The first fetches open what is kept, and fill the disk with the commits that are kept. */
async function staysFlat(t: TestContext, server: FlatServer): Promise<void> {
  const bring = await bringAll(t, server);
  const before = await bring(FETCHES);
  const after = await bring(FETCHES);
  // Some of them belong to a child, which ends when it is not used for a while.
  const grown = after.descriptors - before.descriptors;
  assert.ok(grown < FETCHES / 2, `${before.descriptors} descriptors became ${after.descriptors}`);
  assert.equal(after.connections, before.connections);
  assert.equal(after.snapshots, before.snapshots);
  const grownBytes = after.heapBytes - before.heapBytes;
  assert.ok(grownBytes < 4 * 2 ** 20, `the heap grew by ${grownBytes} bytes`);
}

test('polls and fetches in a row over http leave no descriptors and no files behind', async (t) => {
  const server = await startGitServer(join(await temporaryFolder(t), 'served'));
  t.after(() => server.stop());
  await staysFlat(t, server);
});

test('polls and fetches in a row over ssh leave no connections and no channels behind', async (t) => {
  const server = await startSshServer(join(await temporaryFolder(t), 'served'), { program: 'library' });
  t.after(() => server.stop());
  await staysFlat(t, server);
});
