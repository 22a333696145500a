/**
 * Hooks of Argo CD and Helm, read from annotations: the phase in which an object is applied, its weight within that
 * phase, and whether it is deleted after it has run.
 *
 * Invariant: a hook for a moment that Tautline does not have (a failed sync, a deletion, a rollback, a test) is never
 * applied, rather than applied at another moment.
 */

/** In the order in which they run. Objects that are not hooks belong to `Sync`. */
export const PHASES = ['PreSync', 'Sync', 'PostSync'] as const;
export type Phase = (typeof PHASES)[number];

export interface Hook {
  readonly phase: Phase | 'never';
  /** HookSucceeded: deleted once it has succeeded, and not created again for the same manifest. */
  readonly isDeletedOnSuccess: boolean;
  /** HookFailed: deleted once it has failed, and not created again for the same manifest. */
  readonly isDeletedOnFailure: boolean;
  /** `helm.sh/hook-weight`; undefined if it is missing or malformed. */
  readonly weight: number | undefined;
}

const ARGO_PHASES: ReadonlyMap<string, Hook['phase']> = new Map([
  ['PreSync', 'PreSync'],
  ['Sync', 'Sync'],
  ['PostSync', 'PostSync'],
  ['SyncFail', 'never'],
  ['PreDelete', 'never'],
  ['PostDelete', 'never'],
  ['Skip', 'never'],
]);

/** `crd-install` marks a CustomResourceDefinition of a Helm 2 chart, which is an object like any other. */
const HELM_PHASES: ReadonlyMap<string, Hook['phase']> = new Map([
  ['pre-install', 'PreSync'],
  ['pre-upgrade', 'PreSync'],
  ['post-install', 'PostSync'],
  ['post-upgrade', 'PostSync'],
  ['pre-delete', 'never'],
  ['post-delete', 'never'],
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
  const phase =
    argo === undefined ? phaseIn(annotations['helm.sh/hook'], HELM_PHASES) : phaseIn(argo, ARGO_PHASES, 'Skip');
  if (phase === undefined) return undefined;
  const policies = [
    ...splitWords(annotations['argocd.argoproj.io/hook-delete-policy']),
    ...splitWords(annotations['helm.sh/hook-delete-policy']),
  ];
  return {
    phase,
    isDeletedOnSuccess: policies.includes('HookSucceeded') || policies.includes('hook-succeeded'),
    isDeletedOnFailure: policies.includes('HookFailed') || policies.includes('hook-failed'),
    weight: parseWave(annotations['helm.sh/hook-weight']),
  };
}

/**
 * The earliest phase that the text names; `never` if it names `veto`, or only phases that Tautline does not have;
 * undefined if it names none.
 */
function phaseIn(
  text: string | undefined,
  phases: ReadonlyMap<string, Hook['phase']>,
  veto?: string,
): Hook['phase'] | undefined {
  const words = splitWords(text).filter((word) => phases.has(word));
  if (words.length === 0) return undefined;
  if (veto !== undefined && words.includes(veto)) return 'never';
  return PHASES.find((phase) => words.some((word) => phases.get(word) === phase)) ?? 'never';
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
