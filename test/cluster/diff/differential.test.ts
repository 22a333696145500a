/**
 * Compares diff/ with the API server itself: after each of some thousand mutations, on the live side and on the side of
 * the manifest, the verdict is set beside what a dry-run server-side apply would change.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { bindManifests } from '../../../src/bind/bind.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { Kinds } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { baselineOf } from '../../../src/diff/baseline.ts';
import type { Baseline, Change } from '../../../src/diff/changes.ts';
import { diffObjects } from '../../../src/diff/diff.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { ownerOf } from '../../../src/object/applyset.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { formatId, idKey } from '../../../src/object/identity.ts';
import { stringifyJson } from '../../../src/object/json.ts';
import { isEqualValue, type KubeObject, type Value } from '../../../src/object/value.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/control-plane.ts';
import { apply, connect, discover, liveOf, messageOf, pathOf, type Answer, type Api } from './api.ts';
import { liveMutations, manifestMutations, randomOf } from './mutations.ts';

const owner = ownerOf({ hubId: 'hub', namespace: 'default', name: 'test' });
/** Places tried of each way to mutate an object. */
const PER_WAY = Number(process.env['DIFFERENTIAL_PER_WAY'] ?? 2);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);

/**
 * Made to be odd: zero values and empty structs that the server fills with defaults, defaults inside atomic values, and
 * an atomic list that admission adds to. Only a baseline tells that they are as desired.
 */
const ODD = [
  'Gadget.test.example.com default/filled',
  'Gadget.test.example.com default/zeros',
  'LimitRange default/limits',
  'Pod default/pod',
  'Service default/balancer',
];

let plane: ControlPlane;
let api: Api;
let kinds: Kinds;
let objects: readonly DesiredObject[];

before(async () => {
  plane = await startControlPlane({ mode: 'api-server-only' });
  api = await connect(plane);
  for (const crd of await readObjects('definitions.yaml')) await applyCrd(crd);
  // Made by a controller that does not run here; Pods are refused without it.
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await api.send('POST', '/api/v1/namespaces/default/serviceaccounts', { body: account });
  const manifests = await readObjects('objects.yaml');
  kinds = await discover(api, manifests);
  objects = bind(manifests);
});

after(async () => {
  api?.close();
  await plane?.stop();
});

test('objects of many kinds are as desired right after they were applied', async (t) => {
  assert.ok(objects.length >= 60, `${objects.length} objects`);
  const inconclusive: string[] = [];
  for (const desired of objects) {
    const live = await applied(desired);
    const change = judge(desired, live);
    if (change.type !== 'none') inconclusive.push(`${formatId(desired.id)}: ${change.type} ${show(change.fields)}`);
    assert.notEqual(change.type, 'update', `${formatId(desired.id)}: ${show(change.fields)}`);
    const settled = judge(desired, live, baselineOf(desired, live));
    assert.equal(settled.type, 'none', `${formatId(desired.id)} with a baseline: ${show(settled.fields)}`);
  }
  t.diagnostic(
    `${inconclusive.length} of ${objects.length} inconclusive without a baseline: ${inconclusive.join('; ')}`,
  );
  assert.deepEqual(inconclusive.map((text) => text.split(':')[0]).sort(), ODD);
});

test('no change of a live object that the server would undo is called none, and none that it would not is called update', async (t) => {
  const random = randomOf(SEED);
  const tally = new Tally();
  for (const desired of objects) {
    let live = await applied(desired);
    let baseline = baselineOf(desired, live);
    for (const mutation of liveMutations({ api, desired, live, random, perWay: PER_WAY })) {
      const answer = await mutation.run();
      if (answer.code >= 300) {
        tally.refused++;
        continue;
      }
      live = liveOf(await read(desired));
      await tally.check(`${formatId(desired.id)}: ${mutation.title}`, { desired, live, baseline });
      baseline = baselineOf(desired, await restore(desired));
    }
  }
  t.diagnostic(tally.text());
  assert.ok(tally.checked > 250, tally.text());
  assert.deepEqual(tally.missed, []);
  assert.deepEqual(tally.invented, []);
});

test('no change of a manifest that the server would carry out is called none', async (t) => {
  const random = randomOf(SEED + 1);
  const tally = new Tally();
  for (const desired of objects) {
    const live = await applied(desired);
    for (const [title, body] of manifestMutations(desired.body, random, PER_WAY)) {
      const mutated: DesiredObject = { ...desired, body, digest: digestValue(body) };
      await tally.check(`${formatId(desired.id)}: ${title}`, { desired: mutated, live });
    }
  }
  t.diagnostic(tally.text());
  assert.ok(tally.checked > 250, tally.text());
  assert.deepEqual(tally.missed, []);
  assert.deepEqual(tally.invented, []);
});

interface Case {
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly baseline?: Baseline;
}

/** Verdicts beside what the server says. */
class Tally {
  checked = 0;
  refused = 0;
  readonly byOutcome = new Map<string, number>();
  /** `none` where the server would change something. */
  readonly missed: string[] = [];
  /** `update` where the server would change nothing. */
  readonly invented: string[] = [];

  async check(title: string, { desired, live, baseline }: Case): Promise<void> {
    const answer = await apply(api, desired, desired.body, { dryRun: true });
    const verdicts = [judge(desired, live).type, ...(baseline ? [judge(desired, live, baseline).type] : [])];
    if (answer.code >= 300) {
      this.refused++;
      return;
    }
    this.checked++;
    const returned = liveOf(answer);
    const isChanged = !isEqualValue(essence(returned.body, desired), essence(live.body, desired));
    const judged = judgeDryRun(
      { type: 'unsure', id: desired.id, kind: desired.kind, desired, live, fields: [] },
      returned,
    );
    assert.equal(judged.type, isChanged ? 'update' : 'none', `${title}: the dry run is read right`);
    for (const verdict of verdicts) {
      const outcome = `${verdict} where the server ${isChanged ? 'changes' : 'changes nothing'}`;
      this.byOutcome.set(outcome, (this.byOutcome.get(outcome) ?? 0) + 1);
      if (verdict === 'none' && isChanged) this.missed.push(`${title}: ${show(judged.fields)}`);
      if (verdict === 'update' && !isChanged) {
        this.invented.push(`${title}: ${show(judge(desired, live, baseline).fields)}`);
      }
    }
  }

  text(): string {
    const outcomes = [...this.byOutcome].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    return `${this.checked} compared, ${this.refused} refused by the server; ${outcomes}`;
  }
}

function judge(desired: DesiredObject, live: LiveObject, baseline?: Baseline): Change {
  const [change] = diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[idKey(desired.id), { state: 'present', object: live }]]),
    inventory: new Map([[idKey(desired.id), desired.id]]),
    owner,
    memory: { baselines: new Map(baseline ? [[idKey(desired.id), baseline]] : []), isAccepted: () => true },
    kinds,
  });
  assert.ok(change);
  return change;
}

function show(fields: Change['fields']): string {
  return stringifyJson(fields as unknown as Value);
}

/** The object without what every write changes, and without a status that controllers write meanwhile. */
function essence(body: KubeObject, { kind }: DesiredObject): Value {
  const metadata = { ...body.metadata };
  for (const key of ['managedFields', 'resourceVersion', 'generation']) delete metadata[key];
  return { ...body, metadata, ...(kind.hasStatus ? { status: null } : {}) };
}

function bind(manifests: readonly KubeObject[]): readonly DesiredObject[] {
  const desired = bindManifests({
    manifests: {
      manifests: manifests.map((object) => ({ object, digest: digestValue(object), file: 'objects.yaml', line: 1 })),
      problems: [],
    },
    kinds,
    owner,
    destinationNamespace: undefined,
    applicationNamespace: 'default',
    allowCrossNamespace: true,
  });
  assert.deepEqual(desired.problems, []);
  return desired.objects;
}

function read(desired: DesiredObject): Promise<Answer> {
  return api.send('GET', pathOf(desired.kind, desired.id));
}

async function applied(desired: DesiredObject): Promise<LiveObject> {
  const answer = await apply(api, desired, desired.body);
  assert.ok(answer.code < 300, `${formatId(desired.id)}: ${answer.code} ${messageOf(answer)}`);
  return liveOf(await read(desired));
}

/** Made anew, so that nothing of one mutation is left for the next. */
async function restore(desired: DesiredObject): Promise<LiveObject> {
  const path = pathOf(desired.kind, desired.id);
  // Namespaces never go without a controller, and a CRD's name is kept until its objects are gone.
  if (desired.id.kind === 'Namespace') {
    await api.send('PATCH', path, {
      body: { metadata: { managedFields: [{}], finalizers: [], labels: { x: null }, annotations: { x: null } } },
      type: 'application/merge-patch+json',
    });
    return applied(desired);
  }
  await api.send('PATCH', path, { body: { metadata: { finalizers: [] } }, type: 'application/merge-patch+json' });
  await api.send('DELETE', path, { body: { propagationPolicy: 'Background', gracePeriodSeconds: 0 } });
  for (let answer = await read(desired); answer.code < 300; answer = await read(desired)) {
    await api.send('PATCH', path, { body: { metadata: { finalizers: [] } }, type: 'application/merge-patch+json' });
  }
  return applied(desired);
}

async function readObjects(file: string): Promise<KubeObject[]> {
  const text = await readFile(new URL(file, import.meta.url), 'utf8');
  return parseAllDocuments(text, { intAsBigInt: true }).map((document) => {
    assert.deepEqual(document.errors, []);
    return asValue(document.toJS()) as KubeObject;
  });
}

function asValue(value: unknown): Value {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(asValue);
  if (typeof value !== 'object' || value === null) return value as Value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asValue(item)]));
}

async function applyCrd(crd: KubeObject): Promise<void> {
  const name = String(crd.metadata['name']);
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  await api.send('PATCH', `${path}?fieldManager=setup&force=true`, { body: crd, type: 'application/apply-patch+yaml' });
  for (;;) {
    const { body } = await api.send('GET', `/apis/test.example.com/v1`);
    if (stringifyJson(body).includes(`"${name.split('.')[0]}"`)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
