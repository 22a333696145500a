/**
 * `spec.ignoreDifferences` resolved: which fields of which desired object are ignored, the replicas that an autoscaler
 * among the desired objects sets included.
 *
 * Invariant: an object that nothing matches stays the very object it was, and without rules and autoscalers nothing is
 * done for any object but a look at its kind.
 */
import type { IgnoreRule } from '../application/schema.ts';
import { digestText } from '../object/digest.ts';
import { groupOf, idKey, type ObjectId } from '../object/identity.ts';
import { pathSetOf } from '../object/path-set.ts';
import { parsePointer } from '../object/pointer.ts';
import { stringAt } from '../object/value.ts';
import type { DesiredObject, IgnoredFields } from './desired.ts';

export function resolveIgnored(
  objects: readonly DesiredObject[],
  rules: readonly IgnoreRule[],
): readonly DesiredObject[] {
  const scaled = indexScaled(objects);
  if (rules.length === 0 && scaled.size === 0) return objects;
  const known = new Map<string, IgnoredFields>();
  const placeOf = new Map(rules.map((rule, at) => [rule, at] as const));
  return objects.map((object) => {
    const matching = rules.filter((rule) => isMatch(rule, object.id));
    const isScaled = scaled.has(idKey(object.id));
    if (matching.length === 0 && !isScaled) return object;
    // By the rules' places: their texts may be a megabyte, and the objects thousands.
    const key = `${matching.map((rule) => placeOf.get(rule)).join()} ${isScaled}`;
    const ignored = known.get(key) ?? fieldsOf(matching, isScaled);
    known.set(key, ignored);
    return { ...object, ignored };
  });
}

const REPLICAS = '/spec/replicas';

function fieldsOf(rules: readonly IgnoreRule[], isScaled: boolean): IgnoredFields {
  const pointers = rules.flatMap(({ jsonPointers = [] }) => jsonPointers);
  if (isScaled) pointers.push(REPLICAS);
  const managers = rules.flatMap((rule) => rule.managers ?? []);
  const paths = pointers.map(parsePointer);
  const digest = digestText(JSON.stringify([pointers, managers]));
  return { paths, pathSet: pathSetOf(paths), managers, digest };
}

function isMatch(rule: IgnoreRule, id: ObjectId): boolean {
  return MATCHED.every((field) => {
    const wanted = rule[field];
    return wanted === undefined || wanted === '*' || wanted === id[field];
  });
}

const MATCHED = ['kind', 'group', 'name', 'namespace'] as const;

interface Autoscaler {
  readonly group: string;
  /** What a target that says none is of. */
  readonly targetApiVersion: string;
  readonly targetKind: string;
}

/** By kind: who sets `spec.replicas` of the object that its `spec.scaleTargetRef` names, in its own namespace. */
const AUTOSCALERS: Readonly<Record<string, Autoscaler>> = {
  HorizontalPodAutoscaler: { group: 'autoscaling', targetApiVersion: '', targetKind: '' },
  ScaledObject: { group: 'keda.sh', targetApiVersion: 'apps/v1', targetKind: 'Deployment' },
};

/** `idKey` of all objects that an autoscaler sets the replicas of. */
function indexScaled(objects: readonly DesiredObject[]): Set<string> {
  const scaled = new Set<string>();
  for (const { id, body } of objects) {
    const autoscaler = Object.hasOwn(AUTOSCALERS, id.kind) ? AUTOSCALERS[id.kind] : undefined;
    if (autoscaler?.group !== id.group) continue;
    const group = groupOf(stringAt(body, 'spec', 'scaleTargetRef', 'apiVersion') ?? autoscaler.targetApiVersion);
    const kind = stringAt(body, 'spec', 'scaleTargetRef', 'kind') ?? autoscaler.targetKind;
    const name = stringAt(body, 'spec', 'scaleTargetRef', 'name') ?? '';
    scaled.add(idKey({ group, kind, namespace: id.namespace, name }));
  }
  return scaled;
}
