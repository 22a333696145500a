/**
 * What people say about one object by annotation: Argo CD's, Flux's and Helm's own names, so that a repository need not
 * be rewritten. docs/compatibility.md lists which are honoured and how.
 *
 * Invariant: an annotation that is not understood changes nothing; where two disagree, the one that keeps more wins.
 */
import { hookOf, waveNumber, wordsOf, type Hook, type Phase } from './hooks.ts';
import { annotationsOf } from './identity.ts';
import { stringAt, type KubeObject } from './value.ts';

export interface ObjectPolicy {
  /** What becomes of it when it leaves Git: deleted, let go, or deleted once a person has confirmed it. */
  readonly prune: Removal;
  /** The same when the Application is deleted. */
  readonly deletion: Removal;
  /** Pruned after everything else of the plan (`PruneLast=true`). */
  readonly isPrunedLast: boolean;
  /** false: neither created nor changed nor deleted, as long as it stands (`reconcile: disabled`). */
  readonly reconcile: boolean;
  /**
   * Override: as everything else. Merge: fields that other tools have added stay at an adoption, too. IfNotPresent:
   * created where absent, and never changed. Ignore: neither created nor changed nor reported.
   */
  readonly ssa: 'Override' | 'Merge' | 'IfNotPresent' | 'Ignore';
  readonly phase: Phase;
  /** `sync-wave`, or the weight of a Helm hook: lower ones first within the phase; 0 where none is given. */
  readonly wave: number;
  readonly isHook: boolean;
  /** A Job or Pod that is deleted once it has run well (`HookSucceeded`). */
  readonly isDeletedOnSuccess: boolean;
  /** Where an update is forbidden (an immutable field), the object is deleted and made again (`Replace`, `Force`). */
  readonly recreate: boolean;
}

export type Removal = 'delete' | 'keep' | 'confirm';

export const DEFAULT_POLICY: ObjectPolicy = {
  prune: 'delete',
  deletion: 'delete',
  isPrunedLast: false,
  reconcile: true,
  ssa: 'Override',
  phase: 'Sync',
  wave: 0,
  isHook: false,
  isDeletedOnSuccess: false,
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
  const options = new Set(wordsOf(annotations[`${ARGO}/sync-options`]));
  const hook = hookOf(annotations);
  const ssa = SSA.find((mode) => isWord(fluxWord(object, 'ssa'), mode));
  return {
    ...removalsOf(object, options),
    isPrunedLast: options.has('PruneLast=true'),
    reconcile: !isReconcileDisabled(object),
    // What is not to be applied at all is as what is to be ignored.
    ssa: hook?.phase === 'never' ? 'Ignore' : ((ssa as ObjectPolicy['ssa'] | undefined) ?? 'Override'),
    phase: phaseOf(hook),
    wave: waveNumber(annotations[`${ARGO}/sync-wave`]) ?? hook?.weight ?? 0,
    isHook: hook !== undefined,
    isDeletedOnSuccess: hook?.isDeletedOnSuccess ?? false,
    recreate:
      hook !== undefined ||
      options.has('Replace=true') ||
      options.has('Force=true') ||
      isWord(fluxWord(object, 'force'), 'enabled'),
  };
}

/** What becomes of a live object when it leaves Git, and when its Application is deleted. */
export function removalsOf(
  object: KubeObject,
  options: ReadonlySet<string> = new Set(wordsOf(annotationsOf(object)[`${ARGO}/sync-options`])),
): Pick<ObjectPolicy, 'prune' | 'deletion'> {
  const isKept =
    isWord(fluxWord(object, 'prune'), 'disabled') || isWord(annotationsOf(object)['helm.sh/resource-policy'], 'keep');
  if (isKept) return { prune: 'keep', deletion: 'keep' };
  const read = (name: 'Prune' | 'Delete'): Removal => {
    if (options.has(`${name}=false`)) return 'keep';
    return options.has(`${name}=confirm`) ? 'confirm' : 'delete';
  };
  return { prune: read('Prune'), deletion: read('Delete') };
}

function phaseOf(hook: Hook | undefined): Phase {
  return hook === undefined || hook.phase === 'never' ? 'Sync' : hook.phase;
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
