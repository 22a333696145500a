import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_UNWRITTEN } from '../../../src/application/status-schema.ts';
import { decodeWritten, encodeWritten } from '../../../src/application/written.ts';
import type { Value } from '../../../src/object/value.ts';

const keys = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 60, size: 'max' });

test('decoding gives back what was written, or less where there are too many exceptions', () => {
  fc.assert(
    fc.property(keys, fc.func(fc.boolean()), (inventory, hasWritten) => {
      const written = encodeWritten({ inventory, hasWritten }, 'uid');
      const decoded = decodeWritten({ written } as unknown as Value, inventory, 'uid');
      const expected = inventory.filter((key) => hasWritten(key));
      const isTold = inventory.length - expected.length <= MAX_UNWRITTEN;
      assert.deepEqual([...decoded], isTold ? expected : []);
    }),
  );
});

test('a proof of another Application, or one that cannot be read, proves nothing', () => {
  const proof = { uid: 'uid', except: ['b'] };
  assert.deepEqual([...decodeWritten({ written: proof }, ['a', 'b'], 'uid')], ['a']);
  for (const written of [{ ...proof, uid: 'other' }, { ...proof, except: 'b' }, 'uid', null, ['uid']]) {
    assert.deepEqual([...decodeWritten({ written }, ['a'], 'uid')], []);
  }
  assert.deepEqual([...decodeWritten({ written: { uid: '' } }, ['a'], '')], []);
  for (const stored of [undefined, null, 'x', {}]) assert.deepEqual([...decodeWritten(stored, ['a'], 'uid')], []);
});
