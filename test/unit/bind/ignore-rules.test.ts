/** The ignored fields of desired objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IgnoreRule } from '../../../src/application/schema.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { resolveIgnored } from '../../../src/bind/ignore-rules.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { formatPointer } from '../../../src/object/pointer.ts';
import { idOf, versionOf } from '../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';

/** `place`: `<namespace>/<name>`, or a name in the namespace `shop`. */
function object(apiVersion: string, kind: string, place: string, spec: ValueMap = {}): DesiredObject {
  const [name = '', namespace = 'shop'] = place.split('/').reverse();
  const body: KubeObject = { apiVersion, kind, metadata: { name, namespace }, spec };
  const id = idOf(body);
  const info = {
    ...id,
    version: versionOf(apiVersion),
    plural: '',
    isNamespaced: true,
    hasStatus: true,
    isWatchable: true,
  };
  return { id, kind: info, body, digest: digestValue(body), file: 'a.yaml', line: 1 };
}

function pointersOf({ ignored }: DesiredObject): string[] | undefined {
  return ignored?.paths.map((tokens) => formatPointer(tokens.filter((token) => typeof token === 'string')));
}

const web = object('apps/v1', 'Deployment', 'web');

/** Whether a rule matches the Deployment shop/web. */
const MATCHES: readonly [rule: Omit<IgnoreRule, 'jsonPointers'>, isMatch: boolean][] = [
  [{}, true],
  [{ kind: 'Deployment' }, true],
  [{ kind: 'deployment' }, false],
  [{ kind: '*', group: '*', name: '*', namespace: '*' }, true],
  [{ group: 'apps' }, true],
  [{ group: '' }, false],
  [{ namespace: 'shop', name: 'web' }, true],
  [{ namespace: 'other' }, false],
  [{ name: 'we*' }, false],
  [{ kind: 'StatefulSet', name: 'web' }, false],
];

for (const [rule, isMatch] of MATCHES) {
  test(`a rule for ${JSON.stringify(rule)} ${isMatch ? 'matches' : 'does not match'} the Deployment shop/web`, () => {
    const [found] = resolveIgnored([web], [{ ...rule, jsonPointers: ['/a'] }]);
    assert.deepEqual(found && pointersOf(found), isMatch ? ['/a'] : undefined);
  });
}

test('the fields of all matching rules are ignored, and objects with the same rules share one result', () => {
  const rules: IgnoreRule[] = [
    { jsonPointers: ['/metadata/annotations/a~1b', '/spec/*/x'] },
    { kind: 'Deployment', managers: ['tuner'] },
  ];
  const [first, second, other] = resolveIgnored(
    [web, object('apps/v1', 'Deployment', 'b'), object('v1', 'ConfigMap', 'c')],
    rules,
  );
  assert.deepEqual(first?.ignored?.paths, [
    ['metadata', 'annotations', 'a/b'],
    ['spec', '*', 'x'],
  ]);
  assert.deepEqual(first?.ignored?.managers, ['tuner']);
  assert.equal(first?.ignored, second?.ignored);
  assert.deepEqual(other?.ignored?.managers, []);
  assert.notEqual(other?.ignored?.digest, first?.ignored?.digest);
});

test('without rules and autoscalers every object is returned as it is', () => {
  const objects = [web, object('v1', 'ConfigMap', 'c')];
  assert.equal(resolveIgnored(objects, []), objects);
  assert.equal(resolveIgnored(objects, [{ kind: 'Secret', jsonPointers: ['/data'] }])[0], web);
});

const hpa = (ref: ValueMap, namespace = 'shop'): DesiredObject =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', `${namespace}/h`, { scaleTargetRef: ref });
const keda = (ref: ValueMap): DesiredObject => object('keda.sh/v1alpha1', 'ScaledObject', 'k', { scaleTargetRef: ref });

/** An autoscaler, an object, and whether the object's replicas are ignored. */
const SCALED: readonly [title: string, scaler: DesiredObject, target: DesiredObject, isIgnored: boolean][] = [
  ['a Deployment', hpa({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }), web, true],
  [
    'a StatefulSet, in another version of its group',
    hpa({ apiVersion: 'apps/v1beta2', kind: 'StatefulSet', name: 'db' }),
    object('apps/v1', 'StatefulSet', 'db'),
    true,
  ],
  [
    'a custom kind',
    hpa({ apiVersion: 'example.com/v1', kind: 'Farm', name: 'f' }),
    object('example.com/v1', 'Farm', 'f'),
    true,
  ],
  ['another name', hpa({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }), web, false],
  ['another namespace', hpa({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, 'other'), web, false],
  ['another group', hpa({ apiVersion: 'example.com/v1', kind: 'Deployment', name: 'web' }), web, false],
  ['a target of KEDA, by default a Deployment', keda({ name: 'web' }), web, true],
  ['a target of KEDA of another kind', keda({ name: 'web', kind: 'StatefulSet' }), web, false],
  [
    'a ScaledObject of another group',
    object('example.com/v1', 'ScaledObject', 'k', { scaleTargetRef: { name: 'web' } }),
    web,
    false,
  ],
];

for (const [title, scaler, target, isIgnored] of SCALED) {
  test(`replicas that an autoscaler ${isIgnored ? 'sets are ignored' : 'does not set are compared'}: ${title}`, () => {
    const [, found] = resolveIgnored([scaler, target], []);
    assert.deepEqual(found && pointersOf(found), isIgnored ? ['/spec/replicas'] : undefined);
  });
}
