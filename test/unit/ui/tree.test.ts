/** The rows of the tree of an Application. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FOLD_ABOVE, treeRows, type Node, type TreeOptions } from '../../../src/ui/logic/tree-rows.ts';

const WELL = { status: 'Healthy', message: '' } as const;
const BAD = { status: 'Degraded', message: 'crashes' } as const;
const ALL: TreeOptions = { toggled: new Set(), isOnlyUnwell: false, search: '' };

function node(kind: string, name: string, more: Partial<Node> = {}): Node {
  return { group: '', kind, namespace: 'shop', name, sync: 'Synced', health: WELL, ...more };
}

const SHOP: readonly Node[] = [
  node('Deployment', 'web'),
  node('Service', 'web'),
  node('ReplicaSet', 'web-1', { parent: 0, sync: undefined }),
  node('Pod', 'web-1-a', { parent: 2, sync: undefined, health: BAD }),
];

const shown = (nodes: readonly Node[], options: Partial<TreeOptions> = {}): string[] =>
  treeRows(nodes, { ...ALL, ...options }).map((row) =>
    row.type === 'kind' ? `${row.title} ${row.size} ${row.isOpen}` : `${'-'.repeat(row.level)}${row.node.name}`,
  );

test('a small tree is open down to its Pods', () => {
  assert.deepEqual(shown(SHOP), ['-web', '--web-1', '---web-1-a', '-web']);
});

test('a person closes a branch, and its rows disappear', () => {
  assert.deepEqual(shown(SHOP, { toggled: new Set(['/Deployment/shop/web']) }), ['-web', '-web']);
});

test('the filter for what is not well keeps the owners of an object that is not well', () => {
  assert.deepEqual(shown(SHOP, { isOnlyUnwell: true }), ['-web', '--web-1', '---web-1-a']);
});

test('a search finds a kind or a name, and shows the owners of what it finds', () => {
  assert.deepEqual(shown(SHOP, { search: 'POD' }), ['-web', '--web-1', '---web-1-a']);
  assert.deepEqual(shown(SHOP, { search: 'service' }), ['-web']);
  assert.deepEqual(shown(SHOP, { search: 'nothing' }), []);
});

test('a large tree is folded by kind, and only kinds with an object that is not well are open', () => {
  const many = Array.from({ length: FOLD_ABOVE }, (_, index) => node('ConfigMap', `c${index}`));
  assert.deepEqual(shown([...many, ...SHOP.slice(1, 2)]), [`ConfigMap ${FOLD_ABOVE} false`, 'Service 1 false']);
  const rows = shown([...SHOP, ...many]);
  assert.deepEqual(rows, [
    `ConfigMap ${FOLD_ABOVE} false`,
    'Deployment 1 true',
    '--web',
    '---web-1',
    '----web-1-a',
    'Service 1 false',
  ]);
  assert.equal(shown([...SHOP, ...many], { toggled: new Set(['kind ConfigMap']) }).length, 6 + FOLD_ABOVE);
});
