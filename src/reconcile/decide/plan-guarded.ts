/**
 * The plan with its prune guard: the objects behind Applications are counted, and a confirmation is heard.
 *
 * Invariant: only a confirmation of exactly the prune that this pass would carry out lets a held prune go on.
 */
import { applicationKey } from '../../application/keys.ts';
import type { LeftObject } from '../../application/prune-digest.ts';
import { howToConfirm } from '../../application/request.ts';
import type { Application } from '../../application/schema.ts';
import type { Change } from '../../diff/changes.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import type { Steps } from '../../object/steps.ts';
import { planSteps, type Plan, type PlanOptions } from '../../plan/plan.ts';
import { isApplication, judgeConfirmation, type Judgement } from '../../plan/prune-guard.ts';
import type { ReconcileContext } from '../context.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';
import type { PassGoal } from '../requests.ts';
import { objectsBehind } from './objects-behind.ts';
import type { Standing } from './standing.ts';

/** The measure of the guard, for status. */
export interface GuardFindings {
  /** The objects that left Git. undefined: the pass could not tell, or was not to prune all of them. */
  readonly left: readonly LeftObject[] | undefined;
  /** Id of the request that confirmed their prune. */
  readonly confirmedBy: string | undefined;
}

export interface GuardedPlan {
  readonly plan: Plan;
  readonly guard: GuardFindings;
  /** The request confirms another prune than this one. */
  readonly refusal: string | undefined;
}

type GuardedOptions = Omit<PlanOptions, 'behind' | 'guard' | 'howToConfirm' | 'isConfirmed'> & {
  /** 40 hex digits. */
  readonly commit: string;
  /** Reviewed for `behindPairs`. */
  readonly standing: Standing;
};

/** The part of a pass that the guard of its prunes needs. */
export interface GuardQuestion {
  readonly application: Pick<Application, 'metadata' | 'status'>;
  readonly goal: Pick<PassGoal, 'intent' | 'commit' | 'confirmation' | 'isDryRun'>;
  readonly neighbours: Pick<Neighbours, 'get' | 'desiredBy'>;
  /** Keys of the Applications that wait for an object. */
  readonly wantedBy: (id: ObjectId) => readonly string[];
  readonly settings: Pick<ReconcileContext['settings'], 'pruneGuard'>;
}

export function* planGuarded(
  question: GuardQuestion,
  { commit, standing, ...options }: GuardedOptions,
): Steps<GuardedPlan> {
  const { goal, neighbours, settings, wantedBy } = question;
  const behind = objectsBehind({ changes: options.changes, neighbours, wantedBy, standing });
  const postponed = new Map([...(options.postponed ?? []), ...waitsForNew(options.changes, neighbours)]);
  const asked: PlanOptions = {
    ...options,
    postponed,
    behind,
    guard: settings.pruneGuard,
    howToConfirm: howToConfirm(question.application.metadata),
    isConfirmed: false,
  };
  const plan = yield* planSteps(asked);
  const left = plan.left.map(({ id }) => ({ id, behind: behind.get(idKey(id))?.ids ?? [] }));
  // An object that is gone since status was written is released by this pass. It still belongs to the confirmed set.
  const gone = plan.releases.filter(({ live, desired }) => !live && !desired).map(({ id }) => ({ id, behind: [] }));
  const judgement = judge(question, { commit, left: [...left, ...gone], isHeld: plan.held !== undefined });
  const isConfirmed = judgement.type === 'confirmed';
  const isWhole = goal.intent.mode === 'auto' && goal.intent.prune && !goal.intent.objects && options.isComplete;
  return {
    plan: isConfirmed ? yield* planSteps({ ...asked, isConfirmed }) : plan,
    guard: {
      left: isWhole || plan.held ? left : undefined,
      confirmedBy: isConfirmed ? goal.confirmation?.requestId : undefined,
    },
    refusal: judgement.type === 'refused' ? judgement.reason : undefined,
  };
}

/**
 * An Application that is renamed in Git is pruned and created in one commit. The new one has to exist, and to be known
 * from the watch of Applications, before it can say that it desires the objects of the old one; until then they would
 * count as lost. The watch may bring it later than the one of objects does.
 */
function waitsForNew(changes: readonly Change[], neighbours: Pick<Neighbours, 'get'>): Map<string, string> {
  const applications = changes.filter(({ id }) => isApplication(id));
  const isNew = ({ id, type, desired }: Change): boolean =>
    type === 'create' || (desired !== undefined && !neighbours.get(applicationKey(id.namespace, id.name)));
  const created = applications.find(isNew);
  if (!created) return new Map();
  const reason = `it is pruned once ${formatId(created.id)} exists`;
  return new Map(applications.filter(({ type }) => type === 'prune').map(({ id }) => [idKey(id), reason]));
}

function judge(
  { application, goal }: Pick<GuardQuestion, 'application' | 'goal'>,
  { commit, left, isHeld }: { readonly commit: string; readonly left: readonly LeftObject[]; readonly isHeld: boolean },
): Judgement {
  if (!goal.confirmation) return { type: 'none' };
  const { metadata, status } = application;
  return judgeConfirmation({
    ...goal.confirmation,
    shown: status.pruneGuard?.held,
    prune: { commit, generation: metadata.generation, left },
    isHeld,
  });
}
