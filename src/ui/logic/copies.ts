/** Texts that a person copies from a difference: an ignore rule for the Application, and a patch. */
import type { FieldView, ObjectView } from '../../server/api/schema.ts';
import type { ObjectNames } from './object-key.ts';
import { yamlOf } from './yaml-text.ts';

/** An entry of `spec.ignoreDifferences` for these fields of the object. */
export function ignoreRuleOf(object: ObjectNames, fields: readonly Pick<FieldView, 'path'>[]): string {
  const { group, kind, namespace, name } = object;
  const names = { group, kind, ...(namespace === '' ? {} : { namespace }), name };
  return yamlOf([{ ...names, jsonPointers: fields.map(({ path }) => path) }]);
}

type Patched = ObjectNames & Pick<ObjectView, 'patch'>;

/** The patch as JSON (RFC 6902). undefined: there is none. */
export function patchTextOf({ patch }: Patched): string | undefined {
  return patch && JSON.stringify(patch, null, 2);
}

/** A command that applies the patch. undefined: there is none. */
export function patchCommandOf(object: Patched): string | undefined {
  if (!object.patch) return undefined;
  const { group, kind, namespace, name } = object;
  const resource = `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
  const place = namespace === '' ? [] : ['-n', namespace];
  return ['kubectl', ...place, 'patch', resource, name, '--type=json', '-p', JSON.stringify(object.patch)]
    .map(quoted)
    .join(' ');
}

/** For a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A value of a field as one line; a long one is cut. */
export function valueText(value: unknown, maxChars = 400): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'absent');
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
