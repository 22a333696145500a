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
  if (!/^\s*[{[]/.test(original)) return writeYaml(nodeToValue(node), 'as they are').trim();
  return formatJson(node, original.includes('\n') && original.includes('  ') ? '\n' : undefined);
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
