/**
 * The annotations of a live object that decide about its deletion. Git says what they are: a person or a tenant who may
 * only patch an object does not loosen the hold of its Application by them, unless the Application allows it
 * (`spec.sync.allowLiveAnnotations`).
 */
import { isAccessKind } from './access-kinds.ts';
import { FIELD_MANAGER, type Owner } from './applyset.ts';
import { appliedFieldsOf } from './field-set.ts';
import { annotationsOf, labelsOf, type ObjectId } from './identity.ts';
import { isReconcileDisabled, removalsOf, type ObjectPolicy, type Removal } from './policy.ts';
import { own, valueAt, type KubeObject, type Value } from './value.ts';

export interface LivePolicy extends Pick<ObjectPolicy, 'prune' | 'deletion'> {
  /** `reconcile: disabled`. */
  readonly isDisabled: boolean;
}

/** An object as it was last read; only its id and its `metadata` are used. */
export interface ReadObject {
  readonly id: ObjectId;
  readonly body: KubeObject;
}

/** Whether `reconcile: disabled` on the live object keeps a desired object from being changed. */
export function isLeftToOthers(
  body: KubeObject,
  { allowsLiveAnnotations }: Pick<Owner, 'allowsLiveAnnotations'>,
): boolean {
  return allowsLiveAnnotations === true && isReconcileDisabled(body);
}

/** The policy that Git gave to a live object, as far as its managed fields tell; all of it where that is allowed. */
export function policyInGit(
  body: KubeObject,
  { allowsLiveAnnotations }: Pick<Owner, 'allowsLiveAnnotations'>,
): LivePolicy {
  const shown = shownOn(body);
  return allowsLiveAnnotations || isPlain(shown) ? shown : shownOn(asApplied(body));
}

/**
 * The policy of an object that left Git. An annotation that is not from Git asks for a confirmation. On an object that
 * gives or bounds rights it has no effect: those whom it concerns may often patch it.
 */
export function policyOfLeft({ id, body }: ReadObject, owner: Pick<Owner, 'allowsLiveAnnotations'>): LivePolicy {
  const inGit = policyInGit(body, owner);
  const shown = shownOn(body);
  if (isPlain(shown) || inGit.isDisabled || isAccessKind(id)) return inGit;
  const soften = (removal: Removal, seen: Removal): Removal =>
    removal === 'delete' && (seen !== 'delete' || shown.isDisabled) ? 'confirm' : removal;
  const { prune, deletion } = inGit;
  return { isDisabled: false, prune: soften(prune, shown.prune), deletion: soften(deletion, shown.deletion) };
}

function shownOn(body: KubeObject): LivePolicy {
  return { isDisabled: isReconcileDisabled(body), ...removalsOf(body) };
}

function isPlain({ isDisabled, prune, deletion }: LivePolicy): boolean {
  return !isDisabled && prune === 'delete' && deletion === 'delete';
}

/** The object with those labels and annotations that Tautline has applied. */
function asApplied(body: KubeObject): KubeObject {
  const fields = appliedFieldsOf(body, FIELD_MANAGER)?.fields;
  const applied = (name: string, shown: Record<string, string>): Record<string, string> => {
    const set: Value | undefined = valueAt(fields, 'f:metadata', `f:${name}`);
    return Object.fromEntries(Object.entries(shown).filter(([key]) => valueAt(set, `f:${key}`) !== undefined));
  };
  const labels = applied('labels', labelsOf(body));
  const annotations = applied('annotations', annotationsOf(body));
  const name = own(body.metadata, 'name') ?? '';
  return { apiVersion: body.apiVersion, kind: body.kind, metadata: { name, labels, annotations } };
}
