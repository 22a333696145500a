/**
 * Compares two outputs of helm for the same input. A chart whose output varies would change the cluster with each
 * render: it would rotate passwords and certificates.
 *
 * Invariant: only names of objects and fields are shown, never a value.
 */
import { idOf, idKey } from '../../object/identity.ts';
import { isKubeObject, isMap, type Value } from '../../object/value.ts';
import { fail } from '../fail.ts';
import type { BuiltObject } from '../built-object.ts';

/** Fields that a message names. */
const MAX_NAMED = 5;

/** Fails with NonDeterministic, and names the fields that differ. */
export function checkSameOutput(first: readonly BuiltObject[], second: readonly BuiltObject[]): void {
  const differing: { readonly text: string; readonly file: string }[] = [];
  const others = new Map(second.map((built) => [keyOf(built), built]));
  for (const built of first) {
    const other = others.get(keyOf(built));
    others.delete(keyOf(built));
    if (other?.digest === built.digest) continue;
    const fields = other === undefined ? ['metadata.name'] : differingFields(built.object, other.object);
    for (const field of fields) differing.push({ text: `${nameOf(built)} ${field}`, file: built.file });
  }
  for (const built of others.values()) differing.push({ text: `${nameOf(built)} metadata.name`, file: built.file });
  const [one] = differing;
  if (one === undefined) return;
  const named = differing.slice(0, MAX_NAMED).map(({ text }) => text);
  const more = differing.length > named.length ? ` and ${differing.length - named.length} more` : '';
  fail('NonDeterministic', `the chart prints something else each time: ${named.join(', ')}${more}`, {
    file: one.file,
    hint: 'Give these values, usually by an existing Secret, so that the chart does not make them up.',
  });
}

function keyOf({ object }: BuiltObject): string {
  return isKubeObject(object) ? idKey(idOf(object)) : '';
}

function nameOf({ object }: BuiltObject): string {
  if (!isKubeObject(object)) return 'an object';
  const { kind, name } = idOf(object);
  return `${kind} ${name}`;
}

/** Paths such as `data.password` and `spec.template.spec.containers[0].env`; a list of another length counts once. */
function differingFields(first: Value, second: Value, path = ''): string[] {
  if (Object.is(first, second)) return [];
  if (isMap(first) && isMap(second)) {
    const keys = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return keys.flatMap((key) => {
      const [a, b] = [first[key], second[key]];
      const at = path === '' ? key : `${path}.${key}`;
      return a === undefined || b === undefined ? [at] : differingFields(a, b, at);
    });
  }
  if (Array.isArray(first) && Array.isArray(second) && first.length === second.length) {
    return first.flatMap((item, index) => differingFields(item, second[index] as Value, `${path}[${index}]`));
  }
  return [path];
}
