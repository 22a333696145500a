/** The law of patches over generated, mutated and random objects: see patch-law.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { asSent } from '../../../src/diff/ignored.ts';
import { listAt, valueAt, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';
import { generateObjects, siblingsOf } from '../../cluster/diff/generator.ts';
import {
  altered,
  manifestMutations,
  placesOf,
  randomOf,
  sample,
  withValue,
  without,
} from '../../cluster/diff/mutations.ts';
import { desiredOf, fieldsOf, liveOf, ours } from './fixtures.ts';
import { assertLaw, hasSoundKeys, ignoring, judgePair, patched, textOf } from './patch-law.ts';

test('for every generated object and every mutation of either side, the patch leads to what is desired', async () => {
  const objects = (await generateObjects(1, 7)).map((body) => {
    return desiredOf(ours(body.apiVersion, body.kind, String(body.metadata['name']), body));
  });
  const siblings = siblingsOf([...objects]);
  let checked = 0;
  for (const [index, desired] of objects.entries()) {
    const random = randomOf(index);
    const { body } = desired;
    const sibling = siblings.get(desired);
    const check = (title: string, wanted: KubeObject, live: LiveObject): void => {
      if (!hasSoundKeys(wanted) || !hasSoundKeys(live.body)) return;
      const change = judgePair(desiredOf(wanted), live);
      if (change.type === 'none' || change.type === 'conflict') return;
      checked++;
      assertLaw(change, `${body.kind}: ${title}`);
    };
    for (const { title, body: wanted } of manifestMutations({ body, sibling, random, perWay: 1 })) {
      check(title, wanted, liveOf(body));
      check(`${title}, the other way round`, body, liveOf(wanted, { owned: body }));
      check(`${title}, not owned`, wanted, liveOf(body, { owned: null }));
    }
    for (const { tokens, value } of sample(placesOf(body), 4, random)) {
      const at = `/${tokens.join('/')}`;
      check(`${at} altered`, body, liveOf(withValue(body, tokens, altered(value)), { owned: body }));
      check(`${at} removed`, body, liveOf(without(body, tokens), { owned: body }));
    }
  }
  assert.ok(checked > 2000, `${checked} were checked`);
});

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const anyText = fc.constantFrom('1', '2');
const anyOrder = (names: readonly string[]) => fc.shuffledSubarray([...names], { minLength: 1 });
const anyContainer = fc.record(
  {
    image: anyText,
    args: fc.array(anyText, { maxLength: 3 }),
    env: anyOrder(['A', 'B', 'C']).map((names) => names.map((name) => ({ name, value: '1' }))),
  },
  { requiredKeys: ['image'] },
);
const anySpec: fc.Arbitrary<ValueMap> = fc.record(
  {
    replicas: fc.constantFrom(1, 2),
    nodeSelector: fc.dictionary(fc.constantFrom('x', 'y'), anyText),
    containers: fc
      .tuple(anyOrder(NAMES), fc.array(anyContainer, { minLength: 5, maxLength: 5 }))
      .map(([names, made]): Value => names.map((name, index) => ({ name, ...made[index] }))),
  },
  { requiredKeys: ['replicas'] },
);
const anyBody = fc
  .record({
    spec: anySpec,
    finalizers: anyOrder(['x/a', 'x/b', 'x/c']),
    labels: fc.dictionary(fc.constantFrom('l', 'm'), anyText),
  })
  .map(({ spec, ...metadata }) => ours('apps/v1', 'Deployment', 'a', { metadata, spec }));
const anyRules = fc.subarray([
  '/spec/replicas',
  '/spec/nodeSelector/x',
  '/spec/containers/0',
  '/spec/containers/1/image',
  '/spec/containers/*/env',
  '/spec/containers/*/args/0',
  '/metadata/labels/l',
]);
const anyWorld = fc.record({
  wanted: anyBody,
  found: anyBody,
  /** We own it. */
  owned: anyBody,
  /** Another manager owns it. */
  held: fc.option(anyBody),
  rules: anyRules,
});
const namesOf = (body: KubeObject): string[] =>
  listAt(body, 'spec', 'containers').map((item) => String(valueAt(item, 'name')));

test('a patch leads to what is desired, whatever is live, owned and ignored, and leaves foreign items alone', () => {
  fc.assert(
    fc.property(anyWorld, ({ wanted, found, owned, held, rules }) => {
      const entries = held ? [{ manager: 'other', fields: fieldsOf(held) }] : [];
      const live = liveOf(found, { owned, entries });
      const change = judgePair(rules.length > 0 ? ignoring(wanted, rules) : desiredOf(wanted), live);
      if (change.type === 'none') return;
      assertLaw(change);
      // A list that Git drops goes with all that no other manager holds of it.
      if (!change.patch || namesOf(asSent(change.desired as DesiredObject, live).desired.body).length === 0) return;
      const ourNames = new Set([...namesOf(wanted), ...namesOf(owned)]);
      const foreign = (body: KubeObject) =>
        listAt(body, 'spec', 'containers').filter((item) => !ourNames.has(String(valueAt(item, 'name'))));
      assert.equal(textOf(foreign(patched(live.body, change.patch))), textOf(foreign(live.body)));
    }),
    { numRuns: 300 },
  );
});

test('the patch of a dry run makes of the live object what the server would', () => {
  fc.assert(
    fc.property(anyBody, anyBody, anyBody, (made, found, owned) => {
      const live = liveOf(found, { owned });
      const returned = liveOf(made, { owned });
      const { type, patch } = judgeDryRun({ ...judgePair(desiredOf(made), live), type: 'unsure' }, returned);
      assert.equal(type === 'none', patch === undefined);
      if (patch) assert.equal(textOf(patched(live.body, patch)), textOf(returned.body));
    }),
    { numRuns: 300 },
  );
});
