/**
 * What strategic merge knows of types: which lists are merged and by which keys. For the kinds that kustomize knows it
 * comes from the schema that kustomize embeds; a kustomization may bring its own (`openapi.path`).
 *
 * Invariant: a list of which nothing is known is replaced.
 */
import { textOf, type YamlMap } from '../../object/yaml/node.ts';
import { MERGE_SCHEMA_TABLE } from './merge-schema-table.ts';

/** One type: its fields that are merged lists, or that lead to some. */
export type MergeType = Readonly<Record<string, MergeChild>>;

/** Keys parted by blanks (none: a set of scalars), keys and the type of the elements, or the type of a map. */
type MergeChild = string | readonly [string, number] | number;

export interface MergeSchema {
  /** Index into `types` by `apiVersion/kind`; -1 for a kind of which nothing is merged. */
  readonly kinds: Readonly<Record<string, number>>;
  /** The same by the name of the definition, for schemas that refer to it. */
  readonly names: Readonly<Record<string, number>>;
  readonly types: readonly MergeType[];
}

/** What is known of one field: how its list is merged, and the type of it or of its elements. */
export interface FieldSchema {
  /** Undefined: a list is replaced. Empty: a set of scalars. */
  readonly keys: readonly string[] | undefined;
  readonly type: MergeType | undefined;
}

/** The schema that kustomize embeds. */
export function readBuiltInSchema(): MergeSchema {
  return JSON.parse(MERGE_SCHEMA_TABLE) as MergeSchema;
}

/** The type of an object by its apiVersion and kind; undefined if they are missing or unknown. */
export function typeOfObject(schema: MergeSchema, object: YamlMap): MergeType | undefined {
  const kind = textOf(object.get('kind'));
  const apiVersion = textOf(object.get('apiVersion'));
  if (kind === '' || apiVersion === '') return undefined;
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(schema.kinds, key) ? schema.types[schema.kinds[key] as number] : undefined;
}

export function fieldSchema(schema: MergeSchema, type: MergeType | undefined, field: string): FieldSchema {
  const child = type === undefined ? undefined : Object.hasOwn(type, field) ? type[field] : type['*'];
  if (child === undefined) return UNKNOWN;
  if (typeof child === 'number') return { keys: undefined, type: schema.types[child] };
  const [keys, element] = typeof child === 'string' ? [child, undefined] : child;
  return { keys: keys === '' ? [] : keys.split(' '), type: element === undefined ? undefined : schema.types[element] };
}

export const UNKNOWN: FieldSchema = { keys: undefined, type: undefined };
