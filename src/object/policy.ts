/**
 * The policy of one object, read from the annotations of Argo CD, Flux and Helm, so that a repository need not be
 * rewritten for Tautline. docs/compatibility.md lists the annotations and their effects.
 *
 * Invariant: an annotation that is not understood has no effect. If two contradict each other, the one that keeps more
 * of the cluster wins.
 */
import { hookOf, parseWave, splitWords, type Hook, type Phase } from './hooks.ts';
import { annotationsOf } from './identity.ts';
import { stringAt, type KubeObject } from './value.ts';

export interface ObjectPolicy {
  /** Whether the object is deleted when it leaves Git: yes, no (it is released), or after a person has confirmed it. */
  readonly prune: Removal;
  /** The same for the deletion of the Application. */
  readonly deletion: Removal;
  /** Pruned after everything else of the plan (`PruneLast=true`). */
  readonly isPrunedLast: boolean;
  /** false: the object is neither created, changed nor deleted (`reconcile: disabled`). */
  readonly reconcile: boolean;
  /**
   * - Override: the object is applied as usual.
   * - Merge: an adoption also keeps the fields that other tools have added.
   * - IfNotPresent: the object is created if it is absent, and never changed.
   * - Ignore: the object is neither created, changed nor reported.
   */
  readonly ssa: 'Override' | 'Merge' | 'IfNotPresent' | 'Ignore';
  readonly phase: Phase;
  /** `sync-wave`, or else the weight of a Helm hook; 0 by default. Lower waves come first within a phase. */
  readonly wave: number;
  readonly isHook: boolean;
  /** The object is applied once a sync has failed. */
  readonly isSyncFail: boolean;
  /** A Job or Pod runs once for each set of desired objects. */
  readonly runsEachSync: boolean;
  /** The object is applied before the objects of a deleted Application are deleted. */
  readonly isPreDelete: boolean;
  /** The object is applied after the objects of a deleted Application are gone. */
  readonly isPostDelete: boolean;
  /** The Job or Pod is deleted after it has succeeded (`HookSucceeded`). */
  readonly isDeletedOnSuccess: boolean;
  /** The same of a hook that has failed. */
  readonly isDeletedOnFailure: boolean;
  /** If an update is forbidden (an immutable field), the object is deleted and created again (`Replace`, `Force`). */
  readonly mayRecreate: boolean;
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
  isSyncFail: false,
  runsEachSync: false,
  isPreDelete: false,
  isPostDelete: false,
  isDeletedOnSuccess: false,
  isDeletedOnFailure: false,
  mayRecreate: false,
};

export function isDefaultPolicy(policy: ObjectPolicy): boolean {
  return POLICY_FIELDS.every((field) => policy[field] === DEFAULT_POLICY[field]);
}

/**
 * Whether an object is left out of claims, comparison and health: objects with `ssa: Ignore`, and absent objects whose
 * reconciliation is disabled.
 */
export function isLeftOut(policy: ObjectPolicy | undefined, isPresent: boolean): boolean {
  return policy !== undefined && (policy.ssa === 'Ignore' || (!policy.reconcile && !isPresent));
}

const POLICY_FIELDS = Object.keys(DEFAULT_POLICY) as (keyof ObjectPolicy)[];

const FLUX = 'kustomize.toolkit.fluxcd.io';
const ARGO = 'argocd.argoproj.io';
const SSA: readonly string[] = ['Merge', 'IfNotPresent', 'Ignore'];

/** The policy of a manifest, or of a live object with the annotations that were applied to it. */
export function policyOf(object: KubeObject): ObjectPolicy {
  const annotations = annotationsOf(object);
  const options = new Set(splitWords(annotations[`${ARGO}/sync-options`]));
  const hook = hookOf(annotations);
  const ssa = SSA.find((mode) => isSameWord(fluxValue(object, 'ssa'), mode));
  return {
    ...removalsOf(object, options),
    isPrunedLast: options.has('PruneLast=true'),
    reconcile: !isReconcileDisabled(object),
    // A hook that no sync applies is treated like an ignored object.
    ssa: hook?.phase === 'never' ? 'Ignore' : ((ssa as ObjectPolicy['ssa'] | undefined) ?? 'Override'),
    phase: phaseOf(hook),
    wave: parseWave(annotations[`${ARGO}/sync-wave`]) ?? hook?.weight ?? 0,
    isHook: hook !== undefined,
    isSyncFail: hook?.isSyncFail ?? false,
    runsEachSync: hook?.runsEachSync ?? false,
    isPreDelete: hook?.deletionPhases.includes('PreDelete') ?? false,
    isPostDelete: hook?.deletionPhases.includes('PostDelete') ?? false,
    isDeletedOnSuccess: hook?.isDeletedOnSuccess ?? false,
    isDeletedOnFailure: hook?.isDeletedOnFailure ?? false,
    mayRecreate:
      hook !== undefined ||
      options.has('Replace=true') ||
      options.has('Force=true') ||
      isSameWord(fluxValue(object, 'force'), 'enabled'),
  };
}

/**
 * The policy of a live object for the time when it leaves Git, and when its Application is deleted.
 * `options`: the words of the `sync-options` annotation, if they were read before.
 */
export function removalsOf(
  object: KubeObject,
  options: ReadonlySet<string> = new Set(splitWords(annotationsOf(object)[`${ARGO}/sync-options`])),
): Pick<ObjectPolicy, 'prune' | 'deletion'> {
  const isKept =
    isSameWord(fluxValue(object, 'prune'), 'disabled') ||
    isSameWord(annotationsOf(object)['helm.sh/resource-policy'], 'keep');
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

/** The `reconcile` part of the policy alone; every pass calls this for every live object, so it must be cheap. */
export function isReconcileDisabled(object: KubeObject): boolean {
  return isSameWord(fluxValue(object, 'reconcile'), 'disabled');
}

/** Whether an object that is not in Git does not count as a difference (`IgnoreExtraneous`). */
export function isExtraneousIgnored({ metadata }: KubeObject): boolean {
  const options = stringAt(metadata, 'annotations', `${ARGO}/compare-options`) ?? '';
  return options.split(',').some((option) => isSameWord(option, 'IgnoreExtraneous'));
}

/** The value of a Flux annotation, or of the label of the same name, which Flux reads as well. */
function fluxValue({ metadata }: KubeObject, name: string): string | undefined {
  const key = `${FLUX}/${name}`;
  return stringAt(metadata, 'annotations', key) ?? stringAt(metadata, 'labels', key);
}

function isSameWord(value: string | undefined, word: string): boolean {
  return value?.trim().toLowerCase() === word.toLowerCase();
}
