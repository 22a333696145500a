/** The CRD holds everything of the schema, and the generator throws for parts that it cannot hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { buildCrd, printCrd, toStructuralSchema } from '../../../src/application/crd.ts';
import { printFieldReference } from '../../../src/application/reference.ts';
import { withRules } from '../../../src/application/rules.ts';

test('the printed CRD parses to the built one', () => {
  assert.deepEqual(parse(printCrd()), JSON.parse(JSON.stringify(buildCrd())));
});

test('every field is described, and every default of spec is named', () => {
  assert.match(printFieldReference(), /`spec\.source\.repoURL` \| string \| \*\*Required\.\*\*/);
  assert.ok(printFieldReference().split('\n').length > 70);
});

const lossy: Readonly<Record<string, z.ZodType>> = {
  'a refinement without its CEL rule': z.object({ a: z.string().refine((text) => text !== 'x') }),
  'a transform': z.object({ a: z.string().transform((text) => text.length) }),
  'a trim': z.object({ a: z.string().trim() }),
  'a pattern with flags': z.object({ a: z.string().regex(/x/i) }),
  'two patterns': z.object({ a: z.string().regex(/x/).regex(/y/) }),
  'a union': z.object({ a: z.union([z.string(), z.int()]) }),
  'a nullable field': z.object({ a: z.string().nullable() }),
  'a catch': z.object({ a: z.string().catch('x') }),
  'a list of refinements': z.object({ a: z.array(z.object({ b: z.int().refine((n) => n > 1) })) }),
};
for (const [name, schema] of Object.entries(lossy)) {
  test(`${name} is refused by the generator`, () => assert.throws(() => toStructuralSchema(schema), TypeError));
}

test('integers get a format and lose the bounds of JavaScript', () => {
  const node = toStructuralSchema(z.object({ a: z.int32(), b: z.int().min(0) }));
  assert.deepEqual(node.properties, {
    a: { type: 'integer', format: 'int32' },
    b: { type: 'integer', format: 'int64', minimum: 0 },
  });
});

test('a rule is in the CRD with its message, and fields with a default are not required', () => {
  const ruled = withRules(z.string().max(9), [{ cel: "self != 'x'", holds: (text) => text !== 'x', message: 'no x' }]);
  const node = toStructuralSchema(z.object({ a: ruled.default('y'), b: z.string() }));
  assert.deepEqual(node.properties?.['a']?.['x-kubernetes-validations'], [{ rule: "self != 'x'", message: 'no x' }]);
  assert.deepEqual(node.required, ['b']);
});
