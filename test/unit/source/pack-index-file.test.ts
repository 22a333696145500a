import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePackIndex, encodePackIndex, OBJECT_TYPES } from '../../../src/source/packs/pack-index-file.ts';

const OID_BYTES = 20;

/** Ids of which many begin alike, and some are equal. */
const oids = fc.array(
  fc
    .tuple(fc.constantFrom('00000000', '00000001', 'ffffffff', '80000000'), fc.nat(3))
    .map(([head, tail]) => `${head}${String(tail).repeat(32)}`),
  { maxLength: 40, size: 'max' },
);

test('an index finds each id at an entry that has it, also among ids that begin alike, and no other id', () => {
  fc.assert(
    fc.property(oids, (ids) => {
      const columns = {
        packBytes: 1_000,
        packChecksum: 'ab'.repeat(OID_BYTES),
        count: ids.length,
        oids: Buffer.from(ids.join(''), 'hex'),
        offsets: Uint32Array.from(ids, (_, entry) => entry + 12),
        sizes: Uint32Array.from(ids, (_, entry) => entry * 2),
        types: Uint8Array.from(ids, (_, entry) => entry % OBJECT_TYPES.length),
      };
      const index = decodePackIndex(encodePackIndex(columns));
      assert.equal(index.count, new Set(ids).size);
      for (const id of ids) {
        const found = index.find(id);
        assert.ok(found);
        const entry = found.offset - 12;
        assert.equal(ids[entry], id);
        assert.deepEqual(found, { offset: entry + 12, sizeBytes: entry * 2, type: OBJECT_TYPES[entry % 4] });
      }
      assert.equal(index.find(`00000000${'4'.repeat(32)}`), undefined);
    }),
  );
});
