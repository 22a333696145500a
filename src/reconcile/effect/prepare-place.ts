/**
 * The places that must be ready before the first effect: the marks on the Application, and the destination namespace.
 */
import {
  APPLYSET_ID_LABEL,
  APPLYSET_KINDS_ANNOTATION,
  APPLYSET_NAMESPACES_ANNOTATION,
  APPLYSET_TOOLING_ANNOTATION,
  PRUNE_FINALIZER,
} from '../../application/keys.ts';
import type { Application, ApplicationMetadata } from '../../application/schema.ts';
import { ensureNamespace } from '../../apply/namespace.ts';
import type { Desired } from '../../bind/desired.ts';
import { isOutOfReach, OUT_OF_REACH, reachOf } from '../../bind/reach.ts';
import type { ApplicationClient, Cluster } from '../../cluster/ports.ts';
import { annotationsOf, labelsOf, type ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { listAt } from '../../object/value.ts';
import type { ReconcileContext } from '../context.ts';
import type { Memory } from '../memory.ts';
import type { Pass } from '../pass.ts';
import { adoptAnswer, type Adopter } from '../report/status-writer.ts';

/** The part of a pass that marks its Application. `base` is replaced by the answer. */
export interface Marking extends Pick<Pass, 'owner'>, Adopter {
  readonly application: { readonly metadata: Pick<ApplicationMetadata, 'namespace'> };
  readonly context: {
    readonly hub: { readonly applications: Pick<ApplicationClient, 'applyMetadata'> };
    readonly settings: Pick<ReconcileContext['settings'], 'version'>;
  };
}

/**
 * Writes finalizer, ApplySet id and the kinds and namespaces of the set (KEP-3659) on the Application, if they differ
 * from what is stored. `ids` is the inventory: the union of old and new before the effects, the exact set afterwards.
 */
export async function markParent(pass: Marking, ids: Iterable<ObjectId>): Promise<void> {
  const { base, owner, context, application } = pass;
  const groupKinds = new Set<string>();
  const namespaces = new Set<string>();
  for (const { group, kind, namespace } of ids) {
    groupKinds.add(group ? `${kind}.${group}` : kind);
    if (namespace && namespace !== application.metadata.namespace) namespaces.add(namespace);
  }
  const labels = { [APPLYSET_ID_LABEL]: owner.applySetId };
  const annotations = {
    [APPLYSET_TOOLING_ANNOTATION]: `tautline/${context.settings.version}`,
    [APPLYSET_KINDS_ANNOTATION]: [...groupKinds].sort().join(','),
    [APPLYSET_NAMESPACES_ANNOTATION]: [...namespaces].sort().join(','),
  };
  const isWritten =
    listAt(base.metadata, 'finalizers').includes(PRUNE_FINALIZER) &&
    includesAll(labelsOf(base), labels) &&
    includesAll(annotationsOf(base), annotations);
  if (isWritten) return;
  const answer = await context.hub.applications.applyMetadata(base, {
    finalizers: [PRUNE_FINALIZER],
    labels,
    annotations,
  });
  adoptAnswer(pass, answer);
}

/** The part of a pass that creates its destination namespace. */
export interface Placing extends Pick<Pass, 'identity'> {
  readonly application: Pick<Application, 'metadata' | 'spec'>;
  readonly memory: Pick<Memory, 'place'>;
  readonly target: Pick<Cluster, 'as'>;
  readonly context: { readonly settings: Pick<ReconcileContext['settings'], 'allowCrossNamespace'> };
}

/** Creates the destination namespace if the spec asks for it and the manifests do not contain it. */
export async function createDestination(pass: Placing, desired: Pick<Desired, 'objects'>): Promise<void> {
  const { application, context, identity, memory, target } = pass;
  const { metadata, spec } = application;
  const { destination } = spec;
  const name = destination.namespace;
  if (!destination.createNamespace || name === undefined || memory.place.isNamespaceKnown) return;
  const isDesired = desired.objects.some(({ id }) => id.group === '' && id.kind === 'Namespace' && id.name === name);
  if (isDesired) return;
  if (isOutOfReach({ namespace: name }, reachOf(identity, metadata, context.settings))) {
    throw new StageError({
      stage: 'apply',
      code: 'NamespaceNotAllowed',
      retry: 'never',
      message: `namespace ${name}: ${OUT_OF_REACH}`,
    });
  }
  const answer = await ensureNamespace(target.as(identity), name);
  if (!answer.ok) {
    const { code, message, retry } = answer.refusal;
    throw new StageError({ stage: 'apply', code, retry, message: `namespace ${name}: ${message}` });
  }
  memory.place.isNamespaceKnown = true;
}

function includesAll(have: Record<string, string>, want: Record<string, string>): boolean {
  return Object.entries(want).every(([key, value]) => have[key] === value);
}
