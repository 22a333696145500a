/** Generates the README of the chart. Its table comes from the `# --` comments of values.yaml, one for each value. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';
import { ROOT } from './steps.ts';

interface ValueRow {
  /** For example `image.tag`. */
  readonly path: string;
  /** The default, as JSON. */
  readonly fallback: string;
  readonly description: string;
}

const MARK = ' -- ';

/** Throws if a value has no comment. */
export function readValueRows(text: string): ValueRow[] {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error('values.yaml holds no map');
  return rowsOf(document, document.contents, '');
}

function rowsOf(document: Document, map: YAMLMap, prefix: string): ValueRow[] {
  return map.items.flatMap(({ key, value }, index) => {
    const name = String(key);
    const path = `${prefix}${name}`;
    // The library attaches the comment above the first key of a map to the map, and of a file to the document.
    const above = (key as { commentBefore?: string | null }).commentBefore;
    const first = index === 0 ? (map.commentBefore ?? (prefix === '' ? document.commentBefore : undefined)) : undefined;
    const comment = above ?? first ?? '';
    if (comment.startsWith(MARK)) {
      const description = comment.slice(MARK.length).replaceAll(/\n ?/g, ' ');
      return [
        { path, fallback: JSON.stringify((value as { toJSON(): unknown } | null)?.toJSON() ?? null), description },
      ];
    }
    if (!isMap(value)) throw new Error(`values.yaml: ${path} has no comment '#${MARK}…'`);
    return rowsOf(document, value, `${path}.`);
  });
}

export function printChartReadme(): string {
  const rows = readValueRows(readFileSync(join(ROOT, 'charts/tautline/values.yaml'), 'utf8'));
  const table = rows.map(
    ({ path, fallback, description }) => `| \`${path}\` | \`${fallback}\` | ${description.replaceAll('|', '\\|')} |`,
  );
  return `# The chart of Tautline

The chart installs the agent: one Deployment of one Pod, its rights, and the CustomResourceDefinition of Application.
\`docs/install.md\` explains how to install, upgrade and uninstall it, and which rights it needs.

    helm install tautline charts/tautline --namespace tautline-system --create-namespace

Helm checks the values against \`values.schema.json\`, so a misspelt value is an error. \`npm run generate\` writes this
page from \`values.yaml\`.

| value | default | meaning |
| --- | --- | --- |
${table.join('\n')}
`;
}
