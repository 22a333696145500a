import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeOf } from '../../../src/object/size.ts';
import { StageError } from '../../../src/object/stage-error.ts';
import type { Value } from '../../../src/object/value.ts';
import { measureRendered, type RenderedSizeLimits } from '../../../src/render/rendered-size.ts';
import { idOf } from '../../support/changes.ts';
import { manifestOf, manifestsOf } from '../../support/reading.ts';

const LIMITS: RenderedSizeLimits = { maxRenderedObjectBytes: 3_000, maxRenderedBytes: 10_000 };

const manifest = (name: string, chars: number) => manifestOf(idOf(name), { data: { x: 'x'.repeat(chars) } });

test('the size of a value is that of its texts, and more for each value', () => {
  const texts = 'x'.repeat(1_000);
  assert.ok(sizeOf(texts) >= 1_000 && sizeOf(texts) < 1_100);
  assert.ok(sizeOf('ü'.repeat(1_000)) >= 2_000, 'in bytes');
  const empty = Array.from({ length: 1_000 }, (): Value => []);
  assert.ok(sizeOf(empty) > 5 * JSON.stringify(empty).length, 'an empty list takes more memory than its text');
});

const REFUSED: readonly (readonly [string, Parameters<typeof manifestsOf>, RegExp])[] = [
  ['one large object', [[manifest('a', 100), manifest('big', 3_000)]], /big \(big\.yaml:1\).*--max-object-mib/],
  ['many objects', [Array.from({ length: 5 }, (_, i) => manifest(`a${i}`, 2_500))], /--max-rendered-mib/],
  [
    'many problems',
    [
      [manifest('a', 100)],
      { problems: Array.from({ length: 100 }, () => ({ code: 'YamlSyntax' as const, message: 'm'.repeat(100) })) },
    ],
    /--max-rendered-mib/,
  ],
  ['many names of files', [[manifest('a', 100)], { readSet: { ['f'.repeat(10_000)]: '' } }], /--max-rendered-mib/],
];
for (const [what, rendered, message] of REFUSED) {
  test(`a render with ${what} beyond a bound is TooLarge, and the message names the setting`, () => {
    assert.throws(
      () => measureRendered(manifestsOf(...rendered), LIMITS),
      (error) => error instanceof StageError && error.code === 'TooLarge' && message.test(error.message),
    );
  });
}

test('a render within its bounds is measured', () => {
  const sizeBytes = measureRendered(manifestsOf([manifest('a', 2_000), manifest('b', 2_000)]), LIMITS);
  assert.ok(sizeBytes > 4_000 && sizeBytes < 5_000, String(sizeBytes));
});
