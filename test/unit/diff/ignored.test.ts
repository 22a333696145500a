/** Ignored fields: the comparison without them, and the body that leaves them unchanged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { baselineOf, isAtBaseline } from '../../../src/diff/baseline.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { diffObjects } from '../../../src/diff/diff.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { bodyToSend, judgedDigest, withoutIgnored } from '../../../src/diff/ignored.ts';
import { idKey } from '../../../src/object/identity.ts';
import { parsePath } from '../../../src/object/path-set.ts';
import { formatPointer, parsePointer, valueAtPointer } from '../../../src/object/pointer.ts';
import { cloneValue, isMap, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';
import { ACCEPTED, desiredOf, fieldsOf, kindsOf, liveOf, ours, owner } from './fixtures.ts';

function ignoring(body: KubeObject, pointers: readonly string[], managers: readonly string[] = []): DesiredObject {
  const digest = JSON.stringify([pointers, managers]);
  return { ...desiredOf(body), ignored: { paths: pointers.map(parsePath), managers, digest } };
}

function judge(desired: DesiredObject, live: LiveObject): Change | undefined {
  const key = idKey(desired.id);
  const [change] = diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[key, { state: 'present', object: live }]]),
    inventory: new Map([[key, desired.id]]),
    owner,
    memory: ACCEPTED,
    kinds: kindsOf(desired.body),
  });
  return change;
}

function deployment(replicas: number | undefined, image = 'app:1'): KubeObject {
  return ours('apps/v1', 'Deployment', 'web', {
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      template: {
        spec: {
          containers: [
            { name: 'app', image, env: [{ name: 'A', value: '1' }] },
            { name: 'side', image: 'b' },
          ],
        },
      },
    },
  });
}

const scaledBy = (manager: string): { manager: string; operation: string; subresource: string; fields: ValueMap } => ({
  manager,
  operation: 'Update',
  subresource: 'scale',
  fields: { 'f:spec': { 'f:replicas': {} } },
});

/** A Deployment whose containers have these images, in this order. */
function imagesOf(images: Readonly<Record<string, string>>): KubeObject {
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
  return ours('apps/v1', 'Deployment', 'web', { spec: { template: { spec: { containers } } } });
}

test('a selector ignores a field of the item with this key, wherever the item is', () => {
  const pointers = ['/spec/template/spec/containers[name=app]/image'];
  const live = (images: Record<string, string>) =>
    liveOf(imagesOf(images), { owned: imagesOf({ app: '1', side: '1' }) });
  const judged = (images: Record<string, string>): string | undefined => {
    return judge(ignoring(imagesOf({ app: '1', side: '1' }), pointers), live(images))?.type;
  };
  assert.equal(judged({ app: '2', side: '1' }), 'none');
  assert.equal(judged({ side: '1', app: '2' }), judged({ side: '1', app: '1' }), 'only the order differs');
  assert.notEqual(judged({ app: '2', side: '2' }), 'none');
  assert.notEqual(judged({ app: '1', side: '2' }), 'none');
});

test('an ignored field that another manager owns is left out of the body, without a resourceVersion', () => {
  const live = liveOf(deployment(5), { owned: deployment(undefined), entries: [scaledBy('kubectl')] });
  const desired = ignoring(deployment(2), ['/spec/replicas']);
  assert.equal(judge(desired, live)?.type, 'none');
  const { body } = bodyToSend(desired, live);
  assert.equal(valueAtPointer(body, ['spec', 'replicas']), undefined);
  assert.equal(body.metadata['uid'], 'u');
  assert.equal(body.metadata['resourceVersion'], undefined);
});

test('an ignored field that we own, alone or shared, is sent with the resourceVersion of the live object', () => {
  const alone = bodyToSend(ignoring(deployment(2), ['/spec/replicas']), liveOf(deployment(5)));
  assert.equal(valueAtPointer(alone.body, ['spec', 'replicas']), 5);
  assert.equal(alone.body.metadata['resourceVersion'], '1');
  const shared = liveOf(deployment(5), { entries: [scaledBy('kubectl')] });
  const both = bodyToSend(ignoring(deployment(2), ['/spec/replicas']), shared);
  assert.equal(valueAtPointer(both.body, ['spec', 'replicas']), undefined);
  assert.equal(both.body.metadata['resourceVersion'], '1');
});

test('an ignored field without an owner is sent with its live value if Git sets it, and left out if not', () => {
  const live = liveOf(deployment(5), { owned: deployment(undefined) });
  const set = bodyToSend(ignoring(deployment(2), ['/spec/replicas']), live);
  assert.equal(valueAtPointer(set.body, ['spec', 'replicas']), 5);
  const unset = bodyToSend(ignoring(deployment(undefined), ['/spec/replicas']), live);
  assert.equal(valueAtPointer(unset.body, ['spec', 'replicas']), undefined);
});

test('an ignored field that left Git and that we own keeps its live value', () => {
  const desired = ignoring(deployment(undefined), ['/spec/replicas']);
  const live = liveOf(deployment(5));
  assert.equal(judge(desiredOf(deployment(undefined)), live)?.type, 'unsure', 'without the rule');
  assert.equal(judge(desired, live)?.type, 'none');
  assert.equal(valueAtPointer(bodyToSend(desired, live).body, ['spec', 'replicas']), 5);
});

test('an ignored field that is no longer live is not added again', () => {
  const desired = ignoring(ours('v1', 'ConfigMap', 'c', { data: { a: '1', b: '1' } }), ['/data/a']);
  const live = liveOf(ours('v1', 'ConfigMap', 'c', { data: { b: '1' } }));
  assert.equal(judge(desired, live)?.type, 'none');
  assert.deepEqual({ ...(bodyToSend(desired, live).body['data'] as ValueMap) }, { b: '1' });
});

const CONTAINERS = ['spec', 'template', 'spec', 'containers'];

/** By pointer: image of `app`, image of `side` and value of the variable that are sent when all three differ live. */
const LISTS: readonly [pointer: string, sent: unknown][] = [
  ['/spec/template/spec/containers/0/image', ['live:0', 'b', '1']],
  ['/spec/template/spec/containers/1/image', ['app:1', 'live:1', '1']],
  ['/spec/template/spec/containers/*/image', ['live:0', 'live:1', '1']],
  ['/spec/template/spec/containers/0/env/*/value', ['app:1', 'b', 'live']],
  ['/spec/template/spec/containers/0/env', ['app:1', 'b', 'live']],
  ['/spec/template/spec/containers/0', ['live:0', 'b', 'live']],
  ['/spec/template/spec/containers/*/*', ['live:0', 'live:1', 'live']],
  ['/spec/template', ['live:0', 'live:1', 'live']],
  ['/spec/*', ['live:0', 'live:1', 'live']],
];

for (const [pointer, sent] of LISTS) {
  test(`in a list that is merged by key, an index counts items of the desired list: ${pointer}`, () => {
    // The live list has another order, and an item that another manager added.
    const containers: Value[] = [
      { name: 'side', image: 'live:1' },
      { name: 'injected', image: 'x' },
      { name: 'app', image: 'live:0', env: [{ name: 'A', value: 'live' }] },
    ];
    const body = ours('apps/v1', 'Deployment', 'web', { spec: { replicas: 2, template: { spec: { containers } } } });
    const live = liveOf(body, { owned: deployment(2) });
    const { body: found } = bodyToSend(ignoring(deployment(2), [pointer]), live);
    const items = valueAtPointer(found, CONTAINERS) as ValueMap[];
    const byName = new Map(items.map((item) => [item['name'], item] as const));
    const env = byName.get('app')?.['env'] as ValueMap[];
    assert.deepEqual([byName.get('app')?.['image'], byName.get('side')?.['image'], env[0]?.['value']], sent);
    assert.equal(items.length, 2);
  });
}

test('an item that left Git stays if the list is ignored', () => {
  const gone = ours('apps/v1', 'Deployment', 'web', {
    spec: {
      replicas: 2,
      template: { spec: { containers: [{ name: 'app', image: 'app:1', env: [{ name: 'A', value: '1' }] }] } },
    },
  });
  const desired = ignoring(gone, ['/spec/template/spec/containers/*']);
  const live = liveOf(deployment(2));
  assert.equal(judge(desired, live)?.type, 'none');
  assert.equal((valueAtPointer(bodyToSend(desired, live).body, CONTAINERS) as Value[]).length, 2);
});

test('an ignored field inside an atomic value is sent with its live value, also if another manager owns it', () => {
  const ingress = (host: string, path: string): KubeObject =>
    ours('networking.k8s.io/v1', 'Ingress', 'web', {
      spec: {
        rules: [
          { host, path },
          { host: 'b', path },
        ],
      },
    });
  const desired = ignoring(ingress('git', '/new'), ['/spec/rules/0/host']);
  const entries = [{ manager: 'someone', fields: { 'f:spec': { 'f:rules': {} } } }];
  for (const live of [
    liveOf(ingress('live', '/old')),
    liveOf(ingress('live', '/old'), { owned: ours('networking.k8s.io/v1', 'Ingress', 'web'), entries }),
  ]) {
    const { body } = bodyToSend(desired, live);
    assert.deepEqual(JSON.parse(JSON.stringify(body['spec'])), {
      rules: [
        { host: 'live', path: '/new' },
        { host: 'b', path: '/new' },
      ],
    });
    assert.equal(body.metadata['resourceVersion'], '1');
    assert.match(judge(desired, live)?.fields[0]?.path ?? '', /^\/spec\/rules\/0\/path$/);
  }
  assert.equal(
    judge(ignoring(ingress('git', '/'), ['/spec/rules/*/host']), liveOf(ingress('live', '/')))?.type,
    'none',
  );
});

test('an ignored manager keeps the fields that it owns, and only these', () => {
  const configMap = (data: ValueMap): KubeObject => ours('v1', 'ConfigMap', 'c', { data });
  const live = liveOf(configMap({ a: 'live', b: 'live' }), {
    owned: configMap({}),
    entries: [
      { manager: 'tuner', fields: { 'f:data': { 'f:a': {} } } },
      { manager: 'someone', fields: { 'f:data': { 'f:b': {} } } },
    ],
  });
  const change = judge(ignoring(configMap({ a: 'git', b: 'git' }), [], ['tuner']), live);
  assert.equal(change?.type, 'update');
  assert.deepEqual(
    change?.fields.map(({ path }) => path),
    ['/data/b'],
  );
});

test('the address of an object and our owner marks are never ignored', () => {
  const body = ours('v1', 'ConfigMap', 'c', { metadata: { labels: { team: 'git' } }, data: { a: '1' } });
  const other = cloneValue(body);
  (other.metadata['labels'] as ValueMap)['team'] = 'live';
  const live = liveOf(other);
  for (const pointer of ['/metadata', '/metadata/*', '/metadata/labels', '/*', '/metadata/labels/*']) {
    const desired = ignoring(body, [pointer]);
    assert.equal(judge(desired, live)?.type, 'none', pointer);
    const sent = bodyToSend(desired, live).body;
    for (const path of ['/apiVersion', '/kind', '/metadata/name', '/metadata/namespace']) {
      assert.equal(valueAtPointer(sent, parsePointer(path)), valueAtPointer(body, parsePointer(path)), path);
    }
    const labels = sent.metadata['labels'] as ValueMap;
    assert.equal(labels['applyset.kubernetes.io/part-of'], owner.applySetId);
    assert.equal(labels['team'], 'live', pointer);
    assert.equal((sent.metadata['annotations'] as ValueMap)['tautline.dev/owner'], owner.ownerAnnotation);
    const stolen = cloneValue(live.body);
    (stolen.metadata['annotations'] as ValueMap)['tautline.dev/owner'] = 'nobody';
    assert.notEqual(judge(desired, { ...live, body: stolen })?.type, 'none', pointer);
  }
});

test('an ignored entry of a Secret is sent by name, never as its digest', () => {
  const secret = (data: ValueMap): KubeObject => ours('v1', 'Secret', 's', { data });
  const live = liveOf(secret({ token: 'sha256:abc', user: 'sha256:def' }));
  for (const pointer of ['/data/token', '/data', '/data/*']) {
    const sending = bodyToSend(ignoring(secret({ token: 'Zw==', user: 'Zw==' }), [pointer]), live);
    assert.ok(sending.liveSecretKeys.includes('token'));
    assert.doesNotMatch(JSON.stringify(sending.body), /sha256:/);
    assert.equal(sending.body.metadata['resourceVersion'], '1');
  }
});

test('a baseline leaves out ignored fields, and judgedDigest changes with the ignore rule', () => {
  const body = deployment(2);
  const desired = ignoring(body, ['/spec/replicas']);
  const baseline = baselineOf(desired, liveOf(deployment(2)));
  const scaled = liveOf(deployment(7), { owned: deployment(undefined), entries: [scaledBy('kubectl')] });
  const sides = withoutIgnored(desired, scaled);
  assert.ok(isAtBaseline(sides.desired, sides.live, baseline));
  assert.notEqual(judgedDigest(desired), judgedDigest(desiredOf(body)));
  assert.equal(judgedDigest(desiredOf(body)), desiredOf(body).digest);
});

test('a dry run result is judged without ignored fields', () => {
  const desired = ignoring(deployment(2), ['/spec/replicas']);
  const change: Change = {
    type: 'unsure',
    id: desired.id,
    kind: desired.kind,
    desired,
    live: liveOf(deployment(5)),
    fields: [],
  };
  assert.equal(judgeDryRun(change, liveOf(deployment(2))).type, 'none');
  assert.equal(judgeDryRun(change, liveOf(deployment(2, 'app:2'))).type, 'update');
});

// Random objects, rules and edits.

const KEYS = ['a', 'b', 'c', 'x/y', 'd~'];
const tree = fc.letrec<{ value: Value; map: ValueMap }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.constantFrom<Value>('1', '2', 7, true), tie('map')),
  map: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), { minKeys: 1, maxKeys: 4 }),
})).map;

/** Every path of scalars in a map. */
function leaves(value: Value, tokens: readonly string[] = []): string[][] {
  if (!isMap(value)) return [[...tokens]];
  return Object.keys(value).flatMap((key) => leaves(value[key] ?? null, [...tokens, key]));
}

function withValue(root: KubeObject, tokens: readonly string[], value: Value): KubeObject {
  const copy = cloneValue(root);
  const holder = valueAtPointer(copy, tokens.slice(0, -1));
  if (isMap(holder)) holder[tokens[tokens.length - 1] ?? ''] = value;
  return copy;
}

function without(root: KubeObject, paths: readonly (readonly string[])[]): KubeObject {
  const copy = cloneValue(root);
  for (const tokens of paths) {
    // A field set does not hold empty maps.
    for (let length = tokens.length; length > 0; length--) {
      const holder = valueAtPointer(copy, tokens.slice(0, length - 1));
      const last = tokens[length - 1] ?? '';
      const value = isMap(holder) ? holder[last] : undefined;
      if (isMap(holder) && (length === tokens.length || (isMap(value) && Object.keys(value).length === 0))) {
        delete holder[last];
      }
    }
  }
  return copy;
}

const isBelow = (tokens: readonly string[], rule: readonly string[]): boolean =>
  rule.length <= tokens.length && rule.every((token, index) => token === '*' || token === tokens[index]);

const trial = tree.chain((spec) => {
  const body = ours('example.com/v1', 'Thing', 't', { spec });
  const paths = leaves(spec, ['spec']);
  const rule = fc
    .tuple(fc.constantFrom(...paths), fc.nat(3), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
    .map(([path, cut, stars]) =>
      path.slice(0, Math.max(2, path.length - cut)).map((token, index) => (index > 1 && stars[index] ? '*' : token)),
    );
  const edit = fc.tuple(fc.constantFrom(...paths), fc.constantFrom<Value>('live', 42, false), fc.boolean());
  return fc.record({
    body: fc.constant(body),
    rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
    edits: fc.array(edit, { maxLength: 4 }),
  });
});

test('random edits of ignored fields are not reported and survive an apply, all other edits are reported', () => {
  fc.assert(
    fc.property(trial, ({ body, rules, edits }) => {
      const isIgnored = (tokens: readonly string[]): boolean => rules.some((rule) => isBelow(tokens, rule));
      const desired = ignoring(body, rules.map(formatPointer));
      const edited = edits.reduce((object, [tokens, value]) => withValue(object, tokens, value), body);
      // An update by another manager takes the field over. An edit under our own manager name leaves it ours.
      const taken = edits.flatMap(([tokens, , isTaken]) => (isTaken ? [tokens] : []));
      const theirs = without(
        body,
        leaves(body['spec'] ?? null, ['spec']).filter(
          (path) => !taken.some((one) => formatPointer(one) === formatPointer(path)),
        ),
      );
      const { 'f:spec': spec } = fieldsOf(theirs);
      const live = liveOf(edited, {
        owned: without(body, taken),
        entries:
          taken.length > 0 ? [{ manager: 'someone', operation: 'Update', fields: { 'f:spec': spec ?? {} } }] : [],
      });
      const change = judge(desired, live);
      const differing = edits.filter(([tokens]) => valueAtPointer(edited, tokens) !== valueAtPointer(body, tokens));
      const isReported = differing.some(([tokens]) => !isIgnored(tokens));
      assert.equal(change?.type !== 'none', isReported, JSON.stringify(change));
      const { body: sent } = bodyToSend(desired, live);
      for (const path of leaves(body['spec'] ?? null, ['spec'])) {
        const expected = valueAtPointer(isIgnored(path) ? edited : body, path);
        const isTheirs = taken.some((one) => formatPointer(one) === formatPointer(path));
        const found = valueAtPointer(sent, path);
        if (isIgnored(path) && isTheirs) assert.equal(found, undefined, 'taken from another');
        else assert.deepEqual(found, expected, formatPointer(path));
      }
    }),
    { numRuns: 500 },
  );
});
