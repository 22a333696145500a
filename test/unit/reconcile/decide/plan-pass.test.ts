/** The plan of a pass over `apps/shop`; each of the parts that it is made of has tests of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestPrune } from '../../../../src/application/prune-digest.ts';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import {
  planPass,
  type Planned,
  type PlanInput,
  type PlannedPass,
  type PlanQuestion,
} from '../../../../src/reconcile/decide/plan-pass.ts';
import { emptyMemory, type Memory } from '../../../../src/reconcile/memory.ts';
import type { StageFailure } from '../../../../src/status/report.ts';
import {
  applicationOf,
  createNeighbourhood,
  inventoryOf,
  snapshotOf,
  statementOf,
  type Neighbourhood,
  type StoredOptions,
} from '../../../support/applications.ts';
import { createClock } from '../../../support/clock.ts';
import { changeOf, idOf, leftChange, liveOf, OWNER } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';

const SNAPSHOT = snapshotOf('1');
const [A, B, C] = [idOf('a'), idOf('b'), idOf('c')];

interface PlanOptions {
  readonly changes: readonly Change[];
  readonly inventory?: readonly ObjectId[];
  readonly goal?: Partial<PlanQuestion['goal']>;
  readonly intent?: Partial<PlanQuestion['goal']['intent']>;
  readonly failures?: readonly StageFailure[];
  /** Whether the bound set is complete. Default: true. */
  readonly isComplete?: boolean;
  readonly memory?: Memory;
  readonly own?: StoredOptions;
  readonly others?: readonly StoredOptions[];
  /** The objects that `apps/other` desires at the commit. undefined: it has not announced any. */
  readonly announcedByOther?: readonly ObjectId[];
}

interface PlanScene extends Neighbourhood, PlannedPass {
  /** Keys of the inventory after the plan was made. */
  readonly inventoryKeys: readonly string[];
}

async function plan(options: PlanOptions): Promise<PlanScene> {
  const { changes, inventory = [], goal, intent, failures = [], isComplete = true, memory = emptyMemory() } = options;
  const { own = {}, others = [], announcedByOther } = options;
  const clock = createClock(1_000);
  const neighbourhood = createNeighbourhood(clock);
  const record = neighbourhood.add(own);
  for (const other of others) neighbourhood.add(other);
  if (announcedByOther) neighbourhood.neighbours.announce('apps/other', statementOf(announcedByOther), false);
  const ids = inventoryOf(...inventory);
  memory.inventory.ids = ids;
  const objects = changes.flatMap(({ desired }) => desired ?? []);
  const desiredIds = objects.map(({ id }) => id);
  neighbourhood.neighbours.announce('apps/shop', statementOf(desiredIds), false);
  const input: PlanInput = {
    snapshot: SNAPSHOT,
    bound: { desired: { objects, problems: [], digest: 'set' }, kinds: kindsOf(), isComplete },
    inventory: ids,
    changes,
  };
  const answer = await planPass(
    {
      record,
      application: applicationOf(own),
      identity: agentIdentity,
      owner: OWNER,
      goal: {
        isForced: false,
        request: undefined,
        reconcileAt: undefined,
        confirmation: undefined,
        takesOver: false,
        commit: undefined,
        isDryRun: false,
        ...goal,
        intent: { mode: 'auto', prune: true, objects: undefined, ...intent },
      },
      base: record.stored,
      memory,
      failures: [...failures],
      neighbours: neighbourhood.neighbours,
      ownerOf: () => undefined,
      wantedBy: () => [],
      readForSuspended: () => Promise.resolve(),
      reviewStanding: () => Promise.resolve(() => true),
      reviewSay: () => Promise.resolve(() => true),
      clock,
      settings: { version: '1.2.3', handOverWaitMs: 1_000, pruneGuard: { maxShare: 0, maxObjects: 2 } },
    },
    input,
  );
  return { ...neighbourhood, ...answer, inventoryKeys: [...ids.keys()] };
}

const namesIn = (waves: Planned['plan']['waves']): string[] =>
  waves.flatMap(({ changes }) => changes.map(({ change }) => change.id.name));

const sentBy = ({ planned }: PlanScene): string[] => namesIn(planned.plan.waves);
const prunedBy = ({ planned }: PlanScene): string[] => namesIn(planned.plan.prunes);
const waitsOf = ({ planned }: PlanScene): Record<string, string> =>
  Object.fromEntries(planned.plan.waitingFor.map(({ id, reason }) => [id.name, reason]));

const NONE = changeOf('none', { id: A, live: liveOf({ id: A }) });
const CREATE = changeOf('create', { id: A });
const PRUNE = leftChange('prune', B);
const OTHER: StoredOptions = { name: 'other' };

const FAILURE: StageFailure = { stage: 'source', code: 'Network', message: 'down', retry: 'backoff' };
const UNKNOWN: Change = { ...changeOf('none', { id: C }), type: 'unknown' };

const KNOWLEDGE: readonly (readonly [string, Partial<PlanOptions>, boolean])[] = [
  ['everything is known', {}, true],
  ['the bound set is incomplete', { isComplete: false }, false],
  ['a stage has failed', { failures: [FAILURE] }, false],
  ['an object could not be read', { changes: [NONE, PRUNE, UNKNOWN] }, false],
];
for (const [when, options, isComplete] of KNOWLEDGE) {
  test(`where ${when} objects are ${isComplete ? 'pruned' : 'not pruned'}`, async () => {
    const scene = await plan({ changes: [NONE, PRUNE], inventory: [A, B], ...options });
    assert.equal(scene.planned.isComplete, isComplete);
    assert.deepEqual(prunedBy(scene), isComplete ? ['b'] : []);
  });
}

test('a complete render without objects is empty, and prunes nothing', async () => {
  const scene = await plan({ changes: [PRUNE], inventory: [B] });
  assert.equal(scene.planned.isEmptyRender, true);
  assert.deepEqual(prunedBy(scene), []);
  assert.equal((await plan({ changes: [] })).planned.isEmptyRender, true);
  assert.equal((await plan({ changes: [PRUNE], inventory: [B], isComplete: false })).planned.isEmptyRender, false);
});

test('a prune waits for the other Applications of the source, and a new object for its dependencies', async () => {
  const scene = await plan({
    changes: [CREATE, PRUNE],
    inventory: [B],
    own: { spec: { dependsOn: [{ name: 'missing' }] } },
    others: [OTHER],
  });
  assert.equal(scene.planned.awaited?.reason, 'Application apps/missing does not exist');
  assert.deepEqual(waitsOf(scene), {
    a: 'Application apps/missing does not exist',
    b: 'Application apps/missing does not exist',
  });
  const independent = await plan({ changes: [NONE, PRUNE], inventory: [A, B], others: [OTHER] });
  assert.match(
    waitsOf(independent)['b'] ?? '',
    /^it is pruned once Application apps\/other of the same source has read/,
  );
  assert.equal(independent.pollsAskedOf('other'), 1);
});

test('a heal that the brake holds waits, and the next one is told', async () => {
  const memory = emptyMemory();
  const heal = { manifestDigest: 'digest', heals: 1, lastHealMs: 0, other: 'another writer', isRecreating: false };
  memory.heals.records.set(idKey(A), heal);
  const scene = await plan({ changes: [changeOf('update', { id: A })], memory });
  assert.match(waitsOf(scene)['a'] ?? '', /^contested/);
  assert.equal(scene.planned.braked.againInMs, 1_000);
});

test('an object that another Application desires is left for it, or released to one that only looks on', async () => {
  const options = { changes: [NONE, PRUNE], inventory: [A, B], announcedByOther: [B] };
  const waiting = await plan({ ...options, others: [OTHER] });
  assert.deepEqual(waitsOf(waiting), { b: 'Application apps/other takes it over' });
  assert.deepEqual(prunedBy(waiting), []);
  const scene = await plan({ ...options, others: [{ ...OTHER, spec: { sync: { mode: 'detect' } } }] });
  assert.deepEqual(prunedBy(scene), []);
  assert.deepEqual(
    scene.planned.plan.releases.map(({ id, reason }) => [id, reason]),
    [[B, 'claimed by Application apps/other']],
  );
  assert.deepEqual(scene.planned.plan.releases, scene.planned.changes.slice(1));
});

test('with health.wait a generated object is kept until a rollout is over, except in a dry run', async () => {
  const [old, successor] = [idOf('c-h5dk2mgtf9'), idOf('c-tt6bfc2g4m')];
  const web = changeOf('create', { id: idOf('web', { group: 'apps', kind: 'Deployment' }) });
  const spec = { template: { spec: { volumes: [{ configMap: { name: successor.name } }] } } };
  const desired = web.desired && { ...web.desired, body: { ...web.desired.body, spec } };
  const changes = [
    { ...web, ...(desired && { desired }) },
    changeOf('create', { id: successor }),
    leftChange('prune', old),
  ];
  const options = { changes, inventory: [old], own: { spec: { health: { wait: true } } } };
  const scene = await plan(options);
  assert.deepEqual(waitsOf(scene), { [old.name]: 'kept until Deployment.apps shop/web is rolled out' });
  assert.deepEqual(prunedBy(scene), []);
  assert.deepEqual(scene.planned.plan.yielding, []);
  assert.deepEqual(prunedBy(await plan({ ...options, goal: { isDryRun: true } })), [old.name]);
  assert.deepEqual(prunedBy(await plan({ ...options, own: {} })), [old.name]);
});

test('a later wave waits for an earlier one, and a dry run for none', async () => {
  const changes = [changeOf('create', { id: A }), changeOf('create', { id: B, policy: { wave: 1 } })];
  const scene = await plan({ changes });
  assert.deepEqual(sentBy(scene), ['a']);
  assert.deepEqual(Object.keys(waitsOf(scene)), ['b']);
  assert.ok(scene.planned.gate);
  const trial = await plan({ changes, goal: { isDryRun: true } });
  assert.deepEqual(sentBy(trial), ['a', 'b']);
  assert.equal(trial.planned.gate, undefined);
});

test('a manifest that was accepted before does not wait for an earlier wave', async () => {
  const memory = emptyMemory();
  memory.evidence.accepted.set(idKey(B), 'digest');
  const changes = [changeOf('create', { id: A }), changeOf('update', { id: B, policy: { wave: 1 } })];
  assert.deepEqual(sentBy(await plan({ changes, memory })), ['a', 'b']);
  const own = { status: { sync: { status: 'Synced', digest: 'set' } } };
  assert.deepEqual(sentBy(await plan({ changes, own })), ['a', 'b']);
});

test('a dry run waits for no other Application, and asks none', async () => {
  const scene = await plan({
    changes: [CREATE, PRUNE],
    inventory: [B],
    goal: { isDryRun: true },
    own: { spec: { dependsOn: [{ name: 'missing' }] } },
    others: [OTHER],
  });
  assert.deepEqual(waitsOf(scene), {});
  assert.equal(scene.planned.awaited, undefined);
  assert.equal(scene.pollsAskedOf('other'), 0);
  assert.deepEqual(scene.woken, []);
});

test('a request for some objects plans these alone, and the changes of all are reported', async () => {
  const changes = [CREATE, changeOf('create', { id: C }), PRUNE];
  const scene = await plan({ changes, inventory: [B], intent: { objects: new Set([idKey(C)]) } });
  assert.deepEqual(sentBy(scene), ['c']);
  assert.deepEqual(prunedBy(scene), []);
  assert.deepEqual(scene.planned.changes, changes);
});

test('an object of a request does not wait for the waves before it', async () => {
  const changes = [changeOf('create', { id: A }), changeOf('create', { id: B, policy: { wave: 1 } })];
  assert.deepEqual(sentBy(await plan({ changes, intent: { objects: new Set([idKey(B)]) } })), ['b']);
});

for (const mode of ['manual', 'detect'] as const) {
  test(`in mode ${mode} a plan has no effects and asks no Application`, async () => {
    const scene = await plan({ changes: [CREATE, PRUNE], inventory: [B], intent: { mode }, others: [OTHER] });
    assert.deepEqual([...sentBy(scene), ...prunedBy(scene)], []);
    assert.equal(scene.pollsAskedOf('other'), 0);
    assert.equal(scene.planned.isComplete, true);
  });
}

test('an object that carries both marks enters the inventory, but not in mode detect', async () => {
  assert.deepEqual((await plan({ changes: [NONE] })).inventoryKeys, [idKey(A)]);
  assert.deepEqual((await plan({ changes: [NONE], intent: { mode: 'manual' } })).inventoryKeys, [idKey(A)]);
  assert.deepEqual((await plan({ changes: [NONE], intent: { mode: 'detect' } })).inventoryKeys, []);
});

const JOB = idOf('job', { group: 'batch', kind: 'Job' });
const HOOK = changeOf('none', {
  id: JOB,
  policy: { isHook: true, isDeletedOnSuccess: true },
  live: liveOf({ id: JOB, status: { conditions: [{ type: 'Complete', status: 'True' }] } }),
});

test('a hook that has run is pruned in mode auto alone', async () => {
  const own = { status: { finished: { [idKey(JOB)]: 'digest' } } };
  const options = { changes: [HOOK], inventory: [JOB], own };
  assert.deepEqual(prunedBy(await plan(options)), ['job']);
  const manual = await plan({ ...options, intent: { mode: 'manual' } });
  assert.deepEqual(manual.planned.changes, [HOOK]);
});

const MANY = [B, C, idOf('d')];
const LARGE = { changes: [NONE, ...MANY.map((id) => leftChange('prune', id))], inventory: [A, ...MANY] };

/** A request that confirms the prune that status shows, and a status that shows the prune of these objects. */
function confirming(shown: readonly ObjectId[]): Pick<PlanOptions, 'goal' | 'own'> {
  const left = shown.map((id) => ({ id, behind: [] }));
  const digest = digestPrune({ commit: SNAPSHOT.commit, generation: 1, left });
  const held = { digest, objects: shown.length, revision: SNAPSHOT.revision };
  return {
    goal: {
      request: { id: 'one', action: 'confirm-prune' },
      confirmation: { requestId: 'one', digest: undefined, isUnderWay: false },
    },
    own: { status: { pruneGuard: { held } } },
  };
}

test('a large prune is held until a person confirms it', async () => {
  const held = await plan(LARGE);
  assert.match(held.planned.plan.held?.reason ?? '', /^pruning 3 of 4 objects/);
  assert.deepEqual(prunedBy(held), []);
  const confirmed = await plan({ ...LARGE, ...confirming(MANY) });
  assert.deepEqual(prunedBy(confirmed).sort(), ['b', 'c', 'd']);
  assert.equal(confirmed.planned.guard.confirmedBy, 'one');
  assert.equal(confirmed.goal.request?.refusal, undefined);
});

test('a confirmation of another prune is refused, and the pass goes on as the spec declares it', async () => {
  const request = confirming([B]);
  const own = { ...request.own, spec: { sync: { prune: false } } };
  const scene = await plan({ ...LARGE, ...request, own });
  assert.match(scene.goal.request?.refusal ?? '', /^not confirmed: other objects would be deleted now/);
  assert.deepEqual(scene.goal.intent, { mode: 'auto', prune: false, objects: undefined });
  assert.equal(scene.planned.plan.held, undefined);
  assert.deepEqual(prunedBy(scene), []);
  assert.equal(scene.planned.guard.confirmedBy, undefined);
});

test('where objects may not be pruned they are only reported', async () => {
  const scene = await plan({ changes: [NONE, PRUNE], inventory: [A, B], intent: { prune: false } });
  assert.deepEqual(prunedBy(scene), []);
  assert.deepEqual(scene.planned.changes, [NONE, PRUNE]);
});
