/**
 * Prints the field reference from the same structural schema as the CRD. Invariant: every field has a description, and
 * the description of a spec field names its default, since `kubectl explain` only shows descriptions. Otherwise it
 * throws.
 */
import { buildRootSchema, type SchemaNode } from './crd.ts';

/** The reference page as Markdown: one table for spec, one for status. */
export function printFieldReference(): string {
  const root = buildRootSchema();
  const sections = ['spec', 'status'].map((name) => {
    const node = root.properties?.[name] as SchemaNode;
    const rows = listFields(node, name).map(({ path, type, text }) => `| \`${path}\` | ${type} | ${text} |`);
    return [`## ${name}`, '', node.description, '', '| field | type | meaning |', '| --- | --- | --- |', ...rows].join(
      '\n',
    );
  });
  return [
    '<!-- Made by `npm run generate` from src/application/schema.ts. Do not edit. -->',
    '',
    '# Fields of an Application',
    '',
    'Every field of `tautline.dev/v1alpha1` `Application`; `kubectl explain application.spec` shows the same. The guide',
    '[application.md](application.md) explains how they work together.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}

interface FieldRow {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

/** All fields below a node, parents before children, `[]` after a list and `.*` after a map. */
function listFields(node: SchemaNode, path: string): FieldRow[] {
  const required = node.required ?? [];
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const at = `${path}.${name}`;
    const inner = child.items ?? child;
    const below = listFields(inner, child.items ? `${at}[]` : at);
    return [{ path: at, type: describeType(child), text: describeField(child, at, required.includes(name)) }, ...below];
  });
}

function describeField(node: SchemaNode, path: string, isRequired: boolean): string {
  const { description } = node;
  if (!description) throw new TypeError(`field ${path} has no description`);
  const isSpec = path.startsWith('spec.');
  if (isSpec && 'default' in node && !description.includes('Default: ')) {
    throw new TypeError(`the description of ${path} does not name its default`);
  }
  return `${isSpec && isRequired ? '**Required.** ' : ''}${description.replaceAll('|', '\\|')}`;
}

function describeType(node: SchemaNode): string {
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (node.items) return `list of ${describeType(node.items)}`;
  if (node.additionalProperties) return `map of ${describeType(node.additionalProperties)}`;
  return node['format'] === 'date-time' ? 'time' : (node.type ?? 'any');
}
