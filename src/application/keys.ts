/**
 * The names that Tautline uses in a cluster: version, finalizer, labels and annotations. They are API: users' clusters
 * and repositories store them, so none of them may change its meaning. Group, kind and the owner marks of applied
 * objects are in object/applyset.ts.
 */
import {
  APPLICATION_GROUP,
  APPLY_SET_ID_LABEL,
  APPLY_SET_KINDS_ANNOTATION,
  APPLY_SET_NAMESPACES_ANNOTATION,
  APPLY_SET_TOOLING_ANNOTATION,
} from '../object/applyset.ts';

export const VERSION = 'v1alpha1';
export const API_VERSION = `${APPLICATION_GROUP}/${VERSION}`;
export const PLURAL = 'applications';
export const SINGULAR = 'application';
export const SHORT_NAME = 'tla';
export const CATEGORY = 'gitops';
export const CRD_NAME = `${PLURAL}.${APPLICATION_GROUP}`;

/** Finalizer that holds a deleted Application until its deletionPolicy is carried out. */
export const PRUNE_FINALIZER = 'finalizers.tautline.dev/prune';

/** Annotation on an Application: a request of a user as JSON; see request.ts. */
export const REQUEST_ANNOTATION = 'tautline.dev/request';
/** Annotation on an Application: an opaque token. A pass is due while it differs from status.lastHandledReconcileAt. */
export const RECONCILE_AT_ANNOTATION = 'reconcile.fluxcd.io/requestedAt';

/** Label on a Secret with the credentials of repositories; see credential-secret.ts. */
export const SECRET_TYPE_LABEL = 'tautline.dev/secret-type';

/** On the Application, as the parent of an ApplySet. */
export const APPLYSET_ID_LABEL = APPLY_SET_ID_LABEL;
export const APPLYSET_TOOLING_ANNOTATION = APPLY_SET_TOOLING_ANNOTATION;
export const APPLYSET_KINDS_ANNOTATION = APPLY_SET_KINDS_ANNOTATION;
export const APPLYSET_NAMESPACES_ANNOTATION = APPLY_SET_NAMESPACES_ANNOTATION;
/** Label on the CRD that tells kubectl that an Application may be the parent of an ApplySet (KEP-3659). */
export const APPLYSET_PARENT_TYPE_LABEL = 'applyset.kubernetes.io/is-parent-type';

/** `<namespace>/<name>`: the key of an Application in maps, queues and logs. */
export function applicationKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The namespace of an Application, by its key. */
export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
