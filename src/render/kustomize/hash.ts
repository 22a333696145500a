/**
 * The name suffix that a generated ConfigMap or Secret gets from its content, exactly as kustomize computes it: the
 * name is not hashed, and `<`, `>` and `&` are hashed in the form in which Go escapes them in JSON.
 */
import { contentHash as hashOfText } from '../../object/generated-name.ts';
import { isYamlMap, nodeToValue, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { isMap, newMap, type Value } from '../../object/value.ts';
import type { ResourceSet } from './resource-set.ts';
import { change } from './resource-set.ts';
import { metadataOf, recordPreviousId, setName } from './resource.ts';

/** Appends the hash to the names of all objects that are marked for it. */
export function hashNames(set: ResourceSet): void {
  for (const resource of set.all) {
    if (!resource.shouldHashName) continue;
    const name = textOf(metadataOf(resource).get('name'));
    change(set, resource, () => {
      recordPreviousId(resource);
      setName(resource, `${name}-${contentHash(resource.node)}`);
    });
  }
}

export function contentHash(node: YamlMap): string {
  return hashOfText(goJson(hashedValue(node)));
}

function hashedValue(node: YamlMap): Value {
  const kind = textOf(node.get('kind'));
  const extra = kind === 'Secret' ? 'stringData' : 'binaryData';
  if (kind !== 'ConfigMap' && kind !== 'Secret') return nodeToValue(node);
  const value = newMap([
    ['data', fieldValue(node.get('data'))],
    ['kind', kind],
    ['name', ''],
  ]);
  if (kind === 'Secret') value['type'] = fieldValue(node.get('type'));
  if (isYamlMap(node.get(extra))) value[extra] = fieldValue(node.get(extra));
  return value;
}

function fieldValue(node: YamlNode | undefined): Value {
  return isYamlMap(node) ? nodeToValue(node) : textOf(node);
}

/** JSON as Go writes it: keys sorted by bytes, HTML and line separators escaped, numbers as doubles. */
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
