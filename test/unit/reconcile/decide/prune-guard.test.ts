/**
 * The prune guard over many passes: commits of any size, passes that cannot read everything, kills between two writes,
 * and confirmations, in any order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestPrune } from '../../../../src/application/prune-digest.ts';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import type { HeldPruneStatus, LastRequest, PruneGuardStatus } from '../../../../src/application/status-schema.ts';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { Value } from '../../../../src/object/value.ts';
import { planChanges, type Plan } from '../../../../src/plan/plan.ts';
import { judgeConfirmation } from '../../../../src/plan/prune-guard.ts';
import { measureInventory, readInventory } from '../../../../src/reconcile/decide/inventory.ts';
import { emptyInventoryMemory } from '../../../../src/reconcile/decide/memory.ts';
import { nextPruneGuard } from '../../../../src/status/prune-guard.ts';
import type { PassReport } from '../../../../src/status/report.ts';

const GUARD = { maxShare: 0.3, maxObjects: 3 };
const GENERATION = 1;

type Step =
  | { readonly type: 'commit'; readonly from: number; readonly count: number }
  | { readonly type: 'pass'; readonly isComplete: boolean; readonly isKilled: boolean; readonly mayPrune: boolean }
  /** `isStale`: with the digest of a prune that was held earlier. */
  | { readonly type: 'confirm'; readonly isStale: boolean };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('commit' as const),
    from: fc.integer({ min: 0, max: 30 }),
    count: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({
    type: fc.constant('pass' as const),
    isComplete: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    isKilled: fc.boolean(),
    mayPrune: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  }),
  fc.record({ type: fc.constant('confirm' as const), isStale: fc.boolean() }),
);

const idOf = (n: number): ObjectId => ({ group: '', kind: 'ConfigMap', namespace: 'a', name: `m${n}` });

/** One Application, with what a kill leaves (`stored`) and what it loses (`memory`). */
class Model {
  commits = 0;
  desired: ObjectId[] = [];
  memory = emptyInventoryMemory();
  stored: { inventory: ReadonlyMap<string, ObjectId>; guard: PruneGuardStatus | undefined } = {
    inventory: new Map(),
    guard: undefined,
  };
  /** The number of objects that were there when everything was last as desired, counted without the guard. */
  settledSize = 0;
  earlierDigests: string[] = [];
  /** Object 0 was deleted, and is still there. */
  isStuck = false;

  commit(from: number, count: number): void {
    const inventory = this.memory.ids ?? this.stored.inventory;
    if (this.#left(inventory).every((id) => this.#isTerminating(id))) this.settledSize = inventory.size;
    this.commits++;
    this.desired = Array.from({ length: count }, (_, n) => idOf(from + n));
  }

  left(): ObjectId[] {
    return this.#left(this.memory.ids ?? this.stored.inventory);
  }

  #left(inventory: ReadonlyMap<string, ObjectId>): ObjectId[] {
    const keys = new Set(this.desired.map(idKey));
    return [...inventory.values()].filter((id) => !keys.has(idKey(id)));
  }

  /** Object 0 has a finalizer that is never removed. */
  #isTerminating(id: ObjectId): boolean {
    return this.isStuck && idKey(id) === idKey(idOf(0));
  }

  /** Returns the objects that it deleted. */
  pass({ isComplete, isKilled, mayPrune }: Omit<Extract<Step, { type: 'pass' }>, 'type'>, digest?: string): ObjectId[] {
    const status = { inventory: encodeInventory([...this.stored.inventory.values()]) as Value };
    const inventory = readInventory(this.memory, {
      status: { ...status, pruneGuard: this.stored.guard },
      metadata: { uid: 'u' },
    });
    const left = this.#left(inventory);
    const desired = this.desired.map((id) => ({ id }));
    const objectsBefore = measureInventory(this.memory, desired);
    const kind = undefined;
    const changes: Change[] = [
      ...left.map((id): Change => {
        const live = this.#isTerminating(id)
          ? { live: { deletionTimestamp: 't', body: { metadata: {} } } as LiveObject }
          : {};
        return { type: 'prune', id, kind, fields: [], ...live };
      }),
      ...this.desired.map((id): Change => {
        const type = inventory.has(idKey(id)) ? 'none' : 'create';
        return { type, id, kind, fields: [], desired: { id } as DesiredObject };
      }),
    ];
    const options = { changes, mode: 'auto', mayPrune, isComplete, objectsBefore, guard: GUARD } as const;
    let plan = planChanges({ ...options, isConfirmed: false });
    const confirmedBy = digest !== undefined && this.#isConfirmed(plan, digest) ? 'request' : undefined;
    if (confirmedBy !== undefined) plan = planChanges({ ...options, isConfirmed: true });
    for (const id of this.desired) inventory.set(idKey(id), id);
    const report = (applied: PassReport['applied']): PassReport =>
      ({
        application: { metadata: { generation: GENERATION } },
        applied,
        commit: this.#commitId(),
        revision: 'main',
        held: plan.held,
        guard: {
          objectsBefore: this.memory.sizeBefore,
          left: isComplete && mayPrune ? plan.left.map(({ id }) => ({ id, behind: [] })) : undefined,
          confirmedBy,
        },
      }) as unknown as PassReport;
    this.#store(report(new Map()), { id: 'request', outcome: 'InProgress' });
    const pruned = plan.prunes.flatMap((wave) => wave.changes.map(({ change }) => change));
    const deleted = pruned.filter(({ id }) => !this.#isTerminating(id));
    if (deleted.some(({ id }) => idKey(id) === idKey(idOf(0)))) this.isStuck = true;
    if (isKilled) {
      // The objects are deleted, but no status says so.
      this.memory = emptyInventoryMemory();
      return deleted.map(({ id }) => id);
    }
    const gone = deleted.filter(({ id }) => !this.#isTerminating(id));
    for (const { id } of gone) inventory.delete(idKey(id));
    measureInventory(this.memory, desired);
    const applied = new Map(gone.map((change) => [idKey(change.id), { change, outcome: 'pruned' as const }]));
    this.#store(report(applied), undefined);
    return deleted.map(({ id }) => id);
  }

  #isConfirmed(plan: Plan, digest: string): boolean {
    const left = plan.left.map(({ id }) => ({ id, behind: [] }));
    const judgement = judgeConfirmation({
      shown: this.shown,
      requestId: 'request',
      digest,
      isUnderWay: false,
      prune: { commit: this.#commitId(), generation: GENERATION, left },
      isHeld: plan.held !== undefined,
    });
    return judgement.type === 'confirmed';
  }

  #store(report: PassReport, answer: LastRequest | undefined): void {
    const previous = { observedGeneration: GENERATION, pruneGuard: this.stored.guard };
    const guard = nextPruneGuard(previous, report, answer);
    if (guard?.held) this.earlierDigests.push(guard.held.digest);
    this.stored = { inventory: new Map(this.memory.ids), guard };
  }

  get shown(): HeldPruneStatus | undefined {
    return this.stored.guard?.held;
  }

  /** The digest of the objects as a person sees them in the inventory and in Git. */
  digestOf(ids: readonly ObjectId[]): string {
    const left = ids.map((id) => ({ id, behind: [] }));
    return digestPrune({ commit: this.#commitId(), generation: GENERATION, left });
  }

  #commitId(): string {
    return String(this.commits).padStart(40, '0');
  }
}

const WHOLE = { isComplete: true, isKilled: false, mayPrune: true };

test('a prune beyond the bounds is carried out only after a confirmation of exactly its objects', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30, size: 'max' }), (steps) => {
      const model = new Model();
      for (const step of steps) {
        if (step.type === 'commit') model.commit(step.from, step.count);
        else if (step.type === 'pass') {
          const deleted = model.pass(step).length;
          const isSmall = deleted <= GUARD.maxObjects || deleted <= GUARD.maxShare * model.settledSize;
          assert.ok(isSmall, `${deleted} of ${model.settledSize} were deleted without a confirmation`);
        } else {
          const digest = step.isStale ? model.earlierDigests[0] : model.shown?.digest;
          const { shown } = model;
          if (digest === undefined || !shown) continue;
          const left = model.left();
          const deleted = model.pass(WHOLE, digest);
          if (deleted.length > GUARD.maxObjects && deleted.length > GUARD.maxShare * model.settledSize) {
            assert.equal(digest, shown.digest);
            assert.equal(digest, model.digestOf(left));
          }
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
