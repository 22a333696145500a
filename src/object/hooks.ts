/**
 * What Argo CD and Helm call hooks, by annotation: in which phase an object is applied, in which wave of that phase,
 * and what becomes of it once it has run.
 *
 * Invariant: a hook whose moment Tautline does not have (a failed sync, a deletion, a rollback, a test) is left out
 * altogether, rather than applied at another moment.
 */

/** In their order; what is no hook belongs to `Sync`. */
export const PHASES = ['PreSync', 'Sync', 'PostSync'] as const;
export type Phase = (typeof PHASES)[number];

export interface Hook {
  readonly phase: Phase | 'never';
  /** HookSucceeded: deleted once it has run well, and not made again for the same manifest. */
  readonly isDeletedOnSuccess: boolean;
  /** Its weight (Helm); undefined where none is given. */
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

const HELM_PHASES: ReadonlyMap<string, Hook['phase']> = new Map([
  ['crd-install', 'PreSync'],
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

/** undefined: no hook. Argo CD's annotation counts where both are given, as it does there. */
export function hookOf(annotations: Readonly<Record<string, string>>): Hook | undefined {
  const argo = annotations['argocd.argoproj.io/hook'];
  const phase =
    argo === undefined ? phaseIn(annotations['helm.sh/hook'], HELM_PHASES) : phaseIn(argo, ARGO_PHASES, 'Skip');
  if (phase === undefined) return undefined;
  const policies = [
    ...wordsOf(annotations['argocd.argoproj.io/hook-delete-policy']),
    ...wordsOf(annotations['helm.sh/hook-delete-policy']),
  ];
  return {
    phase,
    isDeletedOnSuccess: policies.includes('HookSucceeded') || policies.includes('hook-succeeded'),
    weight: waveNumber(annotations['helm.sh/hook-weight']),
  };
}

/** The first phase of those named; `never` where all are such, or `veto` is among them. */
function phaseIn(
  text: string | undefined,
  phases: ReadonlyMap<string, Hook['phase']>,
  veto?: string,
): Hook['phase'] | undefined {
  const words = wordsOf(text).filter((word) => phases.has(word));
  if (words.length === 0) return undefined;
  if (veto !== undefined && words.includes(veto)) return 'never';
  return PHASES.find((phase) => words.some((word) => phases.get(word) === phase)) ?? 'never';
}

/** A whole number as `sync-wave` and `hook-weight` hold it; undefined where it is none. */
export function waveNumber(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^[+-]?\d{1,9}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** `a, b` as `['a', 'b']`. */
export function wordsOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
