/**
 * Resolves `spec.ignoreDifferences`: adds to each desired object the fields to ignore. The replicas of an object that
 * an autoscaler among the desired objects scales are ignored too.
 *
 * Invariant: an object without a match is returned as it is. Without rules and autoscalers the only cost is a look at
 * the kind of each object.
 */
import type { IgnoreRule } from '../application/schema.ts';
import { digestText } from '../object/digest.ts';
import { groupOf, idKey, type ObjectId } from '../object/identity.ts';
import { parsePath, pathSetOf } from '../object/path-set.ts';
import { stringAt } from '../object/value.ts';
import type { DesiredObject, IgnoredFields } from './desired.ts';

export function resolveIgnored(
  objects: readonly DesiredObject[],
  rules: readonly IgnoreRule[],
): readonly DesiredObject[] {
  const scaled = indexScaled(objects);
  if (rules.length === 0 && scaled.size === 0) return objects;
  const known = new Map<string, IgnoredFields>();
  const indexOf = new Map(rules.map((rule, index) => [rule, index] as const));
  return objects.map((object) => {
    const matching = rules.filter((rule) => isMatch(rule, object.id));
    const isScaled = scaled.has(idKey(object.id));
    if (matching.length === 0 && !isScaled) return object;
    // The key holds rule indexes, not texts: rules may have a megabyte of text, and there may be thousands of objects.
    const key = `${matching.map((rule) => indexOf.get(rule)).join()} ${isScaled}`;
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
  const paths = pointers.map(parsePath);
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
  /** API version and kind of a target that does not set them. */
  readonly targetApiVersion: string;
  readonly targetKind: string;
}

/** By kind: autoscalers, which set `spec.replicas` of the object in `spec.scaleTargetRef`, in their own namespace. */
const AUTOSCALERS: Readonly<Record<string, Autoscaler>> = {
  HorizontalPodAutoscaler: { group: 'autoscaling', targetApiVersion: '', targetKind: '' },
  ScaledObject: { group: 'keda.sh', targetApiVersion: 'apps/v1', targetKind: 'Deployment' },
};

/** `idKey` of the objects whose replicas an autoscaler sets. */
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
