/**
 * Makes the JSON Schema of the Application for editors, from the schema of the CustomResourceDefinition. Editors ignore
 * what they do not know, so unlike the API server they would accept a misspelt field; here every object is closed.
 *
 * The rules that compare fields with each other (CEL) have no form in a JSON Schema; the API server checks those.
 */
import { APPLICATION_GROUP, APPLICATION_KIND } from '../object/applyset.ts';
import { buildRootSchema, type SchemaNode } from './crd.ts';
import { VERSION } from './keys.ts';

const TEXTS = { type: 'object', additionalProperties: { type: 'string' } } as const;

/** JSON Schema, draft 7, which the editors' language server for YAML reads. */
export function buildEditorSchema(): object {
  const root = buildRootSchema();
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: APPLICATION_KIND,
    description: root.description,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    additionalProperties: false,
    properties: {
      apiVersion: {
        const: `${APPLICATION_GROUP}/${VERSION}`,
        description: root.properties?.['apiVersion']?.description,
      },
      kind: { const: APPLICATION_KIND, description: root.properties?.['kind']?.description },
      metadata: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string' }, namespace: { type: 'string' }, labels: TEXTS, annotations: TEXTS },
      },
      spec: closed(root.properties?.['spec'] ?? {}),
      status: { type: 'object', description: 'Written by the agent.' },
    },
  };
}

export function printEditorSchema(): string {
  return `${JSON.stringify(buildEditorSchema(), undefined, 2)}\n`;
}

/** A copy without the keywords of Kubernetes, in which no object takes a field that it does not name. */
function closed(node: SchemaNode): object {
  const isOpen = node['x-kubernetes-preserve-unknown-fields'] === true;
  const { properties, items, additionalProperties, ...own } = node;
  const keywords = Object.entries(own).filter(([keyword]) => !keyword.startsWith('x-kubernetes-'));
  return {
    ...Object.fromEntries(keywords),
    ...(properties && { properties: mapValues(properties, closed) }),
    ...(items && { items: closed(items) }),
    ...(additionalProperties && { additionalProperties: closed(additionalProperties) }),
    ...(properties && !isOpen && { additionalProperties: false }),
  };
}

function mapValues(nodes: Readonly<Record<string, SchemaNode>>, change: (node: SchemaNode) => object): object {
  return Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, change(node)]));
}
