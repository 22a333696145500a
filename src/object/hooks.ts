/**
 * Hooks of Argo CD and Helm, read from annotations: the phase of a sync or of the deletion of the Application in which
 * an object is applied, its weight within that phase, and whether it is deleted after it has run.
 *
 * Invariant: a hook for a moment that Tautline does not have (a rollback, a test) is never applied, rather than applied
 * at another moment. A hook of the deletion alone is not applied by a sync, and one of failed syncs by no other.
 */

/** In the order in which they run. Objects that are not hooks belong to `Sync`. */
export const PHASES = ['PreSync', 'Sync', 'PostSync'] as const;
export type Phase = (typeof PHASES)[number];

/** Phases of the deletion of an Application: before its objects are deleted, and after they are gone. */
export const DELETION_PHASES = ['PreDelete', 'PostDelete'] as const;
export type DeletionPhase = (typeof DELETION_PHASES)[number];

/** Annotation on the objects of hooks that Tautline sets: the run for which the object was applied. */
export const HOOK_RUN_ANNOTATION = 'tautline.dev/hook-run';

/** Annotation on a hook whose manifest has a `generateName`: the name of each run ends differently. */
export const GENERATED_NAME_ANNOTATION = 'tautline.dev/generated-name';

export interface Hook {
  /** The phase of a sync; `never`: no sync applies it. */
  readonly phase: Phase | 'never';
  readonly deletionPhases: readonly DeletionPhase[];
  /** Applied once a sync has failed, and by no other sync. */
  readonly isSyncFail: boolean;
  /** A Job or Pod runs once for each set of desired objects, and not only once for each version of its manifest. */
  readonly runsEachSync: boolean;
  /** HookSucceeded: deleted once it has succeeded, and not created again for the same manifest. */
  readonly isDeletedOnSuccess: boolean;
  /** HookFailed: deleted once it has failed, and not created again for the same manifest. */
  readonly isDeletedOnFailure: boolean;
  /** `helm.sh/hook-weight`; undefined if it is missing or malformed. */
  readonly weight: number | undefined;
}

type Moment = Phase | DeletionPhase | 'SyncFail' | 'never';

const ARGO_PHASES: ReadonlyMap<string, Moment> = new Map<string, Moment>([
  ['PreSync', 'PreSync'],
  ['Sync', 'Sync'],
  ['PostSync', 'PostSync'],
  ['SyncFail', 'SyncFail'],
  ['PreDelete', 'PreDelete'],
  ['PostDelete', 'PostDelete'],
  ['Skip', 'never'],
]);

/** `crd-install` marks a CustomResourceDefinition of a Helm 2 chart, which is an object like any other. */
const HELM_PHASES: ReadonlyMap<string, Moment> = new Map<string, Moment>([
  ['pre-install', 'PreSync'],
  ['pre-upgrade', 'PreSync'],
  ['post-install', 'PostSync'],
  ['post-upgrade', 'PostSync'],
  ['pre-delete', 'PreDelete'],
  ['post-delete', 'PostDelete'],
  ['pre-rollback', 'never'],
  ['post-rollback', 'never'],
  ['test', 'never'],
  ['test-success', 'never'],
  ['test-failure', 'never'],
]);

/**
 * The hook that the annotations declare; undefined if there is none. If both Argo CD's and Helm's annotation are given,
 * Argo CD's counts, as in Argo CD.
 */
export function hookOf(annotations: Readonly<Record<string, string>>): Hook | undefined {
  const argo = annotations['argocd.argoproj.io/hook'];
  const moments =
    argo === undefined ? momentsIn(annotations['helm.sh/hook'], HELM_PHASES) : momentsIn(argo, ARGO_PHASES, 'Skip');
  if (moments.size === 0) return undefined;
  const argoPolicies = splitWords(annotations['argocd.argoproj.io/hook-delete-policy']);
  const policies = [...argoPolicies, ...splitWords(annotations['helm.sh/hook-delete-policy'])];
  return {
    phase: PHASES.find((phase) => moments.has(phase)) ?? 'never',
    deletionPhases: DELETION_PHASES.filter((phase) => moments.has(phase)),
    isSyncFail: moments.has('SyncFail') && !PHASES.some((phase) => moments.has(phase)),
    runsEachSync: argoPolicies.includes('BeforeHookCreation') || annotations[GENERATED_NAME_ANNOTATION] === 'true',
    isDeletedOnSuccess: policies.includes('HookSucceeded') || policies.includes('hook-succeeded'),
    isDeletedOnFailure: policies.includes('HookFailed') || policies.includes('hook-failed'),
    weight: parseWave(annotations['helm.sh/hook-weight']),
  };
}

/** The moments that the text names; only `never` if it names `veto`; none if it names none that is known. */
function momentsIn(text: string | undefined, moments: ReadonlyMap<string, Moment>, veto?: string): ReadonlySet<Moment> {
  const words = splitWords(text);
  if (veto !== undefined && words.includes(veto)) return new Set(['never']);
  return new Set(words.flatMap((word) => moments.get(word) ?? []));
}

/** The integer in a `sync-wave` or `hook-weight` annotation; undefined if it is missing or malformed. */
export function parseWave(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^[+-]?\d{1,9}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** Splits `a, b` into `['a', 'b']`; empty words are dropped. */
export function splitWords(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
