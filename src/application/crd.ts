/**
 * Builds the CustomResourceDefinition from the zod schema. Invariant: the result is a structural schema that the API
 * server accepts under strict validation. A part of the zod schema that the CRD cannot hold throws.
 */
import { stringify } from 'yaml';
import { z } from 'zod';
import { APPLICATION_GROUP, APPLICATION_KIND } from '../object/applyset.ts';
import { APPLYSET_PARENT_TYPE_LABEL, CATEGORY, CRD_NAME, PLURAL, SHORT_NAME, SINGULAR, VERSION } from './keys.ts';
import { VALIDATIONS } from './rules.ts';
import { applicationSchema } from './schema.ts';

/** A node of an OpenAPI v3 schema, in the subset of Kubernetes. */
export interface SchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode;
  items?: SchemaNode;
  [keyword: string]: unknown;
}

const PRINTER_COLUMNS = [
  { name: 'Sync', type: 'string', jsonPath: '.status.sync.status' },
  { name: 'Health', type: 'string', jsonPath: '.status.health.status' },
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Revision', type: 'string', jsonPath: '.status.sync.commit' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
];

/** The CRD as YAML, for the committed file and for `tautline crd`. Its first line names its source. */
export function printCrd(): string {
  const origin = '# Made by `npm run generate` from src/application/schema.ts. Do not edit.\n';
  return origin + stringify(buildCrd(), { lineWidth: 120, aliasDuplicateObjects: false });
}

export function buildCrd(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: CRD_NAME, labels: { [APPLYSET_PARENT_TYPE_LABEL]: 'true' } },
    spec: {
      group: APPLICATION_GROUP,
      names: {
        kind: APPLICATION_KIND,
        listKind: `${APPLICATION_KIND}List`,
        plural: PLURAL,
        singular: SINGULAR,
        shortNames: [SHORT_NAME],
        categories: [CATEGORY],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: PRINTER_COLUMNS,
          schema: { openAPIV3Schema: buildRootSchema() },
        },
      ],
    },
  };
}

/** The structural schema of the whole resource, root members included. */
export function buildRootSchema(): SchemaNode {
  const node = toStructuralSchema(applicationSchema);
  return {
    type: 'object',
    description: 'An Application keeps objects of this cluster equal to the manifests in a folder of a Git repository.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of this resource: tautline.dev/v1alpha1.' },
      kind: { type: 'string', description: 'Kind of this resource: Application.' },
      // The API server describes metadata itself and refuses even a description here.
      metadata: { type: 'object' },
      ...node.properties,
    },
  };
}

/** Converts a zod schema. Throws TypeError for parts that have no structural form or would be lost silently. */
export function toStructuralSchema(schema: z.ZodType): SchemaNode {
  refuseLossy(schema, '');
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'throw' });
  return adaptNode(json as SchemaNode, '');
}

/** Keywords that strict decoding refuses, or that have no meaning for the API server. */
const DROPPED_KEYWORDS = ['$schema', 'propertyNames', 'readOnly', 'examples', 'deprecated', 'contentEncoding'];
const NOT_STRUCTURAL = ['$ref', 'anyOf', 'oneOf', 'allOf', 'not', 'uniqueItems'];
const KNOWN_FORMATS = ['int32', 'int64', 'date-time', 'byte', 'double', 'float'];

function adaptNode(node: SchemaNode, path: string): SchemaNode {
  const refused = NOT_STRUCTURAL.find((keyword) => keyword in node);
  if (refused) throw new TypeError(`schema at '${path}' is not structural: it has ${refused}`);
  const result: SchemaNode = { ...node };
  for (const keyword of DROPPED_KEYWORDS) delete result[keyword];
  if (typeof result['format'] === 'string' && !KNOWN_FORMATS.includes(result['format'])) delete result['format'];
  if (result.type === 'integer') adaptInteger(result);
  // The API server checks the format date-time itself.
  if (result['format'] === 'date-time') delete result['pattern'];
  if (result.items) result.items = adaptNode(result.items, `${path}[]`);
  adaptMembers(result, path);
  return result;
}

function adaptMembers(result: SchemaNode, path: string): void {
  if (result.properties) {
    result.properties = Object.fromEntries(
      Object.entries(result.properties).map(([key, child]) => [key, adaptNode(child, path ? `${path}.${key}` : key)]),
    );
  }
  const extra: unknown = result.additionalProperties;
  if (extra === undefined) return;
  if (typeof extra !== 'object' || extra === null) delete result.additionalProperties;
  else if (Object.keys(extra).length > 0) result.additionalProperties = adaptNode(extra as SchemaNode, `${path}.*`);
  else {
    delete result.additionalProperties;
    result['x-kubernetes-preserve-unknown-fields'] = true;
  }
}

function adaptInteger(result: SchemaNode): void {
  const isInt32 = result['maximum'] === 2 ** 31 - 1;
  result['format'] = isInt32 ? 'int32' : 'int64';
  const zodBounds = isInt32 ? [-(2 ** 31), 2 ** 31 - 1] : [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  for (const bound of ['minimum', 'maximum']) if (zodBounds.includes(Number(result[bound]))) delete result[bound];
}

const LEAF_TYPES = ['string', 'number', 'boolean', 'enum', 'literal', 'unknown'];

/** Throws for parts of a zod schema that `z.toJSONSchema` drops silently, or that have no structural form. */
function refuseLossy(schema: z.core.$ZodType, path: string): void {
  const at = (key: string): string => (path ? `${path}.${key}` : key);
  refuseLossyChecks(schema, path);
  if (schema instanceof z.ZodObject) {
    for (const [key, child] of Object.entries(schema.shape)) refuseLossy(child as z.core.$ZodType, at(key));
  } else if (schema instanceof z.ZodArray) refuseLossy(schema.element, `${path}[]`);
  else if (schema instanceof z.ZodRecord) refuseLossy(schema.valueType, at('*'));
  else if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    refuseLossy(schema.unwrap(), path);
  } else if (!LEAF_TYPES.includes(schema._zod.def.type)) {
    throw new TypeError(`schema at '${path}' is a ${schema._zod.def.type}, which the CRD cannot hold`);
  }
}

function refuseLossyChecks(schema: z.core.$ZodType, path: string): void {
  const checks = (schema._zod.def.checks ?? []).map((check) => check._zod.def);
  const hasFlags = checks.some((check) => 'pattern' in check && check.pattern instanceof RegExp && check.pattern.flags);
  const rules = z.globalRegistry.get(schema)?.[VALIDATIONS];
  const ruleCount = Array.isArray(rules) ? rules.length : 0;
  const lost = checks.some((check) => check.check === 'overwrite')
    ? 'a check that changes the value'
    : hasFlags
      ? 'a pattern with flags'
      : checks.filter((check) => check.check === 'custom').length > ruleCount && 'a refinement without its CEL rule';
  if (lost) throw new TypeError(`schema at '${path}' has ${lost}, which the CRD cannot hold`);
}
