/**
 * The places that must be ready before the first effect: the marks on the Application, and the destination namespace.
 */
import { PRUNE_FINALIZER } from '../../application/keys.ts';
import type { Application, ApplicationMetadata } from '../../application/schema.ts';
import { ensureNamespace } from '../../apply/namespace.ts';
import type { Desired } from '../../bind/desired.ts';
import { isOutOfReach, OUT_OF_REACH, reachOf } from '../../bind/reach.ts';
import type { ApplicationClient, Cluster } from '../../cluster/ports.ts';
import { annotationsOf, labelsOf, type ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { listAt } from '../../object/value.ts';
import type { ReconcileContext } from '../context.ts';
import { parentMarks } from '../decide/parent-marks.ts';
import type { Memory } from '../memory.ts';
import type { Pass } from '../pass.ts';
import { adoptAnswer, writeGuarded, type Adopter } from '../report/status-writer.ts';

/** The part of a pass that marks its Application. `base` is replaced by the answer. */
export interface Marking extends Pick<Pass, 'owner'>, Adopter {
  readonly application: { readonly metadata: Pick<ApplicationMetadata, 'namespace'> };
  readonly context: {
    readonly hub: { readonly applications: Pick<ApplicationClient, 'applyMetadata' | 'read'> };
    readonly settings: Pick<ReconcileContext['settings'], 'version'>;
  };
}

/**
 * Writes finalizer, ApplySet id and the kinds and namespaces of the set (KEP-3659) on the Application, if they differ
 * from what is stored. `ids` is the inventory: the union of old and new before the effects, the exact set afterwards.
 */
export async function markParent(pass: Marking, ids: Iterable<ObjectId>): Promise<void> {
  const { application, base, context, owner } = pass;
  const { labels, annotations } = parentMarks({ application, owner, settings: context.settings }, ids);
  const isWritten =
    listAt(base.metadata, 'finalizers').includes(PRUNE_FINALIZER) &&
    includesAll(labelsOf(base), labels) &&
    includesAll(annotationsOf(base), annotations);
  if (isWritten) return;
  const marks = { finalizers: [PRUNE_FINALIZER], labels, annotations };
  const { applications } = context.hub;
  adoptAnswer(pass, await writeGuarded(pass, applications, (stored) => applications.applyMetadata(stored, marks)));
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
