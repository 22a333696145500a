/**
 * A pass takes over the findings of the last one only if it would find the same. Two Applications go through the same
 * events: one may take findings over, the other one has to look in each pass.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ApplyRequest, ClusterClient } from '../../../../src/cluster/ports.ts';
import type { LiveEntry, LiveObject } from '../../../../src/cluster/live.ts';
import type { Owner } from '../../../../src/object/applyset.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { stringAt, type KubeObject } from '../../../../src/object/value.ts';
import type { ApplicationStatus } from '../../../../src/application/status-schema.ts';
import type { BoundSet } from '../../../../src/reconcile/desired/bind-desired.ts';
import type { Pass } from '../../../../src/reconcile/pass.ts';
import { settleObjects } from '../../../../src/reconcile/reconcile.ts';
import { emptyRestMemory } from '../../../../src/reconcile/report/memory.ts';
import { keepComposed } from '../../../../src/reconcile/report/rest.ts';
import type { Findings } from '../../../../src/reconcile/report/report-of.ts';
import { applicationOf, snapshotOf } from '../../../support/applications.ts';
import { ABSENT, desiredOf, idOf, marksOf, OTHER_OWNER, OWNER } from '../../../support/changes.ts';
import { scriptPass, type ScriptedPass } from '../../../support/pass.ts';
import { kindsOf } from '../../../support/reading.ts';

const IDS = [idOf('a', { group: 'example.com', kind: 'Widget' }), idOf('b')] as const;
const KINDS = kindsOf(...IDS);

interface Scene extends ScriptedPass {
  /** Requests to the cluster. */
  readonly requests: string[];
  /** The value of a field of each desired object in Git, by `idKey`. */
  readonly git: Map<string, string>;
  bound: BoundSet;
  pass: Pass;
  version: number;
  doubtful: boolean;
  readonly run: () => Promise<Findings>;
}

/** `mayRest`: whether passes may take findings over. */
function scene(mayRest: boolean): Scene {
  const requests: string[] = [];
  const client: Partial<ClusterClient> = {
    async get(_kind, { name }) {
      requests.push(`get ${name}`);
      return ABSENT;
    },
    async apply({ body, dryRun }: ApplyRequest) {
      const name = stringAt(body.metadata, 'name') ?? '';
      const id = IDS.find((each) => each.name === name) as ObjectId;
      requests.push(`${dryRun ? 'dry run' : 'apply'} ${name}`);
      const object = objectOf(it, id, stringAt(body, 'data', 'size') ?? '');
      if (!dryRun) it.show(id, { state: 'present', object });
      return { ok: true, object, isCreated: false, warnings: [] };
    },
  };
  const scripted = scriptPass({ client, kinds: KINDS });
  const memory = scripted.pass.memory;
  const inventory = new Map<string, ObjectId>();
  Object.assign(memory.inventory, { ids: inventory });
  Object.assign(memory.endedJobs, { ended: new Map(), started: new Map() });
  const it: Scene = Object.assign(scripted, {
    ...{ requests, git: new Map<string, string>(), version: 1, doubtful: false },
    bound: { desired: { objects: [], problems: [], digest: '' }, kinds: KINDS, isComplete: true },
    async run() {
      const { mode } = it.pass.goal.intent;
      const request = it.doubtful ? { id: 'sync', action: 'sync' } : undefined;
      const goal = {
        ...it.pass.goal,
        isForced: it.doubtful,
        request,
        intent: { mode, prune: true, objects: undefined },
      };
      it.pass = { ...it.pass, goal, failures: [], isCutShort: false, base: it.stored };
      if (!mayRest) Object.assign(memory.rest, emptyRestMemory());
      const begun = { attempt: { revision: '', startedAt: '', startedMs: it.clock.monotonicMs() } };
      const found = await settleObjects(it.pass, { snapshot: snapshotOf('1'), bound: it.bound, inventory, begun });
      it.doubtful = false;
      return found;
    },
  });
  desire(it, IDS[0], 'small');
  desire(it, IDS[1], 'small');
  return it;
}

/** An object as the API server stores it, with marks of an owner. */
function objectOf(
  it: Pick<Scene, 'version'>,
  id: ObjectId,
  size: string,
  owner: Owner | undefined = OWNER,
): LiveObject {
  const resourceVersion = String(++it.version);
  const fieldsV1 = { 'f:metadata': { 'f:labels': {}, 'f:annotations': {} }, 'f:data': { 'f:size': {} } };
  const managedFields = [
    { manager: 'tautline', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
  ];
  const metadata = { name: id.name, ...(owner && marksOf(owner)), managedFields };
  const body: KubeObject = { apiVersion: 'v1', kind: id.kind, metadata, data: { size } };
  return { id, apiVersion: 'v1', uid: 'u1', resourceVersion, body };
}

/** Git changes: the bind makes a new set. */
function desire(it: Scene, id: ObjectId, size: string | undefined): void {
  if (size === undefined) it.git.delete(idKey(id));
  else it.git.set(idKey(id), size);
  const objects = IDS.flatMap((each) => {
    const value = it.git.get(idKey(each));
    if (value === undefined) return [];
    const object = desiredOf({ id: each });
    return [{ ...object, body: { ...object.body, data: { size: value } }, digest: value }];
  });
  it.bound = { ...it.bound, desired: { objects, problems: [], digest: [...it.git].join() } };
}

type Act = (it: Scene, id: ObjectId) => void;

const show = (it: Scene, id: ObjectId, object: LiveObject): void => it.show(id, { state: 'present', object });

const ACTS: Readonly<Record<string, Act>> = {
  edit: (it, id) => show(it, id, objectOf(it, id, 'large')),
  'edit to the same': (it, id) => show(it, id, objectOf(it, id, it.git.get(idKey(id)) ?? 'small')),
  'be taken': (it, id) => show(it, id, objectOf(it, id, 'small', OTHER_OWNER)),
  'lose its marks': (it, id) => show(it, id, objectOf(it, id, 'small', undefined)),
  'become unwell'(it, id) {
    const object = objectOf(it, id, it.git.get(idKey(id)) ?? 'small');
    const status = { conditions: [{ type: 'Ready', status: 'False' }] };
    show(it, id, { ...object, body: { ...object.body, status } });
  },
  terminate(it, id) {
    show(it, id, { ...objectOf(it, id, it.git.get(idKey(id)) ?? 'small'), deletionTimestamp: '2026-01-01T00:00:00Z' });
  },
  disappear: (it, id) => it.show(id, { state: 'absent' } satisfies LiveEntry),
  'change in Git': (it, id) => desire(it, id, it.git.get(idKey(id)) === 'small' ? 'medium' : 'small'),
  'leave Git or come back': (it, id) => desire(it, id, it.git.has(idKey(id)) ? undefined : 'small'),
  'be claimed by another': (it, id) => void it.pass.context.claims.claim('cluster', id, 'apps/other'),
  'be given up by another': (it) => void it.pass.context.claims.drop('apps/other'),
  'a moment passes': (it) => (it.clock.nowMs += 10),
  'an hour passes': (it) => (it.clock.nowMs += 3_600_000),
  'a watch breaks or is open again': (it) => (it.liveVersion = it.liveVersion === undefined ? ++it.version : undefined),
  'windows close or open'(it) {
    const mode = it.pass.goal.intent.mode === 'auto' ? 'manual' : 'auto';
    it.pass = { ...it.pass, goal: { ...it.pass.goal, intent: { ...it.pass.goal.intent, mode } } };
  },
  'a person asks for a sync': (it) => (it.doubtful = true),
  'the accepted digest in status changes'(it) {
    const status = { sync: { status: 'Synced', digest: it.bound.desired.digest } };
    it.pass = { ...it.pass, application: applicationOf({ status }) };
  },
};

const events = fc.array(fc.record({ act: fc.constantFrom(...Object.keys(ACTS)), at: fc.nat(1) }), { maxLength: 8 });

/** Everything of the findings that the rest of a pass reads. */
function shown(found: Findings): object {
  const byName = (a: { id: ObjectId }, b: { id: ObjectId }): number => (a.id.name < b.id.name ? -1 : 1);
  const { plan, braked } = found;
  const changes = [...(found.changes ?? [])].sort(byName);
  return {
    changes: changes.map(({ id, type, reason, live, fields }) => [
      id.name,
      type,
      reason,
      live?.resourceVersion,
      fields,
    ]),
    health: [...(found.health ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)),
    plan: plan && [plan.waves.length, plan.prunes.length, plan.releases.length, plan.waitingFor, plan.left.length],
    times: [found.handOverAgainInMs, braked?.againInMs],
    rest: [found.rivalClaims, found.awaited, braked?.contested, found.isComplete, found.isEmptyRender, found.guard],
  };
}

/** Two passes after each event, so that the second one may take over the findings of the first. */
async function passes(it: Scene): Promise<Findings[]> {
  const all: Findings[] = [];
  for (let count = 0; count < 4; count++) all.push(await it.run());
  return all;
}

test('a pass that takes findings over finds what a pass finds that looks', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(events, async (list) => {
      const [resting, looking] = [scene(true), scene(false)];
      for (const { act, at } of [{ act: 'a moment passes', at: 0 }, ...list]) {
        for (const it of [resting, looking]) ACTS[act]?.(it, IDS[at] as ObjectId);
        const [own, other] = [await passes(resting), await passes(looking)];
        taken += own.filter(({ known }) => known !== undefined).length;
        assert.deepEqual(own.map(shown), other.map(shown), act);
        assert.deepEqual(resting.requests, looking.requests, act);
        assert.deepEqual(resting.pass.failures, looking.pass.failures, act);
      }
    }),
    { numRuns: 25 },
  );
  assert.ok(taken > 25, `only ${taken} passes took findings over`);
});

test('at rest nothing is looked at, and the parts of the status that follow from the findings are kept', async () => {
  const it = scene(true);
  const first = await passes(it);
  assert.deepEqual(
    first.map(({ known }) => known !== undefined),
    [false, false, true, true],
  );
  const looks = it.requests.length;
  const { live } = it.pass.target;
  const look = live.look.bind(live);
  let count = 0;
  Object.assign(live, { look: (...question: Parameters<typeof look>) => (count++, look(...question)) });
  const parts = { objects: [], status: { inventory: { objects: {} } } as ApplicationStatus };
  keepComposed(it.pass.memory, first.at(-1) as Findings, parts);
  const taken = await it.run();
  assert.deepEqual(taken.known?.parts, { objects: [], inventory: { objects: {} } });
  assert.equal(count, 0);
  assert.equal(it.requests.length, looks);
  ACTS['edit']?.(it, IDS[0]);
  assert.equal((await it.run()).known, undefined);
  assert.ok(count > 0);
});

/** Each makes the next pass look, although nothing has changed that a version tells of. */
const UNREST: Readonly<Record<string, (it: Scene) => void>> = {
  'answers of the API server are to be doubted': (it) => (it.clock.nowMs += 3_600_000),
  'a person asks for a sync': (it) => (it.doubtful = true),
  'a watch is not open': (it) => (it.liveVersion = undefined),
  'the accepted set is another one': (it) => ACTS['the accepted digest in status changes']?.(it, IDS[0]),
  'the set is not complete': (it) => (it.bound = { ...it.bound, isComplete: false }),
};

for (const [name, act] of Object.entries(UNREST)) {
  test(`a pass looks at the objects where ${name}`, async () => {
    const it = scene(true);
    assert.ok((await passes(it)).at(-1)?.known);
    act(it);
    assert.equal((await it.run()).known, undefined);
  });
}

test('an Application with an object that is not Healthy, or that is being deleted, is not at rest', async () => {
  for (const act of ['become unwell', 'terminate']) {
    const it = scene(true);
    await passes(it);
    ACTS[act]?.(it, IDS[0]);
    assert.equal((await passes(it)).at(-1)?.known, undefined, act);
  }
});
