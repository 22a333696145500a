/**
 * Writes the text of a field that contains JSON or YAML, after its tree was changed.
 *
 * Invariant: JSON is written as Go writes it, with sorted keys; YAML keeps the order of its keys. (kustomize also keeps
 * quotes and comments of YAML; here they are lost.)
 */
import { isYamlList, isYamlMap, nodeToValue, type YamlNode } from '../../object/yaml/node.ts';
import { writeYaml } from '../../object/yaml/write.ts';

/** `original`: the text of the field before the change. JSON stays JSON, with indentation if it had any. */
export function writeStructured(node: YamlNode, original: string): string {
  if (!/^\s*[{[]/.test(original)) return writeTagged(node, original);
  return formatJson(node, original.includes('\n') && original.includes('  ') ? '\n' : undefined);
}

/** Writes YAML. A scalar with a tag is written as a word that is nowhere else, and then replaced. */
function writeTagged(node: YamlNode, original: string): string {
  let word = 'tagged';
  while (original.includes(word)) word += 'd';
  const scalars: string[] = [];
  const mark = (inner: YamlNode): YamlNode => {
    if (isYamlList(inner)) return inner.map(mark);
    if (isYamlMap(inner)) return new Map(Array.from(inner, ([key, value]) => [key, mark(value)] as const));
    if (typeof inner === 'string' || inner.writtenTag === undefined) return inner;
    scalars.push(`${inner.writtenTag} ${writePlain(inner.text)}`.trimEnd());
    return `${word}-${scalars.length - 1}-end`;
  };
  const text = writeYaml(nodeToValue(hasTag(node) ? mark(node) : node), 'as they are').trim();
  return scalars.length === 0
    ? text
    : text.replace(new RegExp(`${word}-(\\d+)-end`, 'g'), (_, index: string) => scalars[Number(index)] ?? '');
}

function hasTag(node: YamlNode): boolean {
  if (isYamlList(node)) return node.some(hasTag);
  if (isYamlMap(node)) return [...node.values()].some(hasTag);
  return typeof node === 'object' && node.writtenTag !== undefined;
}

/** A text behind a tag, which needs quotes only if its characters do. */
function writePlain(text: string): string {
  const isPlain = /^[^\s#,[\]{}&*!|>'"%@`?:-][^\n]*$/.test(text) || /^[?:-][^\s]/.test(text);
  return text === '' || (isPlain && !/: | #|:$|\s$/.test(text)) ? text : `'${text.replaceAll("'", "''")}'`;
}

/** `lineBreak`: a newline and the indentation of the parent; undefined writes everything on one line. */
function formatJson(node: YamlNode, lineBreak: string | undefined): string {
  const inner = lineBreak === undefined ? undefined : `${lineBreak}  `;
  if (isYamlList(node))
    return bracket(
      '[]',
      lineBreak,
      node.map((item) => (inner ?? '') + formatJson(item, inner)),
    );
  if (isYamlMap(node)) {
    const colon = inner === undefined ? ':' : ': ';
    const keys = [...node.keys()].sort();
    const members = keys.map((key) => `${inner ?? ''}${quote(key)}${colon}${formatJson(node.get(key) ?? '', inner)}`);
    return bracket('{}', lineBreak, members);
  }
  const value = nodeToValue(node);
  return typeof value === 'string' ? quote(value) : String(value);
}

function bracket(brackets: '[]' | '{}', lineBreak: string | undefined, members: readonly string[]): string {
  return members.length === 0 ? brackets : `${brackets[0]}${members.join(',')}${lineBreak ?? ''}${brackets[1]}`;
}

/** Go escapes characters that are special in HTML. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
