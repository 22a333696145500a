import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import type { HttpAnswer, HttpRequest } from '../../../../src/cluster/transport/transport.ts';
import { checkRevision, listAll, type ListTarget } from '../../../../src/cluster/watches/watch-list.ts';
import { stringAt } from '../../../../src/object/value.ts';
import { configMaps } from '../sample-kinds.ts';

interface Page {
  readonly names?: readonly string[];
  readonly resourceVersion?: string;
  readonly next?: string;
}

const page = ({ names = [], resourceVersion = '20', next }: Page): Partial<HttpAnswer> => ({
  text: JSON.stringify({
    metadata: { resourceVersion, ...(next !== undefined && { continue: next }) },
    items: names.map((name) => ({ metadata: { name } })),
  }),
});
const expired: Partial<HttpAnswer> = {
  status: 410,
  text: JSON.stringify({ kind: 'Status', code: 410, reason: 'Expired', metadata: { continue: 'mixed' } }),
};

/** A target whose requests are answered one after the other by these answers, the last one again and again. */
function targetOf(...answers: Partial<HttpAnswer>[]): { readonly target: ListTarget; readonly paths: string[] } {
  const paths: string[] = [];
  const transport = {
    send(request: HttpRequest): Promise<HttpAnswer> {
      paths.push(request.path);
      return Promise.resolve({ status: 200, headers: {}, text: '', ...(answers[paths.length - 1] ?? answers.at(-1)) });
    },
  };
  const limits = { listPageSize: 2 };
  return { target: { transport, limits, identity: agentIdentity, kind: configMaps, namespace: 'shop' }, paths };
}

async function list(target: ListTarget): Promise<{ names: string[]; end: Awaited<ReturnType<typeof listAll>> }> {
  const names: string[] = [];
  const end = await listAll(target, (item) => void names.push(stringAt(item, 'metadata', 'name') ?? ''));
  return { names, end };
}

test('a list follows its page tokens to the end', async () => {
  const { target, paths } = targetOf(page({ names: ['a', 'b'], next: 'x y' }), page({ names: ['c'] }));
  assert.deepEqual(await list(target), { names: ['a', 'b', 'c'], end: { ok: true, resourceVersion: '20' } });
  assert.deepEqual(paths, [
    '/api/v1/namespaces/shop/configmaps?limit=2',
    '/api/v1/namespaces/shop/configmaps?limit=2&continue=x%20y',
  ]);
});

test('an expired page token starts the list over, and the token that the server offers is not used', async () => {
  const { target, paths } = targetOf(page({ names: ['a'], next: 'old' }), expired, page({ names: ['a', 'b'] }));
  const { names, end } = await list(target);
  assert.deepEqual(names, ['a', 'a', 'b']);
  assert.equal(end.ok, true);
  assert.ok(paths.every((path) => !path.includes('mixed')));
});

test('a list whose page tokens expire again and again is refused', async () => {
  const first = page({ names: ['a'], next: 'old' });
  const { target, paths } = targetOf(first, expired, first, expired, first, expired);
  const { end } = await list(target);
  assert.equal(end.ok, false);
  assert.equal(paths.length, 6);
});

test('an answer that is not a list is a refusal', async () => {
  for (const answer of [{ text: '<html>' }, { status: 403 }, { text: '{"items":[]}' }]) {
    assert.equal((await list(targetOf(answer).target)).end.ok, false);
  }
});

test('the server has reached a resourceVersion if its own is not lower', async () => {
  const reached = async (own: string): Promise<unknown> =>
    checkRevision(targetOf(page({ resourceVersion: own })).target, '20');
  assert.deepEqual(await reached('20'), { ok: true, isReached: true });
  assert.deepEqual(await reached('100'), { ok: true, isReached: true });
  assert.deepEqual(await reached('19'), { ok: true, isReached: false });
  assert.deepEqual(await reached('opaque'), { ok: true, isReached: false });
  const refused = await checkRevision(targetOf({ status: 403 }).target, '20');
  assert.ok(!refused.ok && refused.refusal.code === 'Forbidden');
});
