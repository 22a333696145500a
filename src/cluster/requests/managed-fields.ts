/**
 * The `metadata.managedFields` after a take-over of managers or of fields, and after a move to another version. Entries
 * are FieldsV1 sets of sigs.k8s.io/structured-merge-diff.
 *
 * Invariant: a take-over results in exactly one Apply entry of ours, which is the union of ours and of the entries
 * taken over, and every other entry unchanged. The API server would silently use only the last of two entries of ours.
 */
import { isLeaf, type FieldSet } from '../../object/field-set.ts';
import { isTakenOverManager } from '../../object/managers.ts';
import { FIELD_MANAGER } from '../../object/applyset.ts';
import { stringifyJson } from '../../object/json.ts';
import {
  cloneValue,
  isMap,
  listAt,
  newMap,
  own,
  stringAt,
  type KubeObject,
  type Value,
  type ValueMap,
} from '../../object/value.ts';

/** The new managedFields; undefined if there is nothing to take over. `time`: RFC 3339 with whole seconds. */
export function takeOverManagedFields(object: KubeObject, time: string): Value[] | undefined {
  const entries = listAt(object.metadata, 'managedFields');
  const taken = entries.filter(isTakenOver);
  if (taken.length === 0) return undefined;
  return [
    ...entries.filter((entry) => !isOurs(entry) && !isTakenOver(entry)),
    ourEntry(object, { taken: taken.map(fieldsOf), time }),
  ];
}

/**
 * The new managedFields in which these fields are ours alone, so that an apply without them removes them. A member
 * without members of its own stands for its whole value.
 */
export function takeFieldsOf(object: KubeObject, { fields, time }: { fields: FieldSet; time: string }): Value[] {
  const others = listAt(object.metadata, 'managedFields').filter((entry) => !isOurs(entry));
  const left = others.flatMap((entry) => {
    const fieldsV1 = fieldsOf(entry);
    if (!isMap(entry) || !isMap(fieldsV1)) return [entry];
    const kept = withoutFields(fieldsV1, fields);
    return kept ? [{ ...entry, fieldsV1: kept }] : [];
  });
  return [...left, ourEntry(object, { taken: [fields], time })];
}

/** Our one entry: the union of ours and of the fields that are taken. */
function ourEntry(object: KubeObject, { taken, time }: { taken: readonly Value[]; time: string }): Value {
  const ours = listAt(object.metadata, 'managedFields').filter(isOurs);
  const all = [...ours.map(fieldsOf), ...taken];
  return newMap([
    ['manager', FIELD_MANAGER],
    ['operation', 'Apply'],
    ['apiVersion', stringAt(ours[0], 'apiVersion') ?? object.apiVersion],
    ['time', time],
    ['fieldsType', 'FieldsV1'],
    ['fieldsV1', all.reduce<Value>((sum, fields) => unionFields(sum, fields), newMap())],
  ]);
}

/** undefined: nothing is left. */
function withoutFields(set: FieldSet, taken: FieldSet): FieldSet | undefined {
  const left = newMap();
  for (const member of Object.keys(set)) {
    const fields = set[member] ?? null;
    const part = own(taken, member);
    if (!isMap(part) || !isMap(fields)) left[member] = fields;
    else if (!isLeaf(part)) {
      const kept = withoutFields(fields, part);
      if (kept) left[member] = kept;
    }
  }
  return Object.keys(left).length > 0 ? left : undefined;
}

/**
 * The entries with all fields of versions that are gone moved to another one, so that no manager loses a field.
 * undefined: no entry has such a version. Entries of one manager, operation and subresource become one. All are moved
 * at once: the API server empties managedFields at a write that leaves one.
 */
export function moveManagedFields(
  object: KubeObject,
  { isGone, to }: { readonly isGone: (apiVersion: string) => boolean; readonly to: string },
): Value[] | undefined {
  const entries = listAt(object.metadata, 'managedFields');
  if (!entries.some((entry) => isGone(stringAt(entry, 'apiVersion') ?? ''))) return undefined;
  const moved = new Map<string, ValueMap>();
  for (const entry of entries) {
    if (!isMap(entry)) continue;
    const version = stringAt(entry, 'apiVersion') ?? '';
    const apiVersion = isGone(version) ? to : version;
    const key = [...['manager', 'operation', 'subresource'].map((name) => stringAt(entry, name) ?? ''), apiVersion];
    const known = moved.get(stringifyJson(key));
    const fieldsV1 = known ? unionFields(fieldsOf(known), fieldsOf(entry)) : fieldsOf(entry);
    moved.set(stringifyJson(key), newMap(Object.entries({ ...entry, apiVersion, fieldsV1 })));
  }
  return [...moved.values()];
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
