/**
 * The findings of a dry run, object by object: what a sync would do with it, or why it would not.
 *
 * Invariant: every object that differs from Git is named, also one that the plan leaves out. Objects that the request
 * does not name are left out.
 */
import type { ApplicationSpec } from '../../application/schema.ts';
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import { placesHeld } from '../../apply/places-held.ts';
import type { Change } from '../../diff/changes.ts';
import { judgeDryRun } from '../../diff/evidence.ts';
import { formatId, idKey } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import type { Plan } from '../../plan/plan.ts';
import { leftMessage, type LeftQuestion } from '../../status/object-status.ts';
import type { Trial } from './memory.ts';

export interface TrialQuestion extends Omit<LeftQuestion, 'held'> {
  /** All changes of the pass. */
  readonly changes: readonly Change[];
  readonly plan: Plan;
  readonly applied: Applied;
}

/** Whether a sync would end in a failure because of this object. */
export function isFailure({ word }: Trial): boolean {
  return word === 'refused' || word === 'unknown';
}

export function trialsOf(question: TrialQuestion): Trial[] {
  const { applied, changes, intent, plan } = question;
  const context = { namespaces: namespacesOf(question), holders: holdersOf(question) };
  const sends = changesIn(plan.waves).map((change) => trialOf(change, applied.get(idKey(change.id)), context));
  const isHeldBack = sends.some(isFailure);
  const trials = [
    ...sends,
    ...changesIn(plan.prunes).map((change) => pruneTrialOf(change, applied.get(idKey(change.id)), isHeldBack)),
    ...plan.releases.map((change) => releaseTrialOf(change, applied.get(idKey(change.id)))),
    ...(plan.held?.changes ?? []).map(({ id }): Trial => ({ id, word: 'held', detail: 'its prune would be held' })),
    ...plan.waitingFor.map(({ id, reason }): Trial => ({ id, word: 'waiting', detail: `would wait: ${reason}` })),
  ];
  const told = new Set(trials.map(({ id }) => idKey(id)));
  const rest = changes.filter(({ id }) => !told.has(idKey(id)) && intent.objects?.has(idKey(id)) !== false);
  return [...trials, ...rest.flatMap((change) => leftOutTrialOf(change, question))];
}

function changesIn(waves: Plan['waves']): Change[] {
  return waves.flatMap(({ changes }) => changes.map(({ change }) => change));
}

/** Namespaces that the sync would create. The dry run of a Namespace does not create it. */
function namespacesOf({ application, plan }: TrialQuestion): ReadonlySet<string> {
  const { destination }: Pick<ApplicationSpec, 'destination'> = application.spec;
  const desired = changesIn(plan.waves).filter(({ id }) => id.group === '' && id.kind === 'Namespace');
  const names = new Set(desired.map(({ id }) => id.name));
  if (destination.createNamespace && destination.namespace) names.add(destination.namespace);
  return names;
}

/** For objects that are refused because of the place of another one: that one, if the sync would prune it first. */
function holdersOf({ applied, plan }: TrialQuestion): ReadonlyMap<Change, Change> {
  const isGoing = ({ id }: Change): boolean => GOING.has(applied.get(idKey(id))?.outcome ?? '');
  return new Map(
    [...placesHeld(applied, plan.yielding ?? [])].flatMap(([refused, holders]) => {
      const going = holders.find(isGoing);
      return going ? [[refused, going] as const] : [];
    }),
  );
}

const GOING: ReadonlySet<string> = new Set(['pruned', 'pruning']);

interface SendContext {
  readonly namespaces: ReadonlySet<string>;
  readonly holders: ReadonlyMap<Change, Change>;
}

function trialOf(change: Change, result: ChangeResult | undefined, { namespaces, holders }: SendContext): Trial {
  const { id } = change;
  if (!result) return { id, word: 'waiting', detail: 'was not tried' };
  const { live, message, outcome, refusal } = result;
  const isHomeless = refusal?.code === 'NamespaceMissing' && namespaces.has(id.namespace);
  if (isHomeless || outcome === 'created') return { id, word: 'created', detail: 'would be created' };
  const holder = holders.get(change);
  if (holder) {
    const word = change.live ? 'changed' : 'created';
    return { id, word, detail: `would be ${word} once ${formatId(holder.id)}, which has its place, is pruned` };
  }
  if (refusal) return { id, word: 'refused', detail: refusal.message };
  if (outcome === 'conflict') return { id, word: 'refused', detail: message ?? OF_ANOTHER };
  if (outcome === 'recreating')
    return { id, word: 'changed', isRecreated: true, detail: 'would be deleted and created again' };
  if (outcome === 'unchanged' && !live) return { id, word: 'unchanged', detail: undefined };
  if (!live) return { id, word: 'waiting', detail: message ?? 'would wait' };
  if (outcome === 'adopted') return { id, word: 'adopted', detail: 'would be adopted' };
  const { type, fields } = judgeDryRun(change, live);
  if (type === 'none') return { id, word: 'unchanged', detail: undefined };
  const shown = fields.slice(0, 3).map((field) => `${field.path} from ${show(field.live)} to ${show(field.desired)}`);
  return { id, word: 'changed', detail: `would change ${shown.join(', ') || 'in its bookkeeping'}` };
}

const OF_ANOTHER = 'managed by another Application';

function show(value: Parameters<typeof stringifyJson>[0] | undefined): string {
  return value === undefined ? 'nothing' : stringifyJson(value);
}

/** `isHeldBack`: an object is refused, and nothing is pruned before all objects are applied. */
function pruneTrialOf({ id }: Change, result: ChangeResult | undefined, isHeldBack: boolean): Trial {
  if (!result && isHeldBack) {
    return { id, word: 'waiting', detail: 'would be pruned once every object can be applied' };
  }
  const { message, outcome, refusal } = result ?? {};
  if (refusal) return { id, word: 'refused', detail: refusal.message };
  if (outcome === 'waiting') return { id, word: 'held', detail: message ?? 'its prune would be held' };
  if (outcome === 'unchanged') {
    return message === undefined
      ? { id, word: 'unchanged', detail: undefined }
      : { id, word: 'kept', detail: `would be kept: ${message}` };
  }
  if (outcome === 'released') return { id, word: 'released', detail: because('would be released', message) };
  return { id, word: 'pruned', detail: 'would be pruned' };
}

function releaseTrialOf({ id, reason }: Change, result: ChangeResult | undefined): Trial {
  if (result?.refusal) return { id, word: 'refused', detail: result.refusal.message };
  return { id, word: 'released', detail: because('would be released', reason) };
}

function because(text: string, reason: string | undefined): string {
  return reason === undefined ? text : `${text}: ${reason}`;
}

/** A change without a place in the plan. */
function leftOutTrialOf(change: Change, question: TrialQuestion): Trial[] {
  const { id, keptFor, reason, type } = change;
  if (type === 'none') return [];
  if (type === 'conflict') return [{ id, word: 'refused', detail: reason ?? OF_ANOTHER }];
  if (type === 'unknown') return [{ id, word: 'unknown', detail: reason ?? 'its state cannot be read' }];
  if (keptFor !== undefined) return [{ id, word: 'kept', detail: `left Git; kept, since ${keptFor}` }];
  if (type === 'prune' || type === 'release') return [{ id, word: 'kept', detail: leftMessage(question) }];
  return [{ id, word: 'waiting', detail: 'was not tried' }];
}
