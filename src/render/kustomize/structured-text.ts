/**
 * Writes a tree back into the text that it was read from: a field that holds JSON or YAML.
 *
 * Invariant: JSON comes out as Go writes it, keys sorted; YAML keeps the order of its keys. (kustomize keeps quotes and
 * comments of YAML as well, here they are lost.)
 */
import { isYamlList, isYamlMap, nodeToValue, type YamlNode } from '../../object/yaml/node.ts';
import { writeYaml } from '../../object/yaml/write.ts';

/** JSON stays JSON, indented if it was. */
export function writeStructured(node: YamlNode, original: string): string {
  if (!/^\s*[{[]/.test(original)) return writeYaml(nodeToValue(node), 'as they are').trim();
  return formatJson(node, original.includes('\n') && original.includes('  ') ? '\n' : undefined);
}

/** `lineBreak`: a newline and the indentation of what is around; undefined writes all in one line. */
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

/** Go writes characters that mean something to HTML as escapes. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
