/**
 * The cost of each pure stage grows with its input, not with the square of it. Operations are counted, so a loaded
 * machine changes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationCounter, type Cost } from './operation-counter.ts';

/** Four times the input may cost this many times as much: sorting costs a little more than four times. */
const MAX_GROWTH = 5;
/** Fixed costs, such as parts that are compiled once, do not count as growth. */
const FREE_BYTES = 400_000;

const counter = await OperationCounter.start();
// Imported after the start: code that is compiled before is not counted.
const { STAGES } = await import('./pure-stages.ts');

for (const { name, size, at } of STAGES) {
  test(`four times the input costs at most five times as much in ${name}`, async () => {
    await at(size)();
    const small = await counter.count(at(size));
    const large = await counter.count(at(4 * size));
    const told = `${size}: ${tell(small)}\n${4 * size}: ${tell(large)}\n${large.busiest.join('\n')}`;
    assert.ok(small.steps > size, `nothing was counted: ${told}`);
    assert.ok(large.steps <= MAX_GROWTH * small.steps, told);
    assert.ok(large.bytes <= MAX_GROWTH * small.bytes + FREE_BYTES, told);
  });
}

function tell({ steps, bytes }: Cost): string {
  return `${steps} steps, ${bytes} bytes`;
}
