/**
 * The fields that an OutOfSync reports, compared with the records of the API server: JSON pointer, both values, manager
 * and time of the live value. Each is found once by comparing the objects, and once by a dry run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { FieldDifference } from '../../../src/diff/changes.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { managedFieldsOf } from '../../../src/object/field-set.ts';
import { MASK } from '../../../src/object/redact.ts';
import { cloneValue, type KubeObject, type Value } from '../../../src/object/value.ts';
import { useStarted } from '../../support/use-world.ts';
import { apply, liveOf, messageOf, pathOf } from './api.ts';
import { withValue } from './mutations.ts';
import { startReferee } from './referee.ts';
import { secret } from '../../support/objects.ts';

const configMap: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'fields',
    labels: { app: 'web' },
    annotations: { 'example.com/note': 'a' },
    finalizers: ['example.com/a', 'example.com/b'],
  },
  data: { a: '1', b: '2' },
};
const sealed = secret('fields', { stringData: { password: 'c4n4ry' } });
const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'fields' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'a' } },
    template: {
      metadata: { labels: { app: 'a' } },
      spec: {
        containers: [
          {
            name: 'app',
            image: 'app:1',
            args: ['--a', '--b'],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '1' } },
          },
          { name: 'side', image: 'side:1' },
        ],
      },
    },
  },
};
const gadget: KubeObject = {
  apiVersion: 'test.example.com/v1',
  kind: 'Gadget',
  metadata: { name: 'fields' },
  spec: {
    items: [{ name: 'b', value: '1' }, { name: 'a' }],
    tags: ['z', 'a'],
    list: ['one', 'two'],
    object: { atomic: { k: 'v', l: 'w' } },
  },
};

type Act =
  | { readonly patch: Value; readonly manager: string; readonly subresource?: string }
  /** Applies the manifest with another value at that place, with force. */
  | { readonly at: readonly string[]; readonly value: Value; readonly manager: string };

/** An absent `manager` means that no manager may be named. */
const TABLE: readonly [title: string, manifest: KubeObject, act: Act, fields: readonly FieldDifference[]][] = [
  [
    'a value changed',
    configMap,
    { patch: [{ op: 'replace', path: '/data/a', value: 'x' }], manager: 'kubectl-edit' },
    [{ path: '/data/a', desired: '1', live: 'x', manager: 'kubectl-edit' }],
  ],
  [
    'a value removed',
    configMap,
    { patch: [{ op: 'remove', path: '/data/a' }], manager: 'kubectl-edit' },
    [{ path: '/data/a', desired: '1' }],
  ],
  [
    'a value applied by force by another',
    configMap,
    { at: ['metadata', 'labels', 'app'], value: 'api', manager: 'other' },
    [{ path: '/metadata/labels/app', desired: 'web', live: 'api', manager: 'other' }],
  ],
  [
    'a name that a pointer escapes',
    configMap,
    { at: ['metadata', 'annotations', 'example.com/note'], value: 'b', manager: 'other' },
    [{ path: '/metadata/annotations/example.com~1note', desired: 'a', live: 'b', manager: 'other' }],
  ],
  [
    'a value that left Git',
    configMap,
    { at: ['data', 'c'], value: '3', manager: 'tautline' },
    [{ path: '/data/c', live: '3', manager: 'tautline' }],
  ],
  [
    'a member of a set removed',
    configMap,
    { patch: [{ op: 'remove', path: '/metadata/finalizers/1' }], manager: 'editor' },
    [{ path: '/metadata/finalizers/1', desired: 'example.com/b' }],
  ],
  [
    'a value of a Secret',
    sealed,
    { patch: [{ op: 'replace', path: '/data/password', value: 'eA==' }], manager: 'editor' },
    [{ path: '/data/password', desired: MASK, live: MASK, manager: 'editor' }],
  ],
  [
    'a field of a list item that stands elsewhere now',
    deployment,
    {
      patch: [
        { op: 'replace', path: '/spec/template/spec/containers/1/image', value: 'side:2' },
        { op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'injected', image: 'mesh' } },
      ],
      manager: 'kubectl-set',
    },
    [{ path: '/spec/template/spec/containers/1/image', desired: 'side:1', live: 'side:2', manager: 'kubectl-set' }],
  ],
  [
    'a variable changed',
    deployment,
    { patch: [{ op: 'replace', path: '/spec/template/spec/containers/0/env/1/value', value: 'x' }], manager: 'editor' },
    [{ path: '/spec/template/spec/containers/0/env/1/value', desired: '2', live: 'x', manager: 'editor' }],
  ],
  [
    'a variable removed',
    deployment,
    { patch: [{ op: 'remove', path: '/spec/template/spec/containers/0/env/0' }], manager: 'editor' },
    [{ path: '/spec/template/spec/containers/0/env/0', desired: { name: 'A', value: '1' } }],
  ],
  [
    'a variable that left Git',
    deployment,
    {
      at: ['spec', 'template', 'spec', 'containers', '0', 'env', '2'],
      value: { name: 'C', value: '3' },
      manager: 'tautline',
    },
    [{ path: '/spec/template/spec/containers/0/env/2', live: { name: 'C', value: '3' }, manager: 'tautline' }],
  ],
  [
    'items in another order',
    deployment,
    {
      patch: [
        {
          op: 'move',
          from: '/spec/template/spec/containers/0/env/0',
          path: '/spec/template/spec/containers/0/env/1',
        },
      ],
      manager: 'editor',
    },
    [
      {
        path: '/spec/template/spec/containers/0/env',
        desired: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        live: [
          { name: 'B', value: '2' },
          { name: 'A', value: '1' },
        ],
      },
    ],
  ],
  [
    'an item of an atomic list changed',
    deployment,
    { patch: [{ op: 'replace', path: '/spec/template/spec/containers/0/args/1', value: '--c' }], manager: 'editor' },
    [{ path: '/spec/template/spec/containers/0/args/1', desired: '--b', live: '--c', manager: 'editor' }],
  ],
  [
    'an atomic list made longer',
    deployment,
    { patch: [{ op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--c' }], manager: 'editor' },
    [
      {
        path: '/spec/template/spec/containers/0/args',
        desired: ['--a', '--b'],
        live: ['--a', '--b', '--c'],
        manager: 'editor',
      },
    ],
  ],
  [
    'a quantity',
    deployment,
    {
      patch: [{ op: 'replace', path: '/spec/template/spec/containers/0/resources/limits/cpu', value: '2' }],
      manager: 'editor',
    },
    [{ path: '/spec/template/spec/containers/0/resources/limits/cpu', desired: '1', live: '2', manager: 'editor' }],
  ],
  [
    'a count of replicas that was scaled',
    deployment,
    { patch: [{ op: 'replace', path: '/spec/replicas', value: 5 }], manager: 'scaler', subresource: '/scale' },
    [{ path: '/spec/replicas', desired: 2, live: 5, manager: 'scaler' }],
  ],
  [
    'a field of an item keyed by two, one of them left out',
    gadget,
    { patch: [{ op: 'replace', path: '/spec/items/0/value', value: 'x' }], manager: 'editor' },
    [{ path: '/spec/items/0/value', desired: '1', live: 'x', manager: 'editor' }],
  ],
  [
    'a member of a set of a custom kind removed',
    gadget,
    { patch: [{ op: 'remove', path: '/spec/tags/0' }], manager: 'editor' },
    [{ path: '/spec/tags/0', desired: 'z' }],
  ],
  [
    'an entry of an atomic map',
    gadget,
    { patch: [{ op: 'replace', path: '/spec/object/atomic/k', value: 'x' }], manager: 'editor' },
    [{ path: '/spec/object/atomic/k', desired: 'v', live: 'x', manager: 'editor' }],
  ],
];

const referee = useStarted('the referee', () => startReferee());

for (const [title, manifest, act, fields] of TABLE) {
  test(`${title} is reported with path, values, manager and time`, async () => {
    const [desired] = await referee.bind([cloneValue(manifest)]);
    assert.ok(desired);
    const applied = await referee.applied(desired);
    const answer = await run(desired, act);
    assert.ok(answer.code < 300, messageOf(answer));
    const live = liveOf(await referee.read(desired));
    const change = referee.judge(desired, live);
    assertFields(change.fields, fields, live);
    const evidence = await referee.dryRun(desired, live);
    assert.ok(evidence?.isChanged);
    assertFields(judgeDryRun({ ...change, type: 'unsure' }, evidence.returned).fields, fields, live);
    await referee.restore(desired, applied);
  });
}

function run(desired: DesiredObject, act: Act) {
  if ('at' in act) {
    return apply(referee.api, desired, withValue(desired.body, act.at, act.value), { manager: act.manager });
  }
  const path = `${pathOf(desired.kind, desired.id)}${act.subresource ?? ''}?fieldManager=${act.manager}`;
  return referee.api.send('PATCH', path, { body: act.patch, type: 'application/json-patch+json' });
}

function assertFields(
  actual: readonly FieldDifference[],
  expected: readonly FieldDifference[],
  { body }: LiveObject,
): void {
  const untimed = JSON.parse(
    JSON.stringify(actual, (key, value: unknown) => (key === 'managedAt' ? undefined : value)),
  );
  assert.deepEqual(untimed, expected);
  for (const { manager, managedAt } of actual) {
    // The server records no time for a write to /scale.
    const entry = managedFieldsOf(body).find((one) => one.manager === manager);
    assert.equal(managedAt, entry?.time);
    if (manager !== undefined && entry?.subresource === undefined) assert.match(managedAt ?? '', /^\d{4}-.*Z$/);
  }
}
