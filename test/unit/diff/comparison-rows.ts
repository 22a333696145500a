/** Tests of comparisons as rows of a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareObject, type Comparison } from '../../../src/diff/compare.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';
import { desiredOf, liveOf, ours, type Entry } from './fixtures.ts';

interface Sides {
  desired: ValueMap;
  live: ValueMap;
  /** Fields of our managedFields entry; default: all desired fields. null: there is no entry. */
  owned?: ValueMap | null;
  entries?: Entry[];
}

function compare(apiVersion: string, kind: string, { desired, live, owned = desired, entries = [] }: Sides) {
  const of = (rest: ValueMap): KubeObject => ours(apiVersion, kind, 'a', rest);
  return compareObject(
    desiredOf(of(desired)),
    liveOf(of(live), { owned: owned === null ? null : of(owned), entries }),
    20,
  );
}

/** The content of a Pod with one container. */
export function container(rest: ValueMap): ValueMap {
  return { spec: { containers: [{ name: 'app', ...rest }] } };
}

/** `path`: the pointer of the first finding. Without it there must be none. */
export type ComparisonRow = readonly [
  title: string,
  result: Comparison['result'],
  apiVersion: string,
  kind: string,
  sides: Sides,
  path?: string,
];

export function testComparisons(rows: readonly ComparisonRow[]): void {
  for (const [title, result, apiVersion, kind, sides, path] of rows) {
    test(`the result of comparing ${title} is '${result}'`, () => {
      const comparison = compare(apiVersion, kind, sides);
      const pointers = comparison.findings.map(({ tokens }) => `/${tokens.join('/')}`);
      assert.equal(comparison.result, result, pointers.join(', '));
      if (path !== undefined) assert.equal(pointers[0], path);
      else assert.deepEqual(pointers, []);
    });
  }
}
