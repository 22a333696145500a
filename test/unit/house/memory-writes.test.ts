/** Each group of an Application's memory is written by the room that declares it, and by no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyMemory } from '../../../src/reconcile/memory.ts';
import { assertNone } from './assert-none.ts';
import { foreignWrites, WRITERS } from './memory-writes.ts';
import { listSrc } from './source-files.ts';

const files = listSrc().filter(({ path }) => path.startsWith('src/reconcile/'));

test('every group of Memory has rooms that may write it', () => {
  assert.deepEqual(Object.keys(WRITERS).sort(), Object.keys(emptyMemory()).sort());
  for (const { type, writers } of Object.values(WRITERS)) {
    const isOwn = ({ path }: { readonly path: string }): boolean =>
      writers.some((writer) => path.startsWith(`src/reconcile/${writer}`));
    const [declaring] = files.filter(({ text }) => text.includes(`export interface ${type} {`));
    assert.ok(declaring, type);
    assert.ok(isOwn(declaring) || declaring.path === 'src/reconcile/memory.ts', `${type} is declared in another room`);
    assert.ok(files.some(isOwn), `no file of ${writers.join(', ')} exists`);
  }
});

test('no room writes the memory of another', () => {
  assertNone(files.flatMap(foreignWrites), 'writes of other rooms; move each into a function of the declaring room:');
});

const WRITES = [
  'memory.inventory.ids = undefined;',
  'pass.memory.evidence.accepted.set(key, digest);',
  'record.memory.heals.records.clear();',
  'memory.place.isNamespaceKnown ??= true;',
  'memory.inventory.ids?.delete(key);',
  'Object.assign(memory.desired, { source });',
  'delete memory.desired.source;',
  'const { inventory } = pass.memory;\n  inventory.ids = new Map();',
  'const { place, evidence: proofs } = memory;\n  proofs.settled.delete(key);',
  'const ids = pass.memory.inventory.ids;\n  ids?.set(key, id);',
  'const { accepted } = record.memory.evidence;\n  accepted.set(key, digest);',
  'const clocks = memory.clocks;\n  clocks.attempt = undefined;',
  'function f({ memory: { desired } }: Pass) {\n  desired.nextDiscoveryMs += 1;\n}',
  'function f(run: RunMemory) {\n  run.account = undefined;\n}',
  "function f({ digests }: Pick<EndedJobsMemory, 'digests'>) {\n  digests?.clear();\n}",
  'const { deletion } = record.memory;\n  Object.assign(deletion, {});',
];

for (const write of WRITES) {
  test(`a write such as ${JSON.stringify(write)} is found`, () => {
    const file = { path: 'src/reconcile/queue/controller.ts', text: `/** A file. */\n${write}\n` };
    const found = foreignWrites(file);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', /^src\/reconcile\/queue\/controller\.ts:\d+: /);
  });
}

test('reads, declarations and comments are not writes', () => {
  const text = [
    '// memory.inventory.ids = undefined;',
    '/** memory.inventory.ids.clear(); */',
    'const { inventory, heals } = pass.memory;',
    'const ids = pass.memory.inventory.ids;',
    'if (memory.run.account === account || ids === undefined) return inventory.ids?.has(key);',
    'const isSame = memory.desired.source?.snapshot?.commit === commit;',
    'const find = (id) => memory.evidence.accepted.get(id);',
    'const other = { inventory: ids, heals: heals.records.size >= 1 };',
    'forgetInventory(memory.inventory);',
  ].join('\n');
  assert.deepEqual(foreignWrites({ path: 'src/reconcile/queue/controller.ts', text }), []);
});

test('a room may write its own groups', () => {
  const text = 'memory.inventory.ids = undefined;';
  assert.deepEqual(foreignWrites({ path: 'src/reconcile/decide/inventory.ts', text }), []);
  assert.equal(foreignWrites({ path: 'src/reconcile/effect/carry-out.ts', text }).length, 1);
});
