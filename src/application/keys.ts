/**
 * The names by which Tautline is known in a cluster: group, version, finalizer, labels and annotations. They are API:
 * stored in users' clusters and repositories, so none of them ever changes its meaning. The marks on applied objects,
 * and group and kind, which they are made from, stand in object/applyset.ts.
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

/** Holds a deleted Application until what its deletionPolicy asks for is done. */
export const PRUNE_FINALIZER = 'finalizers.tautline.dev/prune';

/** Annotation on an Application: a user's request, JSON {id, action}; see request.ts. */
export const REQUEST_ANNOTATION = 'tautline.dev/request';
/** Annotation on an Application: an opaque token; a pass is due while it differs from status.lastHandledReconcileAt. */
export const RECONCILE_AT_ANNOTATION = 'reconcile.fluxcd.io/requestedAt';

/** On the Application, as the parent of an ApplySet. */
export const APPLYSET_ID_LABEL = APPLY_SET_ID_LABEL;
export const APPLYSET_TOOLING_ANNOTATION = APPLY_SET_TOOLING_ANNOTATION;
export const APPLYSET_KINDS_ANNOTATION = APPLY_SET_KINDS_ANNOTATION;
export const APPLYSET_NAMESPACES_ANNOTATION = APPLY_SET_NAMESPACES_ANNOTATION;
/** Label on the CRD by which kubectl knows that an Application may be the parent of an ApplySet (KEP-3659). */
export const APPLYSET_PARENT_TYPE_LABEL = 'applyset.kubernetes.io/is-parent-type';

/** `<namespace>/<name>`: how maps, queues and logs name an Application within one cluster. */
export function applicationKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
