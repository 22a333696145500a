import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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

/** The bound on answers in these tests, in bytes. */
const MAX_BYTES = 100_000;

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
  const limits = { listPageSize: 2, maxResponseBytes: MAX_BYTES };
  const log = { warn: () => {} };
  return { target: { transport, limits, log, identity: agentIdentity, kind: configMaps, namespace: 'shop' }, paths };
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

interface LargeServer {
  readonly target: ListTarget;
  readonly warned: unknown[];
  /** The limit of each request for whole objects. */
  readonly limits: number[];
}

/** A server with objects of these sizes, behind a transport that reads at most MAX_BYTES of an answer. */
function serverOf(sizes: readonly number[], listPageSize: number): LargeServer {
  const warned: unknown[] = [];
  const limits: number[] = [];
  const tooLarge = { status: 0, headers: {}, text: '', failure: 'too large', isTooLarge: true };
  const transport = {
    send({ path, accept }: HttpRequest): Promise<HttpAnswer> {
      const parameters = new URL(path, 'http://server').searchParams;
      const [from, limit] = [Number(parameters.get('continue') ?? 0), Number(parameters.get('limit'))];
      const isWhole = accept === undefined;
      if (isWhole) limits.push(limit);
      const taken = sizes.slice(from, from + limit);
      if (isWhole && taken.reduce((sum, size) => sum + size, 0) > MAX_BYTES) return Promise.resolve(tooLarge);
      const names = taken.map((_size, index) => `o${from + index}`);
      const next = from + limit < sizes.length ? { next: String(from + limit) } : {};
      return Promise.resolve({ status: 200, headers: {}, text: '', ...page({ names, ...next }) });
    },
  };
  const log = { warn: (_message: string, fields?: object) => void warned.push(fields) };
  const common = { identity: agentIdentity, kind: configMaps, namespace: 'shop' };
  return {
    target: { transport, limits: { listPageSize, maxResponseBytes: MAX_BYTES }, log, ...common },
    warned,
    limits,
  };
}

test('a list of objects of any size is complete, but for an object that is larger than the bound, which is named', () => {
  const anySizes = fc.array(fc.oneof(fc.nat(20), fc.nat(MAX_BYTES), fc.constant(MAX_BYTES + 1)), {
    maxLength: 60,
    size: 'max',
  });
  return fc.assert(
    fc.asyncProperty(anySizes, fc.integer({ min: 1, max: 50 }), async (sizes, pageSize) => {
      const { target, warned } = serverOf(sizes, pageSize);
      const { names, end } = await list(target);
      const isSmall = sizes.map((size) => size <= MAX_BYTES);
      assert.equal(end.ok, true);
      assert.deepEqual(
        names,
        sizes.map((_size, index) => `o${index}`).filter((_name, index) => isSmall[index]),
      );
      assert.equal(warned.length, isSmall.filter((is) => !is).length);
    }),
  );
});

test('pages grow again behind a few large objects', async () => {
  const { target, limits } = serverOf([...Array(4).fill(MAX_BYTES), ...Array(400).fill(0)], 64);
  assert.equal((await list(target)).end.ok, true);
  assert.equal(limits.at(-1), 64);
  assert.ok(limits.length < 30, `${limits.length} requests`);
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
