/**
 * The ownership marks on applied objects: the ApplySet label (with the ids that kubectl computes, KEP-3659) and the
 * owner annotation.
 *
 * Invariant: the label is computed from the namespace and the name in the annotation, so a reader of an object can
 * check one mark against the other. Both must agree before an object is deleted.
 */
import { digestText } from './digest.ts';
import { annotationsOf, labelsOf } from './identity.ts';
import type { KubeObject } from './value.ts';

export const APPLICATION_GROUP = 'tautline.dev';
export const APPLICATION_KIND = 'Application';

/** Label on every applied object; its value is the ApplySet id. */
export const PART_OF_LABEL = 'applyset.kubernetes.io/part-of';
/** Annotation on every applied object: `<hub id>/<namespace>/<name>`. */
export const OWNER_ANNOTATION = 'tautline.dev/owner';
/** Label on the Application (the ApplySet's parent). */
export const APPLY_SET_ID_LABEL = 'applyset.kubernetes.io/id';
/** Annotations on the Application. */
export const APPLY_SET_TOOLING_ANNOTATION = 'applyset.kubernetes.io/tooling';
export const APPLY_SET_KINDS_ANNOTATION = 'applyset.kubernetes.io/contains-group-kinds';
export const APPLY_SET_NAMESPACES_ANNOTATION = 'applyset.kubernetes.io/additional-namespaces';

/** The field manager of every server-side apply. */
export const FIELD_MANAGER = 'tautline';

/** An Application as the owner of objects: its marks (a label and an annotation), and how it holds the objects. */
export interface Owner {
  /** Value of `PART_OF_LABEL`: `applyset-<base64url>-v1`. */
  readonly applySetId: string;
  /** Value of `OWNER_ANNOTATION`: `<hub id>/<namespace>/<name>`. */
  readonly ownerAnnotation: string;
  /** Whether annotations that are not from Git count on its live objects (`spec.sync.allowLiveAnnotations`). */
  readonly allowsLiveAnnotations?: boolean;
}

export interface ApplicationRef {
  /** Identifies the installation of the agent; contains no slash. */
  readonly hubId: string;
  readonly namespace: string;
  readonly name: string;
}

export function ownerOf({ hubId, namespace, name }: ApplicationRef): Owner {
  return {
    applySetId: applySetIdOf({ name, namespace, kind: APPLICATION_KIND, group: APPLICATION_GROUP }),
    ownerAnnotation: `${hubId}/${namespace}/${name}`,
  };
}

/** `applyset-<base64url of sha256 of name.namespace.Kind.group>-v1`, 55 characters. */
export function applySetIdOf(parent: { name: string; namespace: string; kind: string; group: string }): string {
  return `applyset-${digestText(`${parent.name}.${parent.namespace}.${parent.kind}.${parent.group}`)}-v1`;
}

/** The Application that an owner annotation names; undefined if the value is malformed. */
export function parseOwner(annotation: string): ApplicationRef | undefined {
  const [hubId, namespace, name, ...rest] = annotation.split('/');
  return hubId && namespace && name && rest.length === 0 ? { hubId, namespace, name } : undefined;
}

/**
 * The owner of an object according to its marks.
 * - ours: both marks are those of the given owner.
 * - half: only one of them is; the other was removed or changed by hand.
 * - application: both marks agree on another Application.
 * - set: the label names an ApplySet of another tool, and there is no annotation.
 * - none: there are no marks of any owner, or they contradict each other.
 */
export type Ownership =
  | { readonly type: 'ours' | 'half' | 'none' }
  | { readonly type: 'application'; readonly annotation: string }
  | { readonly type: 'set'; readonly applySetId: string };

export function readOwnership(object: KubeObject, owner: Owner): Ownership {
  const label = labelsOf(object)[PART_OF_LABEL];
  const annotation = annotationsOf(object)[OWNER_ANNOTATION];
  const hasLabel = label === owner.applySetId;
  const hasAnnotation = annotation === owner.ownerAnnotation;
  if (hasLabel && hasAnnotation) return { type: 'ours' };
  if (!label) return { type: hasAnnotation ? 'half' : 'none' };
  if (annotation !== undefined && !hasAnnotation) {
    const other = parseOwner(annotation);
    // The hub is not part of the label: Applications of two hubs with the same namespace and name share it, and only
    // the annotation tells them apart.
    if (other && label === ownerOf(other).applySetId) return { type: 'application', annotation };
  }
  if (hasLabel || hasAnnotation) return { type: 'half' };
  return annotation === undefined ? { type: 'set', applySetId: label } : { type: 'none' };
}
