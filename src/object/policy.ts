/**
 * What people say about one object by annotation: Argo CD's, Flux's and Helm's own names, so that a repository need not
 * be rewritten. docs/compatibility.md lists which are honoured and how.
 *
 * Invariant: an annotation that is not understood changes nothing; where two disagree, the one that keeps more wins.
 */
import { annotationsOf } from './identity.ts';
import { stringAt, type KubeObject } from './value.ts';

export interface ObjectPolicy {
  /** false: never deleted by Tautline (`prune: disabled`, `Prune=false`, `Delete=false`, `resource-policy: keep`). */
  readonly prune: boolean;
  /** false: neither created nor changed nor deleted, as long as it stands (`reconcile: disabled`). */
  readonly reconcile: boolean;
  /**
   * Override: as everything else. Merge: fields that other tools have added stay at an adoption, too. IfNotPresent:
   * created where absent, and never changed. Ignore: neither created nor changed nor reported.
   */
  readonly ssa: 'Override' | 'Merge' | 'IfNotPresent' | 'Ignore';
  /** `sync-wave`: lower ones first; 0 where none is given. */
  readonly wave: number;
  /** Where an update is forbidden (an immutable field), the object is deleted and made again (`Replace`, `Force`). */
  readonly recreate: boolean;
}

export const DEFAULT_POLICY: ObjectPolicy = {
  prune: true,
  reconcile: true,
  ssa: 'Override',
  wave: 0,
  recreate: false,
};

export function isDefaultPolicy(policy: ObjectPolicy): boolean {
  return POLICY_FIELDS.every((field) => policy[field] === DEFAULT_POLICY[field]);
}

const POLICY_FIELDS = Object.keys(DEFAULT_POLICY) as (keyof ObjectPolicy)[];

const FLUX = 'kustomize.toolkit.fluxcd.io';
const ARGO = 'argocd.argoproj.io';
const SSA: readonly string[] = ['Merge', 'IfNotPresent', 'Ignore'];

/** The policy of a manifest, or of a live object that carries the annotations with which it was applied. */
export function policyOf(object: KubeObject): ObjectPolicy {
  const annotations = annotationsOf(object);
  const options = new Set((annotations[`${ARGO}/sync-options`] ?? '').split(',').map((option) => option.trim()));
  const isKept =
    isWord(annotations[`${FLUX}/prune`], 'disabled') ||
    options.has('Prune=false') ||
    options.has('Delete=false') ||
    isWord(annotations['helm.sh/resource-policy'], 'keep');
  const ssa = SSA.find((mode) => isWord(fluxWord(object, 'ssa'), mode));
  const wave = annotations[`${ARGO}/sync-wave`]?.trim() ?? '';
  return {
    prune: !isKept,
    reconcile: !isReconcileDisabled(object),
    ssa: (ssa as ObjectPolicy['ssa'] | undefined) ?? 'Override',
    wave: /^[+-]?\d{1,9}$/.test(wave) ? Number(wave) : 0,
    recreate:
      options.has('Replace=true') || options.has('Force=true') || isWord(annotations[`${FLUX}/force`], 'enabled'),
  };
}

/** Asked of live objects at every pass, so it reads no more than it needs. */
export function isReconcileDisabled(object: KubeObject): boolean {
  return isWord(fluxWord(object, 'reconcile'), 'disabled');
}

/** Whether an object that Git does not have (any more) counts as no difference (`IgnoreExtraneous`). */
export function isExtraneousIgnored({ metadata }: KubeObject): boolean {
  const options = stringAt(metadata, 'annotations', `${ARGO}/compare-options`) ?? '';
  return options.split(',').some((option) => isWord(option, 'IgnoreExtraneous'));
}

/** Flux reads its words from annotations and from labels. */
function fluxWord({ metadata }: KubeObject, name: string): string | undefined {
  const key = `${FLUX}/${name}`;
  return stringAt(metadata, 'annotations', key) ?? stringAt(metadata, 'labels', key);
}

function isWord(value: string | undefined, word: string): boolean {
  return value?.trim().toLowerCase() === word.toLowerCase();
}
