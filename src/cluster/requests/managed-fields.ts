/**
 * The `metadata.managedFields` after a take-over. Entries are FieldsV1 sets of sigs.k8s.io/structured-merge-diff.
 *
 * Invariant: the result holds exactly one Apply entry of ours, which is the union of ours and of the entries taken
 * over, and every other entry unchanged. The API server would silently use only the last of two entries of ours.
 */
import { isTakenOverManager } from '../../object/managers.ts';
import { FIELD_MANAGER } from '../../object/applyset.ts';
import { cloneValue, isMap, listAt, newMap, own, stringAt, type KubeObject, type Value } from '../../object/value.ts';

/** The new managedFields; undefined if there is nothing to take over. `time`: RFC 3339 with whole seconds. */
export function takeOverManagedFields(object: KubeObject, time: string): Value[] | undefined {
  const entries = listAt(object.metadata, 'managedFields');
  const taken = entries.filter(isTakenOver);
  if (taken.length === 0) return undefined;
  const ours = entries.filter(isOurs);
  const union = [...ours, ...taken].reduce<Value>((sum, entry) => unionFields(sum, fieldsOf(entry)), newMap());
  const merged = newMap([
    ['manager', FIELD_MANAGER],
    ['operation', 'Apply'],
    ['apiVersion', stringAt(ours[0], 'apiVersion') ?? object.apiVersion],
    ['time', time],
    ['fieldsType', 'FieldsV1'],
    ['fieldsV1', union],
  ]);
  return [...entries.filter((entry) => !isOurs(entry) && !isTakenOver(entry)), merged];
}

/** The deep union of two FieldsV1 sets, which are maps of maps with `{}` at the leaves. Writes to neither. */
export function unionFields(a: Value, b: Value): Value {
  if (!isMap(a)) return isMap(b) ? cloneValue(b) : newMap();
  const union = cloneValue(a);
  if (!isMap(b)) return union;
  for (const key of Object.keys(b)) union[key] = unionFields(own(union, key) ?? null, own(b, key) ?? null);
  return union;
}

function isOurs(entry: Value): boolean {
  return stringAt(entry, 'manager') === FIELD_MANAGER && (stringAt(entry, 'subresource') ?? '') === '';
}

function isTakenOver(entry: Value): boolean {
  return isTakenOverManager({
    manager: stringAt(entry, 'manager') ?? '',
    operation: stringAt(entry, 'operation') ?? '',
    subresource: stringAt(entry, 'subresource') ?? '',
  });
}

function fieldsOf(entry: Value): Value {
  return isMap(entry) ? (own(entry, 'fieldsV1') ?? null) : null;
}
