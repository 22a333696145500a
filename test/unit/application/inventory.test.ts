/** Encoding and decoding keep every id, and a value that cannot be decoded is an error, never an empty list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  decodeInventory,
  encodeInventory,
  MAX_PLAIN_INVENTORY_BYTES,
  minusIds,
  unionIds,
} from '../../../src/application/inventory.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { Value } from '../../../src/object/value.ts';

const web: ObjectId = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const api: ObjectId = { ...web, name: 'api' };
const shop: ObjectId = { group: '', kind: 'Namespace', namespace: '', name: 'shop' };

const keysOf = (ids: readonly ObjectId[]): string[] => ids.map(idKey).sort();

function decoded(value: Value | undefined): ObjectId[] {
  const result = decodeInventory(value);
  assert.ok(result.ok, result.ok ? '' : result.problem);
  return result.ids;
}

test('ids are grouped by kind and namespace, and equal sets give equal values', () => {
  const value = encodeInventory([web, shop, api, web]);
  assert.deepEqual(JSON.parse(JSON.stringify(value)), {
    objects: { Namespace: { '': 'shop' }, 'apps/Deployment': { shop: 'api web' } },
  });
  assert.equal(JSON.stringify(encodeInventory([api, web, shop])), JSON.stringify(value));
});

test('decoding returns exactly the encoded ids', () => {
  const word = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,8}[a-z0-9])?$/);
  const name = fc.oneof(word, fc.constantFrom('system:node role', 'constructor', '__proto__', 'a  b', '7'));
  const id = fc.record({
    group: fc.oneof(fc.constant(''), word),
    kind: fc.constantFrom('ConfigMap', 'Deployment', 'constructor'),
    namespace: fc.oneof(fc.constant(''), word, fc.constant('__proto__')),
    name,
  });
  fc.assert(
    fc.property(fc.array(id), (ids) => {
      const stored = JSON.parse(JSON.stringify(encodeInventory(ids))) as Value;
      assert.deepEqual(keysOf(decoded(stored)), [...new Set(keysOf(ids))]);
    }),
  );
});

test('an absent inventory decodes to no ids', () => {
  assert.deepEqual(decoded(undefined), []);
  assert.deepEqual(decoded(encodeInventory([]) as Value), []);
});

test('ten thousand ids are gzipped below the plain limit and decoded completely', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => ({
    group: index % 2 ? 'apps' : '',
    kind: index % 2 ? 'Deployment' : 'ConfigMap',
    namespace: `team-${index % 50}`,
    name: `service-${index}-${(index * 7919) % 10_007}`,
  }));
  const value = encodeInventory(ids);
  assert.equal(value.objects, undefined);
  assert.ok((value.gzip?.length ?? 0) < MAX_PLAIN_INVENTORY_BYTES);
  assert.deepEqual(keysOf(decoded(value as Value)), keysOf(ids));
});

test('a malformed inventory is a problem for people, neither an exception nor an empty list', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64');
  const malformed: Value[] = [
    null,
    'text',
    [],
    {},
    { objects: {}, gzip: '' },
    { objects: [] },
    { objects: { Kind: 'x' } },
    { objects: { '': {} } },
    { objects: { 'a/b/C': { ns: 'x' } } },
    { objects: { '/C': { ns: 'x' } } },
    { objects: { C: { ns: '' } } },
    { objects: { C: { ns: 'a  b' } } },
    { objects: { C: { ns: 7 } } },
    { gzip: 'AAAA' },
    { gzip: 7 },
    { gzip: bomb },
    { gzip: gzipSync('[1]').toString('base64') },
    { gzip: gzipSync('{').toString('base64') },
  ];
  for (const value of malformed) {
    const result = decodeInventory(value);
    assert.ok(!result.ok, JSON.stringify(value).slice(0, 80));
    assert.match(result.problem, /status\.inventory cannot be read .* nothing is pruned/);
  }
});

test('no stored value makes decoding throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      decodeInventory(value as Value);
      decodeInventory({ objects: value as Value });
    }),
  );
});

test('unionIds returns every id once, and minusIds compares by id', () => {
  assert.deepEqual(keysOf(unionIds([web, shop], [{ ...web }, api])), keysOf([web, shop, api]));
  assert.deepEqual(minusIds([web, shop], [{ ...web }]), [shop]);
});
