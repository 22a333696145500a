/**
 * The suffix that a generated ConfigMap or Secret gets from its content, the very one that kustomize computes (so its
 * oddities are kept: the name takes no part, and `<`, `>` and `&` are hashed as Go escapes them in JSON).
 */
import { createHash } from 'node:crypto';
import { isYamlMap, nodeToValue, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { isMap, newMap, type Value } from '../../object/value.ts';
import type { ResourceSet } from './resource-set.ts';
import { change } from './resource-set.ts';
import { metadataOf, rememberId, setName } from './resource.ts';

/** Appends the hash to the name of everything that wants one. */
export function hashNames(set: ResourceSet): void {
  for (const resource of set.all) {
    if (!resource.needsHash) continue;
    const name = textOf(metadataOf(resource).get('name'));
    change(set, resource, () => {
      rememberId(resource);
      setName(resource, `${name}-${contentHash(resource.node)}`);
    });
  }
}

export function contentHash(node: YamlMap): string {
  const digest = createHash('sha256')
    .update(goJson(hashedValue(node)))
    .digest('hex');
  return digest.slice(0, 10).replace(/[013ae]/g, (char) => REPLACED[char] ?? char);
}

/** Characters that could make a word are replaced. */
const REPLACED: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };

function hashedValue(node: YamlMap): Value {
  const kind = textOf(node.get('kind'));
  const extra = kind === 'Secret' ? 'stringData' : 'binaryData';
  if (kind !== 'ConfigMap' && kind !== 'Secret') return nodeToValue(node);
  const value = newMap([
    ['data', field(node.get('data'))],
    ['kind', kind],
    ['name', ''],
  ]);
  if (kind === 'Secret') value['type'] = field(node.get('type'));
  if (isYamlMap(node.get(extra))) value[extra] = field(node.get(extra));
  return value;
}

function field(node: YamlNode | undefined): Value {
  return isYamlMap(node) ? nodeToValue(node) : textOf(node);
}

/** JSON as Go writes it: keys sorted, HTML and line separators escaped, numbers as doubles. */
function goJson(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (isMap(value)) {
    const members = Object.keys(value)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((key) => `${goJson(key)}:${goJson(value[key] as Value)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'bigint') return JSON.stringify(Number(value));
  return JSON.stringify(value).replace(/[<>&\u2028\u2029\u007f]|\\[bf]/g, (char) => GO_ESCAPES[char] ?? char);
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};
