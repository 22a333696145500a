import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Change, ChangeType } from '../../../src/diff/changes.ts';
import { PHASES, type Phase } from '../../../src/object/hooks.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import { DEFAULT_POLICY } from '../../../src/object/policy.ts';
import { finish } from '../../../src/object/steps.ts';
import { planChanges } from '../../../src/plan/plan.ts';
import { gateWaves, syncWaveOf, syncWavesOf, type Gate } from '../../../src/plan/sync-waves.ts';
import { kindOf, planOptions } from '../../support/changes.ts';

interface Place {
  readonly phase?: Phase;
  readonly wave?: number;
}

function changeOf(type: ChangeType, name: string, { phase = 'Sync', wave = 0 }: Place = {}): Change {
  const id: ObjectId = { group: '', kind: 'ConfigMap', namespace: 'a', name };
  const kind = kindOf(id);
  const policy = { ...DEFAULT_POLICY, phase, wave };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
  return { type, id, kind, fields: [], desired: { id, kind, body, digest: name, file: 'f.yaml', line: 1, policy } };
}

function pruneOf(name: string, annotations: Record<string, string>): Change {
  const { desired: _none, ...change } = changeOf('prune', name);
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations } };
  const live: LiveObject = { id: change.id, apiVersion: 'v1', uid: name, resourceVersion: '1', body };
  return { ...change, live };
}

const anyPlace = fc.record({ phase: fc.constantFrom(...PHASES), wave: fc.integer({ min: -3, max: 3 }) });
const anyChanges = fc
  .array(fc.tuple(anyPlace, fc.constantFrom<ChangeType>('create', 'update', 'none', 'unsure')), {
    maxLength: 20,
    size: 'max',
  })
  .map((items) => items.map(([place, type], n) => changeOf(type, `m${n}`, place)));

const rank = (change: Change): number => syncWaveOf(change.desired?.policy);

test('a hook of a failed sync neither waits for the wave that failed nor holds back another one', () => {
  const failed = changeOf('none', 'failed', { wave: -1 });
  const late = changeOf('create', 'late', { wave: 1 });
  const hook = changeOf('create', 'alarm');
  const policy = { ...DEFAULT_POLICY, isHook: true, isSyncFail: true };
  const alarm = { ...hook, ...(hook.desired && { desired: { ...hook.desired, policy } }) };
  const namesSent = (unwell: readonly Change[]): string[] => {
    const gate: Gate = { unwell: new Map(unwell.map(({ id }) => [idKey(id), 'it failed'])), isAccepted: () => false };
    const plan = planChanges(planOptions([failed, late, alarm], { gate }));
    return plan.waves.flatMap(({ changes }) => changes.map(({ change }) => change.id.name)).sort();
  };
  assert.deepEqual(namesSent([failed]), ['alarm']);
  assert.deepEqual(namesSent([alarm]), ['alarm', 'late']);
});

test('the earlier run of a hook with a generated name is pruned also where nothing else is', () => {
  const next = changeOf('none', 'report-2456789bcd');
  const policy = { ...DEFAULT_POLICY, isHook: true, runsEachSync: true };
  const run = { ...next, ...(next.desired && { desired: { ...next.desired, policy } }) };
  const made = { 'tautline.dev/generated-name': 'true' };
  const gone = [
    pruneOf('report-dcb9876542', made),
    pruneOf('other-dcb9876542', made),
    pruneOf('report-ffffffffff', {}),
  ];
  const plan = planChanges(planOptions([run, ...gone], { mayPrune: false }));
  const names = plan.prunes.flatMap(({ changes }) => changes.map(({ change }) => change.id.name));
  assert.deepEqual(names, ['report-dcb9876542']);
  assert.equal(plan.held, undefined);
});

test('a new manifest is sent only after all objects of earlier waves are settled', () => {
  fc.assert(
    fc.property(anyChanges, fc.func(fc.boolean()), fc.func(fc.boolean()), (changes, isUnwell, isOld) => {
      const gate: Gate = {
        unwell: new Map(changes.filter(({ id }) => isUnwell(id.name)).map(({ id }) => [idKey(id), 'it is Degraded'])),
        isAccepted: ({ id }) => isOld(id.name),
      };
      const plan = planChanges(planOptions(changes, { gate }));
      const sent = plan.waves.flatMap((wave) => wave.changes.map(({ change }) => change));
      assert.deepEqual(
        sent.map(rank),
        sent.map(rank).toSorted((a, b) => a - b),
      );
      const unsettled = changes.filter(
        (change) => gate.unwell.has(idKey(change.id)) || (change.type !== 'none' && !gate.isAccepted(change)),
      );
      for (const change of sent.filter((item) => !gate.isAccepted(item))) {
        assert.ok(unsettled.every((other) => rank(other) >= rank(change)));
      }
      const old = changes.filter((change) => change.type !== 'none' && gate.isAccepted(change));
      for (const change of old) assert.ok(sent.includes(change), 'a heal does not wait');
      assert.equal(sent.length + plan.waitingFor.length, changes.filter(({ type }) => type !== 'none').length);
    }),
  );
});

test('applying wave by wave applies all objects, and the next plan is empty', () => {
  fc.assert(
    fc.property(anyChanges, (changes) => {
      const done = new Set<string>();
      const planNow = (): ReturnType<typeof planChanges> => {
        const now = changes.map((change) =>
          done.has(idKey(change.id)) ? { ...change, type: 'none' as const } : change,
        );
        return planChanges(
          planOptions(now, { gate: { unwell: new Map(), isAccepted: ({ id }) => done.has(idKey(id)) } }),
        );
      };
      for (let pass = 0; pass <= changes.length; pass++) {
        for (const wave of planNow().waves) for (const { change } of wave.changes) done.add(idKey(change.id));
      }
      const last = planNow();
      assert.deepEqual([last.waves, last.waitingFor], [[], []]);
    }),
  );
});

test('with one wave nothing waits, and without a gate waves are only an order', () => {
  const one = [changeOf('create', 'a', { wave: 7 }), changeOf('create', 'b', { wave: 7 })];
  assert.equal(finish(syncWavesOf(one)), undefined);
  const two = [changeOf('create', 'late', { wave: 1 }), changeOf('create', 'early', { phase: 'PreSync', wave: 9 })];
  const plan = planChanges(planOptions(two));
  assert.deepEqual(
    plan.waves.map(({ changes }) => changes.map(({ change }) => change.id.name)),
    [['early'], ['late']],
  );
});

test('a Namespace is in no later wave than the objects in it, even if it declares one', () => {
  const home = {
    ...changeOf('create', 'a', { wave: 5 }),
    id: { group: '', kind: 'Namespace', namespace: '', name: 'a' },
  };
  const waves = finish(
    syncWavesOf([home, changeOf('create', 'm', { wave: -1 }), changeOf('create', 'n', { wave: 2 })]),
  );
  assert.equal(waves?.get(idKey(home.id)), syncWaveOf({ phase: 'Sync', wave: -1 }));
});

test('a waiting change names the object that it waits for, and nothing is pruned before it is applied', () => {
  const changes = [changeOf('none', 'first'), changeOf('update', 'second', { wave: 1 }), pruneOf('old', {})];
  const unwell = new Map([[idKey(changes[0]?.id as ObjectId), 'it is Progressing (0 of 1 replicas)']]);
  const gate: Gate = { unwell, isAccepted: () => false };
  const plan = planChanges(planOptions(changes, { gate }));
  assert.deepEqual([plan.waves, plan.prunes], [[], []]);
  assert.match(plan.waitingFor[0]?.reason ?? '', /ConfigMap a\/first: it is Progressing/);
  assert.match(plan.waitingFor[1]?.reason ?? '', /pruned once ConfigMap a\/second is applied/);
  const waves = finish(syncWavesOf(changes)) ?? new Map<string, number>();
  assert.equal(finish(gateWaves(changes, waves, { ...gate, unwell: new Map() })).size, 0);
});

test('prunes run in reverse waves, PruneLast after all others, and one with Prune=confirm holds them all', () => {
  const ARGO = 'argocd.argoproj.io';
  const changes = [
    pruneOf('last', { [`${ARGO}/sync-options`]: 'PruneLast=true', [`${ARGO}/sync-wave`]: '9' }),
    pruneOf('early', { [`${ARGO}/sync-wave`]: '-1' }),
    pruneOf('late', { [`${ARGO}/sync-wave`]: '3' }),
    pruneOf('post', { [`${ARGO}/hook`]: 'PostSync' }),
  ];
  const names = (plan: ReturnType<typeof planChanges>): string[] =>
    plan.prunes.flatMap((wave) => wave.changes.map(({ change }) => change.id.name));
  assert.deepEqual(names(planChanges(planOptions(changes))), ['post', 'late', 'early', 'last']);
  const guarded = [...changes, { ...pruneOf('guarded', {}), asksConfirmation: true }];
  const held = planChanges(planOptions(guarded));
  assert.deepEqual(names(held), []);
  assert.match(held.held?.reason ?? '', /pruning ConfigMap a\/guarded needs a confirmation/);
  assert.equal(names(planChanges(planOptions(guarded, { isConfirmed: true }))).length, 5);
});
