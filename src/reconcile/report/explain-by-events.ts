/**
 * Why objects are not well, by the Events of their namespace: one list for all of them, as the account of the
 * Application.
 *
 * Invariants: nothing is asked while all objects are well; a namespace is asked again only when its unwell objects or
 * their Pods have changed, or after a while, since some Events change no object; a pass asks for a few namespaces at
 * most. Events of Secrets and of sealed objects are not quoted. Where Events may not be listed, health is told without.
 */
import type { DesiredObject } from '../../bind/desired.ts';
import { kindKey, type Kinds } from '../../cluster/kinds.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { causeOf, withCause, type Cause } from '../../health/causes.ts';
import { assessHealth, type Health } from '../../health/health.ts';
import { digestText } from '../../object/digest.ts';
import { idKey } from '../../object/identity.ts';
import type { Pass } from '../pass.ts';

/** Namespaces that one pass asks for Events. */
const MAX_NAMESPACES = 4;
/** Warnings that are read of one namespace. */
const MAX_EVENTS = 500;
/** While its objects are the same, a namespace is asked again after this time. */
const ASK_AGAIN_MS = 30_000;
/** And not sooner than this, however often they change. */
const LEAST_PAUSE_MS = 5_000;

export interface UnwellObject {
  readonly object: DesiredObject;
  readonly live: LiveObject;
  /** Its Pods, as far as they were listed. */
  readonly pods: readonly LiveObject[];
}

export interface EventQuestion {
  readonly kinds: Kinds;
  readonly unwell: readonly UnwellObject[];
  /** By `idKey`; the sentences of unwell objects are replaced. */
  readonly health: Map<string, Health>;
}

export async function explainByEvents(pass: Pass, { kinds, unwell, health }: EventQuestion): Promise<void> {
  const { byNamespace } = pass.memory.causes;
  const quotable = unwell.filter(
    ({ object }) => !object.isSealed && object.id.kind !== 'Secret' && object.id.namespace,
  );
  const groups = Map.groupBy(quotable, ({ object }) => object.id.namespace);
  for (const namespace of byNamespace.keys()) if (!groups.has(namespace)) byNamespace.delete(namespace);
  let asked = 0;
  for (const [namespace, objects] of groups) {
    const isDue = asked < MAX_NAMESPACES && isToBeAsked(pass, namespace, objects);
    if (isDue) asked += 1;
    const causes = isDue ? await ask(pass, { kinds, namespace, objects }) : byNamespace.get(namespace)?.causes;
    if (causes) explain(objects, { causes, health });
  }
}

function explain(
  objects: readonly UnwellObject[],
  { causes, health }: { readonly causes: readonly Cause[]; readonly health: Map<string, Health> },
): void {
  for (const { object, live, pods } of objects) {
    const key = idKey(object.id);
    const known = health.get(key);
    if (!known) continue;
    const poorly = pods.filter((pod) => assessHealth(pod).status !== 'Healthy');
    const { kind, name } = object.id;
    const troubled = { kind, name, uid: live.uid, pods: poorly.map(({ id, uid }) => ({ name: id.name, uid })) };
    health.set(key, withCause(known, troubled, causes));
  }
}

function isToBeAsked({ context, memory }: Pass, namespace: string, objects: readonly UnwellObject[]): boolean {
  const known = memory.causes.byNamespace.get(namespace);
  if (!known) return true;
  const agoMs = context.clock.monotonicMs() - known.askedMs;
  return agoMs >= (known.mark === markOf(objects) ? ASK_AGAIN_MS : LEAST_PAUSE_MS);
}

/** Changes with every unwell object and every one of their Pods. */
function markOf(objects: readonly UnwellObject[]): string {
  const versions = objects.flatMap(({ live, pods }) =>
    [live, ...pods].map(({ uid, resourceVersion }) => `${uid} ${resourceVersion}`),
  );
  return digestText(versions.sort().join('\n'));
}

interface Question {
  readonly kinds: Kinds;
  readonly namespace: string;
  readonly objects: readonly UnwellObject[];
}

/** A refusal is remembered as no Events, so that it is not repeated in every pass. */
async function ask(pass: Pass, { kinds, namespace, objects }: Question): Promise<readonly Cause[]> {
  const { context, identity, memory, target } = pass;
  const eventKind = kinds.served.get(kindKey('v1', 'Event'));
  if (!eventKind) return [];
  const selection = { namespace, fieldSelector: 'type=Warning', limit: MAX_EVENTS };
  const answer = await target.as(identity).listBySelector(eventKind, selection);
  const causes = answer.ok ? answer.objects.map(({ body }) => causeOf(body)) : [];
  const askedMs = context.clock.monotonicMs();
  memory.causes.byNamespace.set(namespace, { askedMs, mark: markOf(objects), causes });
  return causes;
}
