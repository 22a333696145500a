/** The form of patches: fields, each kind of list, ignored fields, masks and bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, PatchOperation } from '../../../src/diff/changes.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { MASK } from '../../../src/object/redact.ts';
import { newMap, type KubeObject, type ValueMap } from '../../../src/object/value.ts';
import { desiredOf, liveOf, ours } from './fixtures.ts';
import { assertLaw, ignoring, judgePair, patched, textOf } from './patch-law.ts';

const pod = (spec: ValueMap) => ours('v1', 'Pod', 'a', { spec });
const config = (data: ValueMap) => ours('v1', 'ConfigMap', 'a', { data });
const container = (name: string, rest: ValueMap = {}) => ({ name, image: name, ...rest });

interface Row {
  readonly desired: KubeObject;
  readonly live: KubeObject;
  /** Applied by us; the desired object by default. */
  readonly owned?: KubeObject;
  readonly operations: readonly PatchOperation[];
}

const TABLE: Readonly<Record<string, Row>> = {
  'a value, a field that is missing and a field that left Git': {
    desired: config({ a: '1', b: '2' }),
    live: config({ a: 'x', c: '3', d: '4' }),
    owned: config({ a: '1', b: '2', c: '3' }),
    operations: [
      { op: 'replace', path: '/data/a', value: '1' },
      { op: 'add', path: '/data/b', value: '2' },
      { op: 'remove', path: '/data/c' },
    ],
  },
  'parents that are missing are added with what is in them': {
    desired: pod({ securityContext: { seLinuxOptions: { level: 'a', user: 'b' } } }),
    live: pod({}),
    operations: [{ op: 'add', path: '/spec/securityContext', value: { seLinuxOptions: { level: 'a', user: 'b' } } }],
  },
  'a map in the place of null or of a scalar replaces it': {
    desired: pod({ a: { b: 1 }, c: { d: { e: 2 } } }),
    live: pod({ a: null, c: { d: 'text' } }),
    operations: [
      { op: 'replace', path: '/spec/a', value: { b: 1 } },
      { op: 'replace', path: '/spec/c/d', value: { e: 2 } },
    ],
  },
  'keys with a slash, with a tilde, of numbers and of the prototype': {
    desired: config(
      newMap([
        ['a/b', '1'],
        ['c~d', '1'],
        ['~1', '1'],
        ['0', '1'],
        ['__proto__', '1'],
      ]),
    ),
    live: config({ 'a/b': 'x', '0': 'x' }),
    operations: [
      { op: 'replace', path: '/data/0', value: '1' },
      { op: 'add', path: '/data/__proto__', value: '1' },
      { op: 'replace', path: '/data/a~1b', value: '1' },
      { op: 'add', path: '/data/c~0d', value: '1' },
      { op: 'add', path: '/data/~01', value: '1' },
    ],
  },
  'integers beyond what a double holds': {
    desired: pod({ priority: 9007199254740993n }),
    live: pod({ priority: 9007199254740992n }),
    operations: [{ op: 'replace', path: '/spec/priority', value: 9007199254740993n }],
  },
  'an item of a keyed list is addressed where it stands in the live list, and tested first': {
    desired: pod({ containers: [container('app', { env: [{ name: 'A', value: '1' }] })] }),
    live: pod({ containers: [container('foreign'), container('app', { env: [{ name: 'A', value: 'x' }] })] }),
    operations: [
      { op: 'test', path: '/spec/containers/1/name', value: 'app' },
      { op: 'test', path: '/spec/containers/1/env/0/name', value: 'A' },
      { op: 'replace', path: '/spec/containers/1/env/0/value', value: '1' },
    ],
  },
  'items of a keyed list are added behind their neighbours, and removed': {
    desired: pod({ containers: [container('a'), container('b'), container('c')] }),
    live: pod({ containers: [container('old'), container('foreign'), container('a'), container('c')] }),
    owned: pod({ containers: [container('old'), container('a'), container('c')] }),
    operations: [
      { op: 'test', path: '/spec/containers/0/name', value: 'old' },
      { op: 'remove', path: '/spec/containers/0' },
      { op: 'add', path: '/spec/containers/2', value: container('b') },
    ],
  },
  'a keyed list in another order: the fewest items are moved': {
    desired: pod({ containers: [container('a'), container('b'), container('c')] }),
    live: pod({ containers: [container('b'), container('foreign'), container('c'), container('a')] }),
    operations: [
      { op: 'test', path: '/spec/containers/3/name', value: 'a' },
      { op: 'move', from: '/spec/containers/3', path: '/spec/containers/0' },
    ],
  },
  'a keyed list that is missing is added whole, and in order': {
    desired: pod({ containers: [container('a'), container('b')] }),
    live: pod({}),
    operations: [{ op: 'add', path: '/spec/containers', value: [container('a'), container('b')] }],
  },
  'a list inside an item is changed before the items around it': {
    desired: pod({ containers: [container('new'), container('app', { env: [{ name: 'A' }, { name: 'B' }] })] }),
    live: pod({ containers: [container('app', { env: [{ name: 'A' }] })] }),
    operations: [
      { op: 'test', path: '/spec/containers/0/name', value: 'app' },
      { op: 'add', path: '/spec/containers/0/env/1', value: { name: 'B' } },
      { op: 'add', path: '/spec/containers/0', value: container('new') },
    ],
  },
  'further items with the same key are removed': {
    desired: pod({ containers: [container('a')] }),
    live: pod({ containers: [container('a'), container('foreign'), container('a'), container('a')] }),
    operations: [
      { op: 'test', path: '/spec/containers/2/name', value: 'a' },
      { op: 'test', path: '/spec/containers/3/name', value: 'a' },
      { op: 'remove', path: '/spec/containers/3' },
      { op: 'remove', path: '/spec/containers/2' },
    ],
  },
  'a port without a protocol is the one of TCP, not that of another protocol': {
    desired: ours('v1', 'Service', 'a', { spec: { ports: [{ port: 53, name: 'dns' }] } }),
    live: ours('v1', 'Service', 'a', { spec: { ports: [{ port: 53, protocol: 'UDP', name: 'dns' }] } }),
    owned: ours('v1', 'Service', 'a', { spec: { ports: [{ port: 53, protocol: 'UDP', name: 'dns' }] } }),
    operations: [
      { op: 'test', path: '/spec/ports/0/port', value: 53 },
      { op: 'test', path: '/spec/ports/0/protocol', value: 'UDP' },
      { op: 'remove', path: '/spec/ports/0' },
      { op: 'add', path: '/spec/ports/0', value: { port: 53, name: 'dns' } },
    ],
  },
  'a set: our items are added and removed, and foreign ones stay': {
    desired: ours('v1', 'ConfigMap', 'a', { metadata: { finalizers: ['x/a', 'x/b'] } }),
    live: ours('v1', 'ConfigMap', 'a', { metadata: { finalizers: ['x/old', 'y/foreign', 'x/b'] } }),
    owned: ours('v1', 'ConfigMap', 'a', { metadata: { finalizers: ['x/old', 'x/b'] } }),
    operations: [
      { op: 'test', path: '/metadata/finalizers/0', value: 'x/old' },
      { op: 'remove', path: '/metadata/finalizers/0' },
      { op: 'add', path: '/metadata/finalizers/1', value: 'x/a' },
    ],
  },
  'a scalar of an atomic list is replaced where it differs': {
    desired: pod({ containers: [container('a', { args: ['x', 'y'] })] }),
    live: pod({ containers: [container('a', { args: ['x', 'z'] })] }),
    operations: [
      { op: 'test', path: '/spec/containers/0/name', value: 'a' },
      { op: 'test', path: '/spec/containers/0/args/1', value: 'z' },
      { op: 'replace', path: '/spec/containers/0/args/1', value: 'y' },
    ],
  },
  'an item of an atomic list is replaced whole, and tested by the scalars in it': {
    desired: pod({ rules: [{ host: 'a', paths: { x: 1, y: 2 } }] }),
    live: pod({ rules: [{ host: 'a', paths: { x: 1 } }] }),
    operations: [
      { op: 'test', path: '/spec/rules/0/host', value: 'a' },
      { op: 'replace', path: '/spec/rules/0', value: { host: 'a', paths: { x: 1, y: 2 } } },
    ],
  },
  'an atomic list of another length is replaced': {
    desired: pod({ rules: ['a', 'b'] }),
    live: pod({ rules: ['b'] }),
    operations: [{ op: 'replace', path: '/spec/rules', value: ['a', 'b'] }],
  },
  'an atomic map loses the members that are not desired': {
    desired: pod({ nodeSelector: { a: '1' } }),
    live: pod({ nodeSelector: { a: '2', b: '1' } }),
    operations: [
      { op: 'replace', path: '/spec/nodeSelector/a', value: '1' },
      { op: 'remove', path: '/spec/nodeSelector/b' },
    ],
  },
};

for (const [title, { desired, live, owned = desired, operations }] of Object.entries(TABLE)) {
  test(`patch: ${title}`, () => {
    const change = judgePair(desiredOf(desired), liveOf(live, { owned }));
    assert.equal(textOf(change.patch?.operations), textOf(operations));
    assertLaw(change);
  });
}

test('fields that another manager holds are not removed when Git drops them', () => {
  const labelled = (labels: ValueMap) => ours('v1', 'ConfigMap', 'a', { data: labels });
  const live = liveOf(labelled({ a: '1', b: '2', c: '3' }), {
    owned: labelled({ a: '1', b: '2' }),
    entries: [{ manager: 'other', fields: { 'f:data': { 'f:b': {}, 'f:c': {} } } }],
  });
  const change = judgePair(desiredOf(ours('v1', 'ConfigMap', 'a')), live);
  assert.deepEqual(change.patch?.operations, [{ op: 'remove', path: '/data/a' }]);
});

test('an item that Git drops keeps its key and the fields that another manager holds', () => {
  const live = liveOf(pod({ containers: [container('a'), container('b', { tty: true })] }), {
    owned: pod({ containers: [container('a'), container('b')] }),
    entries: [{ manager: 'other', fields: { 'f:spec': { 'f:containers': { 'k:{"name":"b"}': { 'f:tty': {} } } } } }],
  });
  const change = judgePair(desiredOf(pod({ containers: [container('a')] })), live);
  assert.deepEqual(change.patch?.operations, [
    { op: 'test', path: '/spec/containers/1/name', value: 'b' },
    { op: 'remove', path: '/spec/containers/1/image' },
  ]);
});

test('an ignored field is not patched, and positions are those of the whole live object', () => {
  const wanted = pod({ containers: [container('a'), container('b', { image: 'new' })], args: ['x', 'y', 'z'] });
  const live = liveOf(
    pod({ containers: [container('b'), container('a', { image: 'other' })], args: ['k', 'y', 'w'] }),
    {
      owned: wanted,
    },
  );
  const change = judgePair(ignoring(wanted, ['/spec/containers/0', '/spec/args/0']), live);
  assert.deepEqual(change.patch?.operations, [
    { op: 'test', path: '/spec/containers/0/name', value: 'b' },
    { op: 'test', path: '/spec/args/2', value: 'w' },
    { op: 'replace', path: '/spec/args/2', value: 'z' },
    { op: 'replace', path: '/spec/containers/0/image', value: 'new' },
  ]);
});

test('an ignored field that changes before the dry run is not in the patch of the dry run', () => {
  const body = config({ a: '1', b: '1' });
  const live = liveOf(config({ a: 'x', b: 'x' }), { owned: body });
  const unsure: Change = { ...judgePair(ignoring(body, ['/data/b']), live), type: 'unsure' };
  const change = judgeDryRun(unsure, liveOf(config({ a: '1', b: 'y' }), { owned: body }));
  assert.deepEqual(change.patch?.operations, [{ op: 'replace', path: '/data/a', value: '1' }]);
  assert.equal(judgeDryRun(unsure, live).patch, undefined, 'nor of one that changes nothing');
});

test('a patch holds no value of a Secret, and a masked patch fails on the object it was made from', () => {
  const secret = (data: ValueMap) => ours('v1', 'Secret', 'a', { data });
  const live = liveOf(secret({ a: 'sha256:c4n4ry', gone: 'sha256:c4n4ry' }));
  const { patch } = judgePair(desiredOf(secret({ a: 'YzRuNHJ5', added: 'YzRuNHJ5' })), live);
  assert.ok(patch?.isMasked);
  assert.deepEqual(patch.operations.slice(1), [
    { op: 'replace', path: '/data/a', value: MASK },
    { op: 'add', path: '/data/added', value: MASK },
    { op: 'remove', path: '/data/gone' },
  ]);
  assert.equal(patch.operations[0]?.op, 'test');
  assert.throws(() => patched(live.body, patch), /Test operation failed/);
  const whole = judgePair(desiredOf(secret({ a: 'YzRuNHJ5' })), liveOf(ours('v1', 'Secret', 'a')));
  const returned = judgeDryRun({ ...whole, type: 'unsure' }, liveOf(secret({ a: 'sha256:c4n4ry' })));
  for (const { patch: shown } of [whole, returned]) {
    assert.equal(shown?.isMasked, true);
    assert.doesNotMatch(textOf(shown.operations), /YzRuNHJ5|sha256/);
  }
});

test('the last-applied annotation is masked, alone and together with all annotations', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const annotated = (annotations: ValueMap) => ours('v1', 'ConfigMap', 'a', { metadata: { annotations } });
  const bare: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'shop' } };
  for (const live of [liveOf(annotated({})), liveOf(bare, { owned: null })]) {
    const { patch } = judgePair(desiredOf(annotated({ [annotation]: 'c4n4ry', x: '1' })), live);
    assert.ok(patch?.isMasked);
    assert.doesNotMatch(textOf(patch.operations), /c4n4ry/);
  }
});

test('a patch of a Secret that shows no value can be applied', () => {
  const secret = (rest: ValueMap) => ours('v1', 'Secret', 'a', rest);
  const live = liveOf(secret({ data: { a: 'sha256:x' } }));
  const { patch } = judgePair(desiredOf(secret({ metadata: { labels: { l: '1' } } })), live);
  assert.deepEqual(patch, {
    operations: [
      { op: 'remove', path: '/data' },
      { op: 'add', path: '/metadata/labels/l', value: '1' },
    ],
    isMasked: false,
  });
});

test('an object with very many differences, or with items to move in a very long list, has no patch', () => {
  const data = (value: string) =>
    config(Object.fromEntries(Array.from({ length: 1000 }, (_, key) => [`k${key}`, value])));
  assert.equal(judgePair(desiredOf(data('1')), liveOf(data('2'))).patch, undefined);
  const list = (names: readonly number[]) => pod({ containers: names.map((name) => container(String(name))) });
  const names = Array.from({ length: 1001 }, (_, name) => name);
  assert.equal(judgePair(desiredOf(list(names)), liveOf(list(names.toReversed()))).patch, undefined);
});
