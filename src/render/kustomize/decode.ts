/**
 * Decodes trees into typed structures, as kustomize does with Go's JSON decoder: the case of field names does not
 * matter, and a null or missing field has the zero value. A kustomization is read strictly: unknown fields are refused,
 * and no scalar is converted. In other files a number or boolean becomes a text where a text is wanted (`converting`),
 * and in most of them unknown fields are also ignored (`lenient`).
 */
import { isNothing, isYamlList, isYamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { formatNumber } from '../../object/yaml/write.ts';
import { fail } from '../fail.ts';

export interface Decoder<T> {
  /** The value of a null or missing node. */
  readonly zero: () => T;
  /** `where` is the path of the node, for messages. */
  readonly read: (node: YamlNode, where: string, mode: Mode) => T;
}

/** `exact` ignores unknown fields and converts nothing. */
type Mode = 'strict' | 'converting' | 'lenient' | 'exact';

export type Decoded<D> = D extends Decoder<infer T> ? T : never;

export function decode<T>(decoder: Decoder<T>, node: YamlNode | undefined, where: string, mode: Mode = 'strict'): T {
  return node === undefined || isNothing(node) ? decoder.zero() : decoder.read(node, where, mode);
}

export const text: Decoder<string> = {
  zero: () => '',
  read: (node, where, mode) => {
    // The value of a date is a text too.
    const value = scalarValue(node);
    if (typeof value === 'string') return value;
    if (mode === 'strict' || mode === 'exact') return wrong(where, 'a string', node);
    if (typeof value === 'number') return formatNumber(value);
    if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
    return wrong(where, 'a string', node);
  },
};

export const flag: Decoder<boolean> = {
  zero: () => false,
  read: (node, where) => {
    const value = scalarValue(node);
    return typeof value === 'boolean' ? value : wrong(where, 'true or false', node);
  },
};

export const integer: Decoder<number> = {
  zero: () => 0,
  read: (node, where) => {
    const value = scalarValue(node);
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong(where, 'an integer', node);
  },
};

/** Any tree, returned unchanged. */
export const anything: Decoder<YamlNode | undefined> = { zero: () => undefined, read: (node) => node };

export function list<T>(item: Decoder<T>): Decoder<T[]> {
  return {
    zero: () => [],
    read: (node, where, mode) => {
      if (!isYamlList(node)) return wrong(where, 'a list', node);
      return node.map((element, index) => decode(item, element, `${where}[${index}]`, mode));
    },
  };
}

/** A map of texts; undefined if it is null or missing. */
export const texts: Decoder<Map<string, string> | undefined> = {
  zero: () => undefined,
  read: (node, where, mode) => {
    if (!isYamlMap(node)) return wrong(where, 'a map', node);
    return new Map([...node].map(([key, value]) => [key, decode(text, value, `${where}.${key}`, mode)]));
  },
};

/** The same decoder, but with undefined for a null or missing node. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return { zero: () => undefined, read: decoder.read };
}

/** A field of a Go struct that is embedded in another one: its scalars are never converted. */
export function embedded<T>(decoder: Decoder<T>): Decoder<T> {
  const inner = (mode: Mode): Mode => (mode === 'strict' || mode === 'converting' ? 'strict' : 'exact');
  return { zero: decoder.zero, read: (node, where, mode) => decoder.read(node, where, inner(mode)) };
}

type Fields = Readonly<Record<string, Decoder<unknown>>>;

export type Struct<F extends Fields> = { readonly [K in keyof F]: F[K] extends Decoder<infer T> ? T : never };

/** A map with the given fields. */
export function struct<F extends Fields>(fields: F): Decoder<Struct<F>> {
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const zero = (): Record<string, unknown> => {
    const result: Record<string, unknown> = {};
    for (const [name, decoder] of Object.entries(fields)) result[name] = decoder.zero();
    return result;
  };
  return {
    zero: () => zero() as Struct<F>,
    read: (node, where, mode) => {
      if (!isYamlMap(node)) return wrong(where, 'a map', node);
      const result = zero();
      // kustomize sorts the keys first, so of spellings that differ only in case the last in byte order counts.
      for (const key of [...node.keys()].sort()) {
        const name = names.get(key.toLowerCase());
        const at = where === '' ? key : `${where}.${key}`;
        if (name === undefined) {
          if (mode === 'lenient' || mode === 'exact') continue;
          fail('KustomizationInvalid', `the field "${at}" is unknown`);
        }
        const decoder = fields[name] as Decoder<unknown>;
        const value = node.get(key) as YamlNode;
        if (!isNothing(value)) result[name] = decoder.read(value, at, mode);
      }
      return result as Struct<F>;
    },
  };
}

function scalarValue(node: YamlNode): unknown {
  return typeof node === 'object' && !isYamlMap(node) && !isYamlList(node) ? node.value : node;
}

function wrong(where: string, wanted: string, node: YamlNode): never {
  const found = isYamlMap(node)
    ? 'a map'
    : isYamlList(node)
      ? 'a list'
      : typeof scalarValue(node) === 'string'
        ? 'a string'
        : `a ${typeof scalarValue(node)}`;
  const hint = found === 'a number' || found === 'a boolean' ? { hint: 'Put it in quotes.' } : {};
  return fail(
    'KustomizationInvalid',
    `${where || 'the file'} must be ${wanted}, but is ${found}`,
    wanted === 'a string' ? hint : {},
  );
}
