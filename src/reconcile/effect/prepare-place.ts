/**
 * The places that must be ready before the first effect: the marks on the Application, and the destination namespace.
 */
import { PRUNE_FINALIZER } from '../../application/keys.ts';
import { ensureNamespace } from '../../apply/namespace.ts';
import type { Desired } from '../../bind/desired.ts';
import { isOutOfReach, OUT_OF_REACH, reachOf } from '../../bind/reach.ts';
import type { ObjectId } from '../../object/identity.ts';
import { annotationsOf, labelsOf } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { listAt } from '../../object/value.ts';
import { parentMarks } from '../decide/parent-marks.ts';
import type { Pass } from '../pass.ts';
import { adoptAnswer, writeGuarded } from '../report/status-writer.ts';

/**
 * Writes finalizer, ApplySet id and the kinds and namespaces of the set (KEP-3659) on the Application, if they differ
 * from what is stored. `ids` is the inventory: the union of old and new before the effects, the exact set afterwards.
 */
export async function markParent(pass: Pass, ids: Iterable<ObjectId>): Promise<void> {
  const { base, context } = pass;
  const { labels, annotations } = parentMarks(pass, ids);
  const isWritten =
    listAt(base.metadata, 'finalizers').includes(PRUNE_FINALIZER) &&
    includesAll(labelsOf(base), labels) &&
    includesAll(annotationsOf(base), annotations);
  if (isWritten) return;
  const marks = { finalizers: [PRUNE_FINALIZER], labels, annotations };
  adoptAnswer(pass, await writeGuarded(pass, (stored) => context.hub.applications.applyMetadata(stored, marks)));
}

/** Creates the destination namespace if the spec asks for it and the manifests do not contain it. */
export async function createDestination(pass: Pass, desired: Desired): Promise<void> {
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
