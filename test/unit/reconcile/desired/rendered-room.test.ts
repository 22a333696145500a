import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseRendered } from '../../../../src/reconcile/desired/rendered-room.ts';
import { sumRendered } from '../../../../src/reconcile/neighbours/rendered-sizes.ts';
import { newChance } from '../../../support/chance.ts';
import { createNeighbourhood } from '../../../support/applications.ts';
import { manifestsOf } from '../../../support/reading.ts';

const ROOM = { maxNamespaceRenderedBytes: 100, maxTotalRenderedBytes: 200 };

const CASES = [
  ['there is room', 60, { namespaceBytes: 40, totalBytes: 40, namespaces: 1 }, undefined],
  ['its namespace is full', 61, { namespaceBytes: 40, totalBytes: 40, namespaces: 1 }, /--max-namespace-rendered-mib/],
  [
    'all together is full, and its namespace has its share',
    50,
    { namespaceBytes: 40, totalBytes: 190, namespaces: 4 },
    /--max-total-rendered-mib/,
  ],
  ['all together is full, and its namespace has little', 10, { namespaceBytes: 0, totalBytes: 250, namespaces: 4 }],
] as const;
for (const [situation, sizeBytes, others, refusal] of CASES) {
  test(`a render is ${refusal ? 'refused' : 'kept'} where ${situation}`, () => {
    const refused = refuseRendered(sizeBytes, others, ROOM);
    assert.equal(refused?.code, refusal && 'TooLarge');
    assert.match(refused?.message ?? '', refusal ?? /^$/);
  });
}

test('random pushes of many namespaces never keep more than twice the total, and none keeps more than its bound', () => {
  const chance = newChance(7);
  const kept = new Map<string, number>();
  for (let push = 0; push < 5_000; push++) {
    const [namespace, application] = [chance.int(40), chance.int(8)];
    const key = `n${namespace}/${application}`;
    const others = [...kept].filter(([other]) => other !== key);
    const own = others.filter(([other]) => other.startsWith(`n${namespace}/`));
    const sum = (entries: typeof others) => entries.reduce((total, [, bytes]) => total + bytes, 0);
    const sizes = {
      namespaceBytes: sum(own),
      totalBytes: sum(others),
      namespaces: new Set([...others.map(([other]) => other.split('/')[0]), `n${namespace}`]).size,
    };
    const sizeBytes = chance.int(60);
    if (!refuseRendered(sizeBytes, sizes, ROOM)) kept.set(key, sizeBytes);
    assert.ok(sum([...kept]) <= 2 * ROOM.maxTotalRenderedBytes);
    assert.ok(sum([...kept].filter(([other]) => other.startsWith(`n${namespace}/`))) <= ROOM.maxNamespaceRenderedBytes);
  }
});

test('the sizes of others are those of their last render, or of the older one that is still healed', () => {
  const { add, neighbours } = createNeighbourhood();
  for (const [name, renderedBytes, boundBytes] of [
    ['a', 10, 10],
    ['b', 1, 30],
    ['c', 500, 500],
  ] as const) {
    const { desired } = add({ name }).memory;
    Object.assign(desired, {
      boundBytes,
      rendered: { key: '', manifests: manifestsOf([], { sizeBytes: renderedBytes }) },
    });
  }
  assert.deepEqual(neighbours.renderedSizes('apps/c'), { namespaceBytes: 40, totalBytes: 40, namespaces: 1 });
  assert.deepEqual(neighbours.renderedSizes('other/c'), { namespaceBytes: 0, totalBytes: 540, namespaces: 2 });
  assert.deepEqual(sumRendered([], 'apps/c'), { namespaceBytes: 0, totalBytes: 0, namespaces: 1 });
});
