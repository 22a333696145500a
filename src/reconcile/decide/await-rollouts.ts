/**
 * Generated ConfigMaps and Secrets whose content changed: the old one is kept until the workloads that use its
 * successor are rolled out. Until then Pods of the old template may restart, and they start only while it exists.
 */
import type { DesiredObject } from '../../bind/desired.ts';
import type { Change } from '../../diff/changes.ts';
import { assessHealth } from '../../health/health.ts';
import { hasContentHash, stemOf } from '../../object/generated-name.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import { isMap, valueAt, type Value } from '../../object/value.ts';

/** By `idKey`: prunes that wait for a rollout, with the reason. Manifests are read only for such prunes. */
export function awaitRollouts(changes: readonly Change[]): Map<string, string> {
  const waits = new Map<string, string>();
  const left = changes.filter(({ type, desired, id }) => type === 'prune' && !desired && isGenerated(id));
  if (left.length === 0) return waits;
  const rollouts = rolloutsByStem(changes, new Set(left.map(({ id }) => stemOf(id))));
  for (const { id } of left) {
    const workload = rollouts.get(stemOf(id));
    if (workload) waits.set(idKey(id), `kept until ${formatId(workload)} is rolled out`);
  }
  return waits;
}

function isGenerated(id: ObjectId): boolean {
  return id.group === '' && (id.kind === 'ConfigMap' || id.kind === 'Secret') && hasContentHash(id);
}

/** By stem of a successor: the first workload that uses it and is not rolled out. */
function rolloutsByStem(changes: readonly Change[], stems: ReadonlySet<string>): Map<string, ObjectId> {
  const successors = new Map<string, string[]>();
  for (const { desired, id } of changes) {
    const stem = stemOf(id);
    if (!desired || !stems.has(stem)) continue;
    const key = placeOf(id.namespace, id.name);
    successors.set(key, [...(successors.get(key) ?? []), stem]);
  }
  const rollouts = new Map<string, ObjectId>();
  if (successors.size === 0) return rollouts;
  for (const change of changes) {
    const { desired, id } = change;
    const template = desired && podTemplateOf(desired);
    if (template === undefined || isRolledOut(change)) continue;
    for (const text of textsIn(template)) {
      for (const stem of successors.get(placeOf(id.namespace, text)) ?? []) {
        if (!rollouts.has(stem)) rollouts.set(stem, id);
      }
    }
  }
  return rollouts;
}

function placeOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The template of a workload that replaces its Pods when the template changes. A Job does not replace them. */
function podTemplateOf({ id, body }: DesiredObject): Value | undefined {
  return id.group === 'batch' ? undefined : valueAt(body, 'spec', 'template', 'spec');
}

/** An object that this pass is about to write may begin a rollout by that. */
function isRolledOut({ type, live }: Change): boolean {
  return type === 'none' && assessHealth(live).status === 'Healthy';
}

function* textsIn(value: Value): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const item of value) yield* textsIn(item);
  else if (isMap(value)) for (const item of Object.values(value)) yield* textsIn(item);
}
