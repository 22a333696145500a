/** The marks on an Application as the parent of an ApplySet (KEP-3659): id, kinds and namespaces of its objects. */
import {
  APPLYSET_ID_LABEL,
  APPLYSET_KINDS_ANNOTATION,
  APPLYSET_NAMESPACES_ANNOTATION,
  APPLYSET_TOOLING_ANNOTATION,
} from '../../application/keys.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { Owner } from '../../object/applyset.ts';
import type { ReconcileContext } from '../context.ts';

export interface ParentQuestion {
  readonly owner: Owner;
  readonly application: { readonly metadata: { readonly namespace: string } };
  readonly settings: Pick<ReconcileContext['settings'], 'version'>;
}

export interface ParentMarks {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  /** Namespaces in the annotation: all but the Application's own. */
  readonly namespaces: number;
}

export function parentMarks({ owner, application, settings }: ParentQuestion, ids: Iterable<ObjectId>): ParentMarks {
  const groupKinds = new Set<string>();
  const namespaces = new Set<string>();
  for (const { group, kind, namespace } of ids) {
    groupKinds.add(group ? `${kind}.${group}` : kind);
    if (namespace && namespace !== application.metadata.namespace) namespaces.add(namespace);
  }
  return {
    labels: { [APPLYSET_ID_LABEL]: owner.applySetId },
    annotations: {
      [APPLYSET_TOOLING_ANNOTATION]: `tautline/${settings.version}`,
      [APPLYSET_KINDS_ANNOTATION]: [...groupKinds].sort().join(','),
      [APPLYSET_NAMESPACES_ANNOTATION]: [...namespaces].sort().join(','),
    },
    namespaces: namespaces.size,
  };
}
