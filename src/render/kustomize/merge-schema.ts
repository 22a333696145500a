/**
 * The schema of strategic merges: which lists are merged, and by which keys. By default it is the schema that kustomize
 * embeds; a kustomization may bring its own (`openapi.path`).
 *
 * Invariant: a list that is not in the schema is replaced, not merged.
 */
import { textOf, type YamlMap } from '../../object/yaml/node.ts';
import { MERGE_SCHEMA_TABLE } from './merge-schema-table.ts';

/** One type: its fields that are merged lists, or that contain merged lists. `*` stands for all other fields. */
export type MergeType = Readonly<Record<string, MergeChild>>;

/**
 * A field: the keys of a list, separated by spaces (empty for a set of scalars); or the keys and the type of the
 * elements; or the type of a map. Types are indices into `MergeSchema.types`.
 */
type MergeChild = string | readonly [string, number] | number;

export interface MergeSchema {
  /** Index into `types` by `apiVersion/kind`; -1 for a kind without merged lists. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Index into `types` by the name of the definition, for schemas that refer to it. */
  readonly names: Readonly<Record<string, number>>;
  readonly types: readonly MergeType[];
}

/** The schema of one field: the merge keys of its list, and the type of its map or of its elements. */
export interface FieldSchema {
  /** Undefined: the list is replaced. Empty: the list is a set of scalars. */
  readonly keys: readonly string[] | undefined;
  readonly type: MergeType | undefined;
}

/** The schema that kustomize embeds. */
export function readBuiltInSchema(): MergeSchema {
  return JSON.parse(MERGE_SCHEMA_TABLE) as MergeSchema;
}

/** The type of an object by its apiVersion and kind; undefined if either is missing or unknown. */
export function typeOfObject(schema: MergeSchema, object: YamlMap): MergeType | undefined {
  const kind = textOf(object.get('kind'));
  const apiVersion = textOf(object.get('apiVersion'));
  if (kind === '' || apiVersion === '') return undefined;
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(schema.kinds, key) ? schema.types[schema.kinds[key] as number] : undefined;
}

export function fieldSchema(schema: MergeSchema, type: MergeType | undefined, field: string): FieldSchema {
  const child = type === undefined ? undefined : Object.hasOwn(type, field) ? type[field] : type['*'];
  if (child === undefined) return UNKNOWN_FIELD;
  if (typeof child === 'number') return { keys: undefined, type: schema.types[child] };
  const [keys, element] = typeof child === 'string' ? [child, undefined] : child;
  return { keys: keys === '' ? [] : keys.split(' '), type: element === undefined ? undefined : schema.types[element] };
}

export const UNKNOWN_FIELD: FieldSchema = { keys: undefined, type: undefined };
