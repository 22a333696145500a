/** The difference of one object as a text, and its desired and live form without values that must not be shown. */
import type { DesiredObject } from '../../bind/desired.ts';
import type { FieldDifference } from '../../diff/changes.ts';
import { stringifyJson } from '../../object/json.ts';
import { isSecret, MASK, maskValue } from '../../object/redact.ts';
import { newMap, type KubeObject, type Value, type ValueMap } from '../../object/value.ts';

/** One line for each field, or the hunks of a text of several lines. */
export function differenceText(fields: readonly FieldDifference[]): string {
  return fields.map(fieldText).join('');
}

function fieldText({ path, live, desired, hunks, manager }: FieldDifference): string {
  const by = manager === undefined ? '' : `   (by ${manager})`;
  if (hunks !== undefined) return `${path}:${by}\n${hunks.endsWith('\n') ? hunks : `${hunks}\n`}`;
  if (live === MASK && desired === MASK) return `${path}: changed${by}\n`;
  return `${path}: ${show(live)} → ${show(desired)}${by}\n`;
}

function show(value: Value | undefined): string {
  return value === undefined ? 'absent' : stringifyJson(value);
}

/** The fields that tell which object it is; they are shown also where all values are masked. */
const NAMES: ReadonlySet<string> = new Set(['apiVersion', 'kind']);

/** Without managedFields. `isSealed`: no value is shown but the names of the object. */
export function shownObject(body: KubeObject, isSealed: boolean): ValueMap {
  const { managedFields: _, ...metadata } = body.metadata;
  const shown: ValueMap = newMap(Object.entries({ ...body, metadata }));
  if (isSealed) return sealed(shown, metadata);
  if (!isSecret(body)) return shown;
  for (const key of ['data', 'stringData']) {
    if (Object.hasOwn(shown, key)) shown[key] = maskValue(shown[key] ?? null);
  }
  return shown;
}

function sealed(object: ValueMap, { name = '', namespace }: ValueMap): ValueMap {
  const entries = Object.entries(object).map(
    ([key, value]) => [key, NAMES.has(key) ? value : maskValue(value)] as const,
  );
  const names = newMap(Object.entries({ name, ...(namespace === undefined ? {} : { namespace }) }));
  return newMap([...entries, ['metadata', names]]);
}

export function shownDesired({ body, isSealed }: Pick<DesiredObject, 'body' | 'isSealed'>): ValueMap {
  return shownObject(body, isSealed === true);
}
