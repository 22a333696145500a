/**
 * Random objects, rules and edits on a real API server: ignored fields survive every apply, all others become equal to
 * Git, and a second diff finds nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyOnto } from '../../../src/apply/apply-onto.ts';
import { sendChange } from '../../../src/apply/send.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { diffObjects } from '../../../src/diff/diff.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { idKey, idOf } from '../../../src/object/identity.ts';
import { parsePointer, valueAtPointer } from '../../../src/object/pointer.ts';
import { listAt, stringAt, valueAt, type KubeObject, type Value } from '../../../src/object/value.ts';
import { apply as applyByKubectl, edit } from '../../support/kubectl.ts';
import { prepare } from '../../support/use-world.ts';
import { createNamespace, found, kindOf, useCluster, written } from '../edge/edge-cluster.ts';

/** The number of trials, of a dozen requests each. */
const RUNS = 40;
const owner = ownerOf({ hubId: 'hub', namespace: 'random', name: 'r' });

const { plane, cluster } = useCluster();
let count = 0;

prepare(async () => {
  await createNamespace(plane, 'random');
});
/** Places of a Deployment with the values that Git, or an edit by hand, may set. */
const PLACES = {
  replicas: { rule: '/spec/replicas', values: [1, 2, 3] },
  annotation: { rule: '/metadata/annotations/example.com~1note', values: ['a', 'b', 'c'] },
  label: { rule: '/metadata/labels/team', values: ['a', 'b', 'c'] },
  image: { rule: '/spec/template/spec/containers/0/image', values: ['app:1', 'app:2', 'app:3'] },
  sidecar: { rule: '/spec/template/spec/containers/1', values: ['side:1', 'side:2', 'side:3'] },
  level: { rule: '/spec/template/spec/containers/0/env/*/value', values: ['info', 'debug', 'warn'] },
  args: { rule: '/spec/template/spec/containers/0/args/0', values: ['--a', '--b', '--c'] },
  surge: { rule: '/spec/strategy/rollingUpdate', values: [1, 2, 3] },
  disk: { rule: '/spec/template/spec/nodeSelector/disk', values: ['ssd', 'hdd', 'nvme'] },
} as const;
type PlaceName = keyof typeof PLACES;
const NAMES = Object.keys(PLACES) as PlaceName[];
type State = Record<PlaceName, number>;

function deployment(name: string, state: State): KubeObject {
  const value = (place: PlaceName): Value => PLACES[place].values[state[place]] ?? null;
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'random',
      labels: { [PART_OF_LABEL]: owner.applySetId, team: value('label') },
      annotations: { [OWNER_ANNOTATION]: owner.ownerAnnotation, 'example.com/note': value('annotation') },
    },
    spec: {
      replicas: value('replicas'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: value('surge'), maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { disk: value('disk'), zone: 'z' },
          containers: [
            {
              name: 'app',
              image: value('image'),
              args: [value('args'), '--last'],
              env: [{ name: 'L', value: value('level') }],
            },
            { name: 'side', image: value('sidecar') },
          ],
        },
      },
    },
  };
}

/** The value at a place of a live object. Its lists have the order of Git here. */
function read(object: KubeObject, place: PlaceName): Value | undefined {
  const containers = listAt(object, 'spec', 'template', 'spec', 'containers');
  if (place === 'sidecar')
    return stringAt(
      containers.find((one) => stringAt(one, 'name') === 'side'),
      'image',
    );
  if (place === 'level') return valueAt(listAt(containers[0], 'env')[0], 'value');
  if (place === 'surge') return valueAt(object, 'spec', 'strategy', 'rollingUpdate', 'maxSurge');
  return valueAtPointer(object, parsePointer(PLACES[place].rule));
}

async function desiredOf(body: KubeObject, rules: readonly PlaceName[]): Promise<DesiredObject> {
  const kind = await kindOf(cluster, body.apiVersion, body.kind);
  const paths = rules.map((place) => parsePointer(PLACES[place].rule));
  const base = { id: idOf(body), kind, body, digest: digestValue(body), file: 'a.yaml', line: 1 };
  return { ...base, ignored: { paths, managers: [], digest: rules.join() } };
}

function judge(desired: DesiredObject, live: LiveObject): string | undefined {
  const key = idKey(desired.id);
  return diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[key, { state: 'present', object: live }]]),
    inventory: new Map([[key, desired.id]]),
    owner,
    memory: { baselines: new Map(), isAccepted: () => true },
    kinds: { served: new Map(), stale: new Set(), preferred: new Map() },
  })[0]?.type;
}

async function apply(desired: DesiredObject, live: LiveObject): Promise<LiveObject> {
  const { id, kind } = desired;
  const change: Change = { type: 'update', id, kind, desired, live, fields: [] };
  const result = await sendChange(change, { client: cluster.as(agentIdentity), owner });
  return result.live ?? assert.fail(JSON.stringify(result.refusal));
}

/** An edit by hand: a write of this kind gives some places another value. */
interface Hand {
  readonly places: readonly PlaceName[];
  readonly how: 'update' | 'apply' | 'update as tautline' | 'wipe';
  readonly value: number;
}

async function lay(hand: Hand, live: LiveObject, now: State): Promise<void> {
  const path = `/apis/apps/v1/namespaces/random/deployments/${live.id.name}`;
  if (hand.how === 'wipe') {
    const patch = { metadata: { managedFields: [{}] } };
    return edit({ plane }, `deployment/${live.id.name}`, { namespace: 'random', patch });
  }
  const next = { ...now, ...Object.fromEntries(hand.places.map((place) => [place, hand.value])) };
  const whole = deployment(live.id.name, next);
  if (hand.how === 'apply') return applyByKubectl({ plane }, whole, 'hand');
  const manager = hand.how === 'update' ? 'hand' : 'tautline';
  const body = { ...whole, metadata: { ...whole.metadata, resourceVersion: live.resourceVersion } };
  await send('PUT', `${path}?fieldManager=${manager}`, body);
}

async function send(method: string, path: string, body: unknown): Promise<void> {
  const answer = await plane.request(method, path, body);
  assert.ok(answer.code < 300, JSON.stringify(answer.body));
}

const state = fc.record(
  Object.fromEntries(NAMES.map((place) => [place, fc.nat(2)])) as Record<PlaceName, fc.Arbitrary<number>>,
);
const trial = fc.record({
  first: state,
  second: state,
  rules: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
  hands: fc.array(
    fc.record({
      places: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
      how: fc.constantFrom<Hand['how']>('update', 'apply', 'update as tautline', 'wipe'),
      value: fc.nat(2),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

test('after any edits and any next commit, ignored fields stay and all others equal Git', async () => {
  const client = cluster.as(agentIdentity);
  await fc.assert(
    fc.asyncProperty(trial, async ({ first, second, rules, hands }) => {
      const name = `d${count++}`;
      const before = await desiredOf(deployment(name, first), rules);
      let live = written(await applyOnto(client, { desired: before, live: undefined, force: true })).object;
      assert.equal(judge(before, live), 'none');
      let now = first;
      for (const hand of hands) {
        await lay(hand, live, now);
        if (hand.how !== 'wipe')
          now = { ...now, ...Object.fromEntries(hand.places.map((place) => [place, hand.value])) };
        live = found(await client.get(before.kind, before.id));
      }
      const isOutside = NAMES.some((place) => !rules.includes(place) && now[place] !== first[place]);
      const isWiped = hands.some(({ how }) => how === 'wipe');
      if (!isWiped) assert.equal(judge(before, live) !== 'none', isOutside, JSON.stringify({ rules, hands, first }));
      const ignored = rules.map((place) => read(live.body, place));
      const after = await desiredOf(deployment(name, second), rules);
      const applied = await apply(after, live);
      assert.deepEqual(
        rules.map((place) => read(applied.body, place)),
        ignored,
        'ignored',
      );
      for (const place of NAMES) {
        if (!rules.includes(place)) assert.deepEqual(read(applied.body, place), read(after.body, place), place);
      }
      assert.equal(judge(after, applied), 'none', 'a second look');
      const again = await apply(after, applied);
      assert.equal(again.resourceVersion, applied.resourceVersion, 'a second apply');
    }),
    { numRuns: RUNS },
  );
});
