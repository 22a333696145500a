/** Makes the OpenAPI 3.1 document from the table of operations and from the schemas. */
import { z } from 'zod';
import { COMMON_ERRORS, ERRORS, OPERATIONS, type Operation } from './operations.ts';
import { sessionSchema } from './session-schema.ts';
import {
  acceptedSchema,
  detailSchema,
  eventsSchema,
  fieldSchema,
  listSchema,
  logSchema,
  nameAndStateSchema,
  objectDetailSchema,
  objectHealthSchema,
  objectIdSchema,
  objectSchema,
  patchOperationSchema,
  planSchema,
  problemDetailsSchema,
  problemSchema,
  summarySchema,
  suspendedSchema,
  treeSchema,
} from './schema.ts';

/** Schemas that the document names; others are written where they are used. */
const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Accepted: acceptedSchema,
  Application: detailSchema,
  ApplicationList: listSchema,
  ApplicationSummary: summarySchema,
  Events: eventsSchema,
  Field: fieldSchema,
  Log: logSchema,
  NameAndState: nameAndStateSchema,
  Object: objectSchema,
  ObjectDetail: objectDetailSchema,
  ObjectHealth: objectHealthSchema,
  ObjectId: objectIdSchema,
  PatchOperation: patchOperationSchema,
  Plan: planSchema,
  Problem: problemSchema,
  ProblemDetails: problemDetailsSchema,
  Session: sessionSchema,
  Suspended: suspendedSchema,
  Tree: treeSchema,
};

type Json = Record<string, unknown>;

/** The committed file, which is also in the package. */
export function printOpenApi(): string {
  return `${JSON.stringify(buildOpenApi(), undefined, 2)}\n`;
}

function buildOpenApi(): Json {
  const paths: Record<string, Json> = {};
  for (const [id, operation] of Object.entries<Operation>(OPERATIONS)) {
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = describeOperation(id, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tautline status API',
      version: 'v1',
      description: 'State of Applications and requests to them. Kubernetes decides what a caller sees and may do.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      responses: Object.fromEntries(
        Object.entries(ERRORS).map(([status, description]) => [`Error${status}`, problemAnswer(description)]),
      ),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token that the API server of the cluster knows.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-tautline-session',
          description: 'The cookie of a session. A request that changes something also needs the header Origin.',
        },
      },
    },
  };
}

function problemAnswer(description: string): Json {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDetails' } } },
  };
}

function describeOperation(id: string, operation: Operation): Json {
  const { body, description, errors, hasTag, path, success, summary } = operation;
  const statuses = [...new Set([...COMMON_ERRORS, ...errors, ...(body ? BODY_ERRORS : [])])].sort((a, b) => a - b);
  const refused = statuses.map((status) => [status, { $ref: `#/components/responses/Error${status}` }]);
  return {
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(operation.access === 'token' ? {} : { security: [{}, { bearer: [] }, { session: [] }] }),
    parameters: [...pathParameters(path), ...(hasTag ? [IF_NONE_MATCH] : []), ...queryParameters(operation.query)],
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: inputSchema(body) } } } }
      : {}),
    responses: {
      [success.status]: {
        description: success.description,
        ...headersOf(operation),
        ...(success.contentType ? { content: { [success.contentType]: { schema: outputSchema(success) } } } : {}),
      },
      ...(hasTag ? { 304: { description: 'The answer is the one that If-None-Match names.' } } : {}),
      ...Object.fromEntries(refused.map(([status, answer]) => [status as number, answer])),
    },
  };
}

function headersOf({ hasTag, success }: Operation): Json {
  const named = Object.entries(success.headers ?? {}).map(([name, description]) => [name, { description, ...TEXT }]);
  const headers = Object.fromEntries([...named, ...(hasTag ? [['ETag', TEXT]] : [])]) as Json;
  return Object.keys(headers).length > 0 ? { headers } : {};
}

const TEXT = { schema: { type: 'string' } };

/** Statuses that only an operation with a body answers. */
const BODY_ERRORS = [403, 413, 415] as const;

const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'ETag of an earlier answer.',
  schema: { type: 'string', maxLength: 1_024 },
};

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1, maxLength: name === 'namespace' ? 63 : 253 },
  }));
}

function queryParameters(query: z.ZodObject | undefined): Json[] {
  if (!query) return [];
  const { properties = {}, required = [] } = inputSchema(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => {
    // The description names the default.
    delete schema['default'];
    const isRequired = required.includes(name);
    return { name, in: 'query', required: isRequired, ...(description === undefined ? {} : { description }), schema };
  });
}

function inputSchema(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return json;
}

function outputSchema({ contentType, schema }: Operation['success']): Json {
  if (contentType !== 'application/json') return { type: 'string' };
  const name = Object.entries(COMPONENTS).find(([, component]) => component === schema)?.[0];
  return name === undefined ? {} : { $ref: `#/components/schemas/${name}` };
}

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Later versions may add fields, and the lists of the CRD have marks for the API server alone.
      if (jsonSchema.type === 'object' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      for (const key of Object.keys(jsonSchema)) if (key.startsWith('x-kubernetes-')) delete jsonSchema[key];
    },
  });
  for (const schema of Object.values(schemas)) {
    delete schema.$schema;
    delete schema.$id;
  }
  return schemas;
}
