/**
 * The words, colours and icons of states. A state is never told by its colour alone: each tone has an icon of its own
 * shape, and a word stands beside it.
 */
import type { ApplicationSummary, NameAndState, ObjectView, Severity, TreeNode } from '../../server/api/schema.ts';

/** An Application in a list; without a token only its names and states are known. */
export type Listed = ApplicationSummary | NameAndState;

/** `unknown` is for objects, whose health may not be known. The worst first. */
export type Tone = Severity | 'unknown';

export const TONES: readonly Tone[] = ['error', 'warning', 'progressing', 'unknown', 'suspended', 'ok'];

export function isFull(application: Listed): application is ApplicationSummary {
  return 'severity' in application;
}

export function severityOf(application: Listed): Severity {
  if (isFull(application)) return application.severity;
  const { sync, health, ready } = application;
  if (health === 'Degraded' || health === 'Missing') return 'error';
  if (health === 'Suspended') return 'suspended';
  if (health === 'Progressing') return 'progressing';
  return sync === 'Synced' && health !== 'Unknown' && ready === 'True' ? 'ok' : 'warning';
}

export function syncOf({ sync }: Listed): string {
  return typeof sync === 'string' ? sync : sync.status;
}

export function healthOf({ health }: Listed): string {
  return typeof health === 'string' ? health : health.status;
}

/** The one word for the state of an Application. */
export function stateWordOf(application: Listed): string {
  const severity = severityOf(application);
  const health = healthOf(application);
  if (isFull(application) && application.deleting) return 'Deleting';
  if (severity === 'ok') return 'Healthy';
  if (severity === 'suspended') return 'Suspended';
  if (severity === 'progressing' || health === 'Degraded' || health === 'Missing') return health;
  const reason = isFull(application) && application.ready.status === 'False' ? application.ready.reason : '';
  return reason || (syncOf(application) === 'Synced' ? 'Unknown' : syncOf(application));
}

/** The sentence that says why it is in this state; empty if only its state is known. */
export function sentenceOf(application: Listed): string {
  if (!isFull(application)) return '';
  const { health, ready } = application;
  const isHealthTheReason = health.status === 'Degraded' || health.status === 'Missing';
  return isHealthTheReason && health.message ? health.message : ready.message;
}

/** The view that shows the cause, and the words of the link to it. */
export interface Remedy {
  readonly label: string;
  readonly query: string;
}

/** undefined: there is nothing to do. */
export function remedyOf(application: Listed): Remedy | undefined {
  if (!isFull(application)) return undefined;
  const { severity, ready, counts, health, sync } = application;
  if (severity === 'ok' || severity === 'suspended') return undefined;
  if (ready.reason === 'PruneHeld') return { label: 'Review prune', query: '?do=confirm-prune' };
  if ((counts?.problems ?? 0) > 0) return { label: 'Problems', query: '?view=problems' };
  if (health.status !== 'Healthy' && health.status !== 'Unknown') return { label: 'Objects', query: '?show=unwell' };
  if (sync.status === 'OutOfSync') return { label: 'Differences', query: '?view=differences' };
  return { label: 'Conditions', query: '?view=conditions' };
}

export const SEVERITY_TITLES: Readonly<Record<Severity, string>> = {
  error: 'Failing',
  warning: 'Need attention',
  progressing: 'In progress',
  suspended: 'Suspended',
  ok: 'Healthy',
};

export const TONE_OF_HEALTH: Readonly<Record<string, Tone>> = {
  Healthy: 'ok',
  Progressing: 'progressing',
  Degraded: 'error',
  Missing: 'error',
  Suspended: 'suspended',
  Unknown: 'unknown',
};

export const TONE_OF_SYNC: Readonly<Record<string, Tone>> = { Synced: 'ok', OutOfSync: 'warning', Unknown: 'unknown' };

/** The state of one object of a list or a tree. */
export type ObjectState = Pick<ObjectView | TreeNode, 'health'> & {
  readonly sync?: string | undefined;
  readonly pruning?: boolean | undefined;
};

export function toneOfObject({ health, sync = 'Synced', pruning = false }: ObjectState): Tone {
  const tones: Tone[] = [TONE_OF_SYNC[sync] ?? 'unknown'];
  // The health of an object that left Git counts for nothing.
  if (!pruning) tones.push(TONE_OF_HEALTH[health.status] ?? 'unknown');
  return worstOf(tones);
}

/** The word for the state of an object: its worst side. */
export function wordOfObject(object: ObjectState): string {
  const { health, sync = 'Synced', pruning = false } = object;
  if (pruning) return 'Left Git';
  const isOfHealth = toneOfObject(object) === (TONE_OF_HEALTH[health.status] ?? 'unknown');
  return isOfHealth ? health.status : sync;
}

/** The sentence that says why an object is in that state; empty if there is nothing to tell. */
export function reasonOfObject(object: ObjectState & { readonly message?: string | undefined }): string {
  const { health, message } = object;
  const isOfHealth = object.pruning !== true && wordOfObject(object) === health.status;
  return (isOfHealth && health.message) || (message ?? health.message);
}

/** Whether a person should look at the object. */
export function isUnwell(object: ObjectState): boolean {
  const tone = toneOfObject(object);
  return tone !== 'ok' && tone !== 'suspended';
}

export function worstOf(tones: readonly Tone[]): Tone {
  return TONES.find((tone) => tones.includes(tone)) ?? 'ok';
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}
