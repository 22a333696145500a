/**
 * The plan of a pass: the other Applications of the source, the brake on heals, dependencies and waves are heard, and
 * their answers go into one value.
 *
 * Invariant: a dry run waits for no other Application, and asks none for anything.
 */
import { sourcePath } from '../../application/parse.ts';
import type { Application } from '../../application/schema.ts';
import { inTurns } from '../../cluster/concurrency.ts';
import type { Identity } from '../../cluster/identity.ts';
import type { Change } from '../../diff/changes.ts';
import type { HealthContext } from '../../health/health.ts';
import type { Owner } from '../../object/applyset.ts';
import { StageError } from '../../object/stage-error.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { stringAt, type KubeObject } from '../../object/value.ts';
import { plannedIds, type Plan } from '../../plan/plan.ts';
import type { Gate } from '../../plan/sync-waves.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { StageFailure } from '../../status/report.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { acceptanceOf, type IsAccepted } from '../accepted.ts';
import type { ReconcileContext } from '../context.ts';
import { bindDesired, idsOf, type BoundSet } from '../desired/bind-desired.ts';
import { isUsable, renderSnapshot } from '../desired/render-snapshot.ts';
import { emptyMemory, type ApplicationRecord, type Memory } from '../memory.ts';
import type { Manifests } from '../../render/manifests.ts';
import type { SourceState } from '../neighbours/desire.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';
import { beginReading, type Pass, type ReadingOptions } from '../pass.ts';
import { refuse, type PassGoal } from '../requests.ts';
import { awaitDependencies, type DependencyWait } from './await-dependencies.ts';
import { awaitRollouts } from './await-rollouts.ts';
import { brakeHeals, type Braked } from './brake-heals.ts';
import type { CheckResults } from './health-checks.ts';
import { gateOf, retireHooks } from './gate-waves.ts';
import { completeInventory, measureInventory, removeFromInventory } from './inventory.ts';
import { planGuarded, type GuardFindings } from './plan-guarded.ts';
import { behindPairs } from './objects-behind.ts';
import { findExcess } from './room.ts';
import { foreseeHandOver, handOver, type HandOver } from './hand-over.ts';
import type { ReviewSay } from './hand-over-say.ts';
import { reviewSay, reviewStanding, type Standing, type StandingPair } from './standing.ts';

export interface Planned {
  /** As the other Applications of the source leave them to this one. */
  readonly changes: readonly Change[];
  /** When to look again for what other Applications desire. Infinity: nothing waits for them. */
  readonly handOverAgainInMs: number;
  readonly braked: Braked;
  readonly awaited: DependencyWait | undefined;
  /** The gate between waves. undefined: all objects are in one wave, or this is a dry run. */
  readonly gate: Gate | undefined;
  readonly plan: Plan;
  /** Source, render, bind and observation were complete: the condition of every prune. */
  readonly isComplete: boolean;
  /** Everything was read, and no object is desired: more likely a mistake than a wish. */
  readonly isEmptyRender: boolean;
  readonly guard: GuardFindings;
}

export interface PlanInput {
  readonly snapshot: Snapshot;
  readonly bound: BoundSet;
  readonly inventory: Map<string, ObjectId>;
  readonly changes: readonly Change[];
}

/** The part of a pass that its plan needs. */
export interface PlanQuestion {
  readonly record: Pick<ApplicationRecord, 'key' | 'stored'>;
  readonly application: Application;
  readonly identity: Identity;
  readonly owner: Owner;
  readonly goal: PassGoal;
  /** The Application as it is stored now. */
  readonly base: KubeObject;
  readonly memory: Pick<Memory, 'endedJobs' | 'evidence' | 'heals' | 'inventory'>;
  readonly failures: readonly StageFailure[];
  /** Health by the checks that people have written; absent in a dry run. */
  readonly checked?: HealthContext['checked'];
  readonly neighbours: Neighbours;
  /** Key of the Application that owns an object, if any. */
  readonly ownerOf: (id: ObjectId) => string | undefined;
  /** Keys of the Applications that wait for an object. */
  readonly wantedBy: (id: ObjectId) => readonly string[];
  /** Announces what suspended neighbours desire in the snapshot; see `handOver`. */
  readonly readForSuspended: (suspended: readonly Neighbour[], snapshot: Snapshot) => Promise<void>;
  /** Reviews whether Applications may write objects; see standing.ts. */
  readonly reviewStanding: (pairsOf: () => readonly StandingPair[]) => Promise<Standing>;
  readonly reviewSay: ReviewSay;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly settings: Pick<ReconcileContext['settings'], 'handOverWaitMs' | 'pruneGuard' | 'version'>;
}

export function planQuestionOf(pass: Pass, checks?: CheckResults): PlanQuestion {
  const { record, application, identity, owner, goal, base, memory, failures, context, target } = pass;
  const { claims, clock, neighbours, settings } = context;
  return {
    record,
    application,
    identity,
    owner,
    goal,
    base,
    memory,
    failures,
    ...checks,
    neighbours,
    ownerOf: (id) => claims.ownerOf(target.clusterId, id),
    wantedBy: (id) => claims.wantedBy(target.clusterId, id),
    readForSuspended: (suspended, snapshot) => readForSuspended(pass, suspended, snapshot),
    reviewStanding: (pairsOf) => reviewStanding(pairsOf, { neighbours, target, settings }),
    reviewSay: (pairs) => reviewSay(pairs, { neighbours, target, settings }),
    clock,
    settings,
  };
}

export interface PlannedPass {
  readonly planned: Planned;
  /** The goal of the question; if its request confirms another prune, that of the spec with the refused request. */
  readonly goal: PassGoal;
  /** The plan would add more than has room, so it only heals. */
  readonly excess: StageFailure | undefined;
}

export async function planPass(question: PlanQuestion, input: PlanInput): Promise<PlannedPass> {
  const { refusal, excess, ...planned } = await planGoal(question, input);
  if (refusal === undefined) return { planned, goal: question.goal, excess };
  const goal = refuse(question.goal, question.application.spec, refusal);
  const { refusal: _, excess: more, ...declared } = await planGoal({ ...question, goal }, input);
  return { planned: declared, goal, excess: more };
}

interface PlannedGoal extends Planned, Pick<PlannedPass, 'excess'> {
  readonly refusal: string | undefined;
}

async function planGoal(question: PlanQuestion, input: PlanInput): Promise<PlannedGoal> {
  const { application, clock, failures, goal, memory, owner } = question;
  const { snapshot, bound, inventory } = input;
  const { intent, isDryRun } = goal;
  const handed = await handOverTo(question, input);
  // Outside mode auto nothing is deleted; the next sync removes hooks that have run.
  const isActing = intent.mode === 'auto';
  const changes = isActing ? retireHooks(handed.changes, application.status.finished ?? {}, owner) : handed.changes;
  const isComplete = bound.isComplete && failures.length === 0 && !changes.some(({ type }) => type === 'unknown');
  const isEmptyRender = bound.desired.objects.length === 0 && bound.isComplete;
  const keepsAll = isEmptyRender && inventory.size > 0;
  const completed = intent.mode === 'detect' ? [] : await inTurns(completeInventory({ inventory, changes, owner }));
  const braked = brakeHeals(memory.heals, changes, clock.monotonicMs());
  const awaited = isDryRun ? undefined : awaitOthers(question, snapshot, { bound, changes });
  // Objects that a request names are applied whatever the waves before them lack.
  const scoped = changes.filter(({ id }) => intent.objects?.has(idKey(id)) !== false);
  const isAccepted = acceptanceOf(question, bound.desired);
  const gate = isDryRun
    ? undefined
    : await inTurns(gateOf(scoped, { self: application.metadata, isAccepted, ...checkedBy(question) }));
  const { neighbours, wantedBy } = question;
  const standing = await question.reviewStanding(() => behindPairs({ changes: scoped, neighbours, wantedBy }));
  const options = {
    changes: scoped,
    standing,
    postponed: new Map([
      ...awaitWholeSet(scoped, bound, isAccepted),
      ...handed.waits,
      ...braked.held,
      ...(awaited?.waits ?? []),
    ]),
    ...(application.spec.health.wait && !isDryRun ? { rollouts: awaitRollouts(changes) } : {}),
    gate,
    mode: intent.mode,
    mayPrune: intent.prune,
    isComplete: isComplete && !keepsAll,
    objectsBefore: measureInventory(memory.inventory, bound.desired.objects),
    commit: snapshot.commit,
  };
  const guarded = await inTurns(planGuarded(question, options));
  const found = { changes, handOverAgainInMs: handed.againInMs, braked, awaited, gate, isEmptyRender };
  const isCompleted = completed.length > 0;
  const excess = findExcess(question, { plan: guarded.plan, inventory, isCompleted, revision: snapshot.revision });
  if (!excess) return { ...found, ...guarded, isComplete, excess };
  removeFromInventory(inventory, completed);
  const isHeal = ({ id, desired }: Change): boolean =>
    desired !== undefined && inventory.has(idKey(id)) && isAccepted(id, desired.digest);
  const heals = await inTurns(planGuarded(question, { ...options, changes: scoped.filter(isHeal), isComplete: false }));
  return { ...found, ...heals, isComplete: false, excess };
}

/** A hook that runs once a sync waits for the whole set: while manifests have problems, it would be another sync. */
function awaitWholeSet(
  changes: readonly Change[],
  { isComplete }: BoundSet,
  isAccepted: IsAccepted,
): (readonly [string, string])[] {
  if (isComplete) return [];
  return changes.flatMap(({ desired, id }) => {
    const isRun = desired?.policy?.runsEachSync === true && !isAccepted(id, desired.digest);
    return isRun ? [[idKey(id), 'it runs once a sync, and waits until all manifests can be read'] as const] : [];
  });
}

function checkedBy({ checked }: PlanQuestion): Pick<HealthContext, 'checked'> {
  return checked ? { checked } : {};
}

/** Whether a change is not sent by this plan: it waits, or is none of what a request names. */
export function isUnsent({ plan }: Pick<Planned, 'plan'>): (change: Change) => boolean {
  const sent = new Set(plannedIds(plan).map(idKey));
  return ({ id }) => !sent.has(idKey(id));
}

async function handOverTo(question: PlanQuestion, { snapshot, changes }: PlanInput): Promise<HandOver> {
  const { clock, goal, neighbours, ownerOf, record, settings } = question;
  const common = {
    key: record.key,
    state: stateOf(question, snapshot),
    changes,
    isPinned: goal.commit !== undefined,
    neighbours,
    reviewStanding: question.reviewStanding,
  };
  if (goal.isDryRun) return { changes: await foreseeHandOver(common), waits: new Map(), againInMs: Infinity };
  return handOver({
    ...common,
    isActing: goal.intent.mode === 'auto',
    nowMs: clock.monotonicMs(),
    handOverWaitMs: settings.handOverWaitMs,
    ownerOf,
    reviewSay: question.reviewSay,
    readForSuspended: (suspended) => question.readForSuspended(suspended, snapshot),
  });
}

/** Where this Application has announced nothing at the commit, only the commit itself is compared. */
function stateOf({ neighbours, record }: PlanQuestion, { commit }: Snapshot): SourceState {
  const own = neighbours.get(record.key)?.announced;
  return { commit, readByMs: own?.commit === commit ? own.readByMs : Infinity };
}

function awaitOthers(
  question: PlanQuestion,
  snapshot: Snapshot,
  { bound, changes }: Pick<PlanInput, 'bound' | 'changes'>,
): DependencyWait | undefined {
  const { neighbours, record } = question;
  const isAccepted = acceptanceOf(question, bound.desired);
  return awaitDependencies({
    key: record.key,
    stored: record.stored,
    revision: snapshot.revision,
    state: stateOf(question, snapshot),
    changes,
    isAccepted,
    neighbours,
  });
}

interface Announcer extends Pick<Pass, 'application'> {
  readonly key: string;
  readonly context: { readonly neighbours: Pick<Neighbours, 'announce' | 'get'> };
  readonly memory: Pick<Memory, 'desired'>;
  /** A request names the commit, so the poll does not show that it is the newest. */
  readonly isPinned?: boolean;
}

interface NeighbourReader extends Pick<ReadingOptions, 'signal'> {
  readonly context: ReadingOptions['context'] & Announcer['context'];
  readonly memory: Announcer['memory'];
}

/** Renders and binds in a memory of this pass's own, and announces the result in the name of each neighbour. */
export async function readForSuspended(
  { context, memory, signal }: NeighbourReader,
  suspended: readonly Neighbour[],
  snapshot: Snapshot,
): Promise<void> {
  if (memory.desired.source?.isOfEarlierSpec) return;
  for (const { key, application } of suspended) {
    if (!application) continue;
    const reading = beginReading({ application, memory: emptyMemory(), context, signal });
    let manifests: Manifests | undefined;
    let bound: BoundSet | undefined;
    try {
      manifests = await renderSnapshot(reading, snapshot);
      bound = await bindDesired(reading, manifests);
    } catch (error) {
      // It cannot say what it desires, like any other Application whose folder cannot be rendered.
      if (signal.aborted || !(error instanceof StageError)) throw error;
    }
    announceDesired({ key, application, context, memory }, { snapshot, manifests, bound });
  }
}

export interface ReadDesired {
  readonly snapshot: Pick<Snapshot, 'commit'>;
  /** undefined: the render failed. */
  readonly manifests: Manifests | undefined;
  /** undefined: the bind failed. */
  readonly bound: BoundSet | undefined;
}

/** Announces what an Application desires at a commit, or that it cannot say. */
export function announceDesired(
  { key, application, context, memory, isPinned = false }: Announcer,
  { snapshot, manifests, bound }: ReadDesired,
): void {
  const { metadata, spec, status } = application;
  // Another Application of this name may have been declared since the pass began.
  if (stringAt(context.neighbours.get(key)?.stored, 'metadata', 'uid') !== metadata.uid) return;
  const { answered } = memory.desired.source ?? {};
  const read = manifests && isUsable(manifests) ? bound : undefined;
  const isComplete = manifests && isPathAbsent(manifests, spec.source.path) ? true : read?.isComplete === true;
  context.neighbours.announce(
    key,
    {
      commit: snapshot.commit,
      generation: metadata.generation,
      ids: idsOf(memory.desired, read?.desired),
      isComplete,
      poll: answered && !isPinned ? answered : { begunMs: -Infinity, endedMs: Infinity },
    },
    status.observedGeneration !== undefined && status.observedGeneration !== metadata.generation,
  );
}

/** An Application whose folder is not in the commit desires nothing there: others need not wait for it. */
function isPathAbsent({ manifests, problems, readSet }: Manifests, path: string): boolean {
  const isNotFound = problems.length === 1 && problems[0]?.code === 'PathNotFound';
  return manifests.length === 0 && isNotFound && readSet[sourcePath(path)] === '';
}
