import assert from 'node:assert/strict';
import { test } from 'node:test';
import { treeOfNeed, treesOfOthers } from '../../../../src/reconcile/desired/other-sources.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { beginReading } from '../../../../src/reconcile/pass.ts';
import type { PollRequest } from '../../../../src/source/ports.ts';
import { sourceError } from '../../../../src/object/source-error.ts';
import { applicationOf, snapshotOf } from '../../../support/applications.ts';
import { scriptReading } from '../../../support/reading.ts';

const LOGIN = Object.entries({ username: 'me', password: 'word' }).map(
  ([key, text]) => [key, Buffer.from(text)] as const,
);

/** Asks for a chart, and returns the poll that comes of it. */
async function pollFor(repoURL: string, ownAddress: string, version = '1.x'): Promise<PollRequest | undefined> {
  const { context } = scriptReading({ secret: { ok: true, data: new Map(LOGIN) } });
  let polled: PollRequest | undefined;
  const source: typeof context.source = {
    ...context.source,
    poll: (request) => {
      polled = request;
      return context.source.poll(request);
    },
    fetch: async ({ resolved, repoUrl }) => ({ ...resolved, id: 'x', repoUrl, tree: { gitDir: '/', treeOid: '1' } }),
  };
  const spec = { source: { repoURL: ownAddress, chart: 'own', secretRef: { name: 'login' } } };
  const { signal } = new AbortController();
  const reading = beginReading({
    application: applicationOf({ spec }),
    memory: emptyMemory(),
    context: { ...context, source },
    signal,
  });
  await treeOfNeed(reading, { type: 'chart', key: 'k', repoURL, name: 'web', version });
  return polled;
}

test('a chart that a render asks for is polled by its own name and version', async () => {
  const { repoUrl, chart, revision } = (await pollFor('https://charts.example/a', 'https://charts.example/b')) ?? {};
  assert.deepEqual([repoUrl, chart, revision], ['https://charts.example/a', 'web', '1.x']);
  assert.equal((await pollFor('https://charts.example', 'https://charts.example', ''))?.revision, 'HEAD');
});

test('the credential of an Application goes to charts of the same scheme and host alone', async () => {
  const isShown = async (address: string, own: string): Promise<boolean> =>
    (await pollFor(address, own))?.credential !== undefined;
  assert.equal(await isShown('https://charts.example/a', 'https://charts.example/b'), true);
  assert.equal(await isShown('oci://r.example:5000/a', 'oci://r.example:5000/b'), true);
  assert.equal(await isShown('oci://other.example/a', 'oci://r.example/b'), false);
  assert.equal(await isShown('https://r.example/a', 'oci://r.example/b'), false);
  assert.equal(await isShown('http://charts.example/a', 'https://charts.example/b'), false);
  assert.equal(await isShown('https://charts.example:8443/a', 'https://charts.example/b'), false);
});

const VALUES = 'https://git.example.com/values.git';
const BASE = 'https://git.example.com/base.git';

/** A pass after a restart, while no server answers: the disk has every snapshot. */
function restarted(sources: { name: string; revision: string }[]) {
  const { context } = scriptReading();
  const asked: string[] = [];
  const source: typeof context.source = {
    ...context.source,
    poll: async () => Promise.reject(sourceError('Network', 'no answer')),
    recall: async ({ repoUrl, resolved }) => {
      asked.push(`${repoUrl} ${resolved.revision}`);
      return { ...snapshotOf('b'), ...resolved, repoUrl };
    },
  };
  const application = applicationOf({
    spec: { sources: [{ name: 'values', repoURL: VALUES }] },
    status: { sync: { status: 'Synced', sources } },
  });
  const { signal } = new AbortController();
  const reading = beginReading({ application, memory: emptyMemory(), context: { ...context, source }, signal });
  return { reading, asked };
}

test('after a restart without a server other sources and remote bases are used as status names them', async () => {
  const { revision } = snapshotOf('b');
  const { reading, asked } = restarted([
    { name: 'values', revision },
    { name: BASE, revision },
  ]);
  assert.deepEqual([...(await treesOfOthers(reading)).keys()], ['$values']);
  const need = { type: 'repository', key: 'k', repoURL: BASE, revision: 'main', isPinned: true } as const;
  await treeOfNeed(reading, need);
  assert.deepEqual(asked, [`${VALUES} ${revision}`, `${BASE} ${revision}`]);
});

test('without a revision in status the error of the poll is told', async () => {
  const { reading } = restarted([]);
  await assert.rejects(treesOfOthers(reading), { code: 'Network' });
});
