/** A value that admission changes: one answer of the server settles that it is as desired, and later diffs agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindManifests } from '../../../src/bind/bind.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { Kinds } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { baselineOf } from '../../../src/diff/baseline.ts';
import type { Baseline } from '../../../src/diff/changes.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { stringAt, type KubeObject } from '../../../src/object/value.ts';
import { configMap as plain } from '../../support/objects.ts';
import { prepare, useControlPlane, useStarted } from '../../support/use-world.ts';
import { apply, connect, discover, liveOf, messageOf, pathOf } from './api.ts';
import { judge, owner } from './referee.ts';

const POLICIES = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies';

const policy: KubeObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicy',
  metadata: { name: 'upper.example.com' },
  spec: {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
      ],
      objectSelector: { matchLabels: { admit: 'upper' } },
    },
    mutations: [
      {
        patchType: 'JSONPatch',
        jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/data/a", value: object.data.a.upperAscii()}]' },
      },
    ],
  },
};

const binding: KubeObject = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: 'upper.example.com' },
  spec: { policyName: 'upper.example.com' },
};

const plane = useControlPlane();
const api = useStarted('the connection', () => connect(plane));
let kinds: Kinds;

prepare(async () => {
  for (const [path, body] of [
    [POLICIES, policy],
    [`${POLICIES.replace(/ies$/, 'y')}bindings`, binding],
  ] as const) {
    const answer = await api.send('POST', path, { body });
    assert.equal(answer.code, 201, messageOf(answer));
  }
  kinds = await discover(api, [configMap('probe', 'x')]);
  await untilPolicyWorks();
});

test('a value changed at admission is unsure once and no difference afterwards, while a change by hand is still found', async () => {
  const desired = bind(configMap('admitted', 'lower'));
  const live = liveOf(await apply(api, desired, desired.body));
  assert.equal(stringAt(live.body, 'data', 'a'), 'LOWER');
  assert.equal(typeOf(desired, live), 'unsure');

  const again = liveOf(await apply(api, desired, desired.body));
  assert.equal(again.resourceVersion, live.resourceVersion, 'the apply that brings the evidence changes nothing');
  const baseline = baselineOf(desired, again);
  assert.equal(typeOf(desired, again, baseline), 'none');

  const touched = await patch(desired, { metadata: { labels: { foreign: 'x' } } });
  assert.equal(typeOf(desired, touched, baseline), 'none');
  const drifted = await patch(desired, { data: { a: 'by hand' } });
  assert.equal(typeOf(desired, drifted, baseline), 'update');
  const healed = liveOf(await apply(api, desired, desired.body));
  assert.equal(typeOf(desired, healed, baseline), 'none');
});

test('a dry run settles a value changed at admission where nothing may be written', async () => {
  const desired = bind(configMap('dry', 'lower'));
  const live = liveOf(await apply(api, desired, desired.body));
  const returned = liveOf(await apply(api, desired, desired.body, { dryRun: true }));
  const { id, kind } = desired;
  assert.equal(judgeDryRun({ type: 'unsure', id, kind, desired, live, fields: [] }, returned).type, 'none');
  assert.equal(typeOf(desired, live, baselineOf(desired, returned)), 'none');
});

function configMap(name: string, a: string): KubeObject {
  return plain(name, { a }, { labels: { admit: 'upper' } });
}

function bind(object: KubeObject): DesiredObject {
  const [desired] = bindManifests({
    manifests: { manifests: [{ object, digest: digestValue(object), file: 'a.yaml', line: 1 }], problems: [] },
    kinds,
    owner,
    destinationNamespace: undefined,
    reach: { namespace: 'default', mayCross: false },
  }).objects;
  assert.ok(desired);
  return desired;
}

async function patch(
  desired: DesiredObject,
  body: { [key: string]: { [key: string]: string | { [key: string]: string } } },
) {
  const path = `${pathOf(desired.kind, desired.id)}?fieldManager=editor`;
  return liveOf(await api.send('PATCH', path, { body, type: 'application/merge-patch+json' }));
}

const typeOf = (desired: DesiredObject, live: LiveObject, baseline?: Baseline): string =>
  judge({ desired, live, kinds, baseline }).type;

/** The API server takes a moment to load a policy. */
async function untilPolicyWorks(): Promise<void> {
  for (;;) {
    const probe = bind(configMap('probe', 'x'));
    const answer = await apply(api, probe, probe.body, { dryRun: true });
    if (answer.code < 300 && stringAt(answer.body, 'data', 'a') === 'X') return;
    await sleep(50);
  }
}
