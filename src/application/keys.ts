/**
 * The names by which Tautline is known in a cluster: group, version, finalizer, labels and annotations. They are API:
 * stored in users' clusters and repositories, so none of them ever changes its meaning.
 */

export const GROUP = 'tautline.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'Application';
export const PLURAL = 'applications';
export const SINGULAR = 'application';
export const SHORT_NAME = 'tla';
export const CATEGORY = 'gitops';
export const CRD_NAME = `${PLURAL}.${GROUP}`;

/** The manager of all fields that an Application sets on its objects. */
export const FIELD_MANAGER = 'tautline';
/** The manager of finalizer, ApplySet label and annotations on the Application itself. */
export const METADATA_MANAGER = 'tautline-applyset';

/** Holds a deleted Application until what its deletionPolicy asks for is done. */
export const PRUNE_FINALIZER = 'finalizers.tautline.dev/prune';

/** Annotation on every applied object: `<hub id>/<namespace>/<name>` of its Application. */
export const OWNER_ANNOTATION = 'tautline.dev/owner';
/** Annotation on an Application: a user's request, JSON {id, action}; see request.ts. */
export const REQUEST_ANNOTATION = 'tautline.dev/request';
/** Annotation on an Application: an opaque token; a pass is due while it differs from status.lastHandledReconcileAt. */
export const RECONCILE_AT_ANNOTATION = 'reconcile.fluxcd.io/requestedAt';

/** ApplySet (KEP-3659, names as kubectl's code has them). */
export const APPLYSET_PART_OF_LABEL = 'applyset.kubernetes.io/part-of';
export const APPLYSET_ID_LABEL = 'applyset.kubernetes.io/id';
export const APPLYSET_TOOLING_ANNOTATION = 'applyset.kubernetes.io/tooling';
export const APPLYSET_KINDS_ANNOTATION = 'applyset.kubernetes.io/contains-group-kinds';
export const APPLYSET_NAMESPACES_ANNOTATION = 'applyset.kubernetes.io/additional-namespaces';
export const APPLYSET_PARENT_TYPE_LABEL = 'applyset.kubernetes.io/is-parent-type';

/** `<namespace>/<name>`: how maps, queues and logs name an Application within one cluster. */
export function applicationKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
