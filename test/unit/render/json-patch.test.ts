/** The leniencies of the JSON patch library that kustomize uses, one row each; measured on kustomize 5.8.2. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { YamlNode } from '../../../src/object/yaml/node.ts';
import { newMap, type ValueMap } from '../../../src/object/value.ts';
import { readYaml } from '../../../src/object/yaml/read.ts';
import { applyJsonPatch, jsonValueOf, readOperations } from '../../../src/render/kustomize/json-patch.ts';

function parse(text: string) {
  const result = readYaml(text, { maxNodes: 1000, maxDepth: 20 });
  assert.ok(result.ok);
  return result.documents[0]?.root;
}

function patch(object: string, operations: string): unknown {
  const list = readOperations(parse(operations));
  assert.ok(list);
  const value = jsonValueOf(parse(object) as YamlNode) as ValueMap;
  return JSON.parse(JSON.stringify(applyJsonPatch(value, list)));
}

test('a patch that kustomize accepts gives the same result', () => {
  const table: readonly (readonly [string, string, unknown])[] = [
    ['{a: {}}', '[{op: replace, path: /a/b, value: 1}]', { a: { b: 1 } }],
    ['{a: 1}', '[{op: test, path: /b, value: null}]', { a: 1 }],
    ['{a: null}', '[{op: test, path: /a, value: null}]', { a: null }],
    ['{a: 1}', '[{op: test, path: /b}]', { a: 1 }],
    ['{a: [1, 2]}', '[{op: add, path: /a/-1, value: 3}]', { a: [1, 2, 3] }],
    ['{a: [1, 2]}', '[{op: add, path: /a/-3, value: 0}]', { a: [0, 1, 2] }],
    ['{a: [1, 2]}', '[{op: remove, path: /a/-1}]', { a: [1] }],
    ['{a: [1, 2]}', '[{op: replace, path: /a/-1, value: 9}]', { a: [1, 9] }],
    ['{a: 1}', '[{op: add, path: /b}]', { a: 1, b: null }],
    ['{a: 1}', '[{op: copy, from: /nope, path: /b}]', { a: 1, b: null }],
    [
      '{a: {c: 1}}',
      '[{op: copy, from: /a, path: /b}, {op: replace, path: /b/c, value: 2}]',
      { a: { c: 1 }, b: { c: 2 } },
    ],
    ['{"a/b~c": 1}', '[{op: move, from: /a~1b~0c, path: /d}]', { d: 1 }],
    ['{a: 1}', '[{op: replace, path: "", value: {b: 2}}]', { b: 2 }],
    ['{a: {x: 1, y: 2}}', '[{op: test, path: /a, value: {y: 2, x: 1}}]', { a: { x: 1, y: 2 } }],
    ['{a: 1}', '[{op: add, path: x/b, value: 2}]', { a: 1, b: 2 }],
    ['{a: [1, 2]}', '[{op: add, path: /a/+01, value: 3}]', { a: [1, 3, 2] }],
    ['{a: [1, 2]}', '[{op: add, path: /a/-, value: 3}]', { a: [1, 2, 3] }],
    ['{a: [1, 2]}', '[{op: move, from: /a/0, path: /a/-}]', { a: [2, 1] }],
    ['{a: 9007199254740993}', '[{op: test, path: /a, value: 9007199254740992}]', { a: 9007199254740992 }],
    [
      '{a: 1}',
      '[{op: add, path: /constructor, value: {prototype: 1}}, {op: replace, path: /constructor/prototype, value: 2}]',
      { a: 1, constructor: { prototype: 2 } },
    ],
  ];
  for (const [object, operations, expected] of table) assert.deepEqual(patch(object, operations), expected, operations);
});

test('a patch that kustomize refuses is refused', () => {
  const table: readonly (readonly [string, string])[] = [
    ['{a: 1}', '[{op: add, path: /b/c, value: 1}]'],
    ['{a: null}', '[{op: add, path: /a/b, value: 1}]'],
    ['{a: 1}', '[{op: remove, path: /b}]'],
    ['{a: 1}', '[{op: move, from: /b, path: /c}]'],
    ['{a: [1]}', '[{op: remove, path: /a/1}]'],
    ['{a: [1]}', '[{op: replace, path: /a/1, value: 2}]'],
    ['{a: [1]}', '[{op: add, path: /a/5, value: 2}]'],
    ['{a: [1]}', '[{op: add, path: /a/x, value: 2}]'],
    ['{a: 1}', '[{op: test, path: /a, value: 2}]'],
    ['{a: 1}', '[{op: test, path: /a, value: null}]'],
    ['{a: 1}', '[{op: add, path: a, value: 2}]'],
    ['{a: 1}', '[{op: add, value: 2}]'],
    ['{a: 1}', '[{op: jump, path: /a}]'],
    ['{a: 1}', '[{op: replace, path: "", value: [1]}]'],
    ['{a: 1}', '[{op: replace, path: "", value: 1}]'],
    ['{a: 1}', '[{op: add, path: "", value: {b: 1}}]'],
    ['{a: 1}', '[{op: copy, from: /a/b, path: /c}]'],
    ['{a: 1}', '[{op: replace, path: /a/0, value: 1}]'],
    ['{a: [1]}', '[{op: add, path: /a/4294967296, value: 2}]'],
    ['{a: [1]}', '[{op: add, path: /a/, value: 2}]'],
    ['{a: [1]}', '[{op: add, path: /a/length, value: 0}]'],
    ['{a: [1]}', '[{op: move, from: /a/0, path: /a/1}]'],
    ['{a: 1, b: [1]}', '[{op: copy, from: /a, path: /b/2}]'],
    ['{a: [1]}', '[{op: test, path: /a/-, value: null}]'],
    ['{a: [1]}', '[{op: remove, path: /a/-}]'],
    ['{a: {b: {}}}', '[{op: move, from: /a, path: /a/b/c}]'],
  ];
  for (const [object, operations] of table)
    assert.throws(() => patch(object, operations), { name: 'StageError' }, operations);
});

test('a member named __proto__ is a member like others', () => {
  const list = readOperations(parse('[{op: add, path: /a/__proto__, value: {x: 1}}]'));
  const object = jsonValueOf(parse('{a: {}}') as YamlNode) as ValueMap;
  assert.equal(JSON.stringify(applyJsonPatch(object, list ?? [])), '{"a":{"__proto__":{"x":1}}}');
  assert.equal(({} as { x?: unknown }).x, undefined);
});

test('objects that one patch was applied to share nothing', () => {
  const list = readOperations(parse('[{op: add, path: /a, value: {b: 1}}, {op: copy, from: /a, path: /c}]')) ?? [];
  const [first, second] = [applyJsonPatch(newMap(), list), applyJsonPatch(newMap(), list)];
  applyJsonPatch(first, readOperations(parse('[{op: add, path: /a/b, value: 2}]')) ?? []);
  assert.deepEqual(JSON.parse(JSON.stringify([first, second])), [
    { a: { b: 2 }, c: { b: 1 } },
    { a: { b: 1 }, c: { b: 1 } },
  ]);
});

test('why a patch does not apply is told without what is in the object', () => {
  const words = /^JSON patch: remove \/data\/b does not apply: there is nothing at that path$/;
  assert.throws(() => patch('{data: {a: c4n4ry}}', '[{op: remove, path: /data/b}]'), { message: words });
});

test('a text that is no list of maps is no JSON patch', () => {
  for (const text of ['{op: add}', '[1]', 'add']) assert.equal(readOperations(parse(text)), undefined);
});
