/** Which fields of which desired object are ignored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IgnoreRule } from '../../../src/application/schema.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { resolveIgnored } from '../../../src/bind/ignore-rules.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { formatPointer } from '../../../src/object/pointer.ts';
import { idOf, versionOf } from '../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';

/** `place`: its name, in the namespace `shop`, or `<namespace>/<name>`. */
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
  return ignored?.paths.map(formatPointer);
}

const web = object('apps/v1', 'Deployment', 'web');

/** Whether a rule is about the Deployment shop/web. */
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
  test(`a rule for ${JSON.stringify(rule)} is ${isMatch ? '' : 'not '}about the Deployment shop/web`, () => {
    const [found] = resolveIgnored([web], [{ ...rule, jsonPointers: ['/a'] }]);
    assert.deepEqual(found && pointersOf(found), isMatch ? ['/a'] : undefined);
  });
}

test('rules add up, and objects of the same rules share what they came to', () => {
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

test('without rules and autoscalers every object is the very one it was', () => {
  const objects = [web, object('v1', 'ConfigMap', 'c')];
  assert.equal(resolveIgnored(objects, []), objects);
  assert.equal(resolveIgnored(objects, [{ kind: 'Secret', jsonPointers: ['/data'] }])[0], web);
});

const hpa = (ref: ValueMap, namespace = 'shop'): DesiredObject =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', `${namespace}/h`, { scaleTargetRef: ref });
const keda = (ref: ValueMap): DesiredObject => object('keda.sh/v1alpha1', 'ScaledObject', 'k', { scaleTargetRef: ref });

/** What scales, what is scaled, and whether its replicas are ignored. */
const SCALED: readonly [what: string, scaler: DesiredObject, target: DesiredObject, isIgnored: boolean][] = [
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
  ['by KEDA, which means a Deployment unless told', keda({ name: 'web' }), web, true],
  ['by KEDA, told otherwise', keda({ name: 'web', kind: 'StatefulSet' }), web, false],
  [
    'by something that only sounds like it',
    object('example.com/v1', 'ScaledObject', 'k', { scaleTargetRef: { name: 'web' } }),
    web,
    false,
  ],
];

for (const [what, scaler, target, isIgnored] of SCALED) {
  test(`replicas of what an autoscaler targets: ${what}`, () => {
    const [, found] = resolveIgnored([scaler, target], []);
    assert.deepEqual(found && pointersOf(found), isIgnored ? ['/spec/replicas'] : undefined);
  });
}
