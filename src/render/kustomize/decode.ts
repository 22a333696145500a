/**
 * Turns trees into typed structures as Go's JSON decoder does for kustomize: names of fields without regard to case, no
 * unknown fields, no text where a number is wanted nor the other way round, null and missing as the zero value.
 */
import { isNothing, isText, isYamlList, isYamlMap, textOf, type YamlNode } from '../../object/yaml/node.ts';
import { fail } from '../fail.ts';

export interface Decoder<T> {
  /** The value where nothing is said. */
  readonly zero: () => T;
  /** `where` is the path of the node, for messages. */
  readonly read: (node: YamlNode, where: string, unknown: Unknown) => T;
}

/** What a field that is not known does. */
type Unknown = 'refuse' | 'ignore';

export type Decoded<D> = D extends Decoder<infer T> ? T : never;

export function decode<T>(
  decoder: Decoder<T>,
  node: YamlNode | undefined,
  where: string,
  unknown: Unknown = 'refuse',
): T {
  return node === undefined || isNothing(node) ? decoder.zero() : decoder.read(node, where, unknown);
}

export const text: Decoder<string> = {
  zero: () => '',
  read: (node, where) => (isText(node) ? textOf(node) : wrong(where, 'a string', node)),
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

/** A tree that is taken as it is. */
export const anything: Decoder<YamlNode | undefined> = { zero: () => undefined, read: (node) => node };

export function list<T>(item: Decoder<T>): Decoder<T[]> {
  return {
    zero: () => [],
    read: (node, where, unknown) => {
      if (!isYamlList(node)) return wrong(where, 'a list', node);
      return node.map((element, index) => decode(item, element, `${where}[${index}]`, unknown));
    },
  };
}

/** A map of texts; undefined where nothing is said. */
export const texts: Decoder<Map<string, string> | undefined> = {
  zero: () => undefined,
  read: (node, where) => {
    if (!isYamlMap(node)) return wrong(where, 'a map', node);
    return new Map([...node].map(([key, value]) => [key, decode(text, value, `${where}.${key}`)]));
  },
};

/** Like the decoder, but tells "nothing is said" from the zero value. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return { zero: () => undefined, read: decoder.read };
}

type Fields = Readonly<Record<string, Decoder<unknown>>>;

export type Struct<F extends Fields> = { readonly [K in keyof F]: F[K] extends Decoder<infer T> ? T : never };

/** A map with these fields. */
export function struct<F extends Fields>(fields: F): Decoder<Struct<F>> {
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const zero = (): Record<string, unknown> => {
    const result: Record<string, unknown> = {};
    for (const [name, decoder] of Object.entries(fields)) result[name] = decoder.zero();
    return result;
  };
  return {
    zero: () => zero() as Struct<F>,
    read: (node, where, unknown) => {
      if (!isYamlMap(node)) return wrong(where, 'a map', node);
      const result = zero();
      // Spellings that differ in case only: the last in byte order counts, as kustomize sorts the keys before.
      for (const key of [...node.keys()].sort()) {
        const name = names.get(key.toLowerCase());
        const at = where === '' ? key : `${where}.${key}`;
        if (name === undefined) {
          if (unknown === 'ignore') continue;
          fail('KustomizationInvalid', `the field "${at}" is unknown`);
        }
        const decoder = fields[name] as Decoder<unknown>;
        const value = node.get(key) as YamlNode;
        if (!isNothing(value)) result[name] = decoder.read(value, at, unknown);
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
    `${where || 'the file'} must be ${wanted}, and is ${found}`,
    wanted === 'a string' ? hint : {},
  );
}
