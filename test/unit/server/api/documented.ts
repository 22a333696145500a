/** Checks answers of the status API against the OpenAPI document: every answer must be one that it describes. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { printOpenApi } from '../../../../src/server/api/openapi.ts';

interface Described {
  readonly content?: Readonly<Record<string, { readonly schema: Record<string, unknown> }>>;
  readonly $ref?: string;
}

type Document = {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Described>> }>>>
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly responses: Readonly<Record<string, Described>>;
  };
};

const document = JSON.parse(printOpenApi()) as Document;

export const DOCUMENTED = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.keys(operations).map((method) => ({ path, method: method.toUpperCase() })),
);

/** Fails unless the document describes the status, the type and the content of an answer. */
export async function assertDocumented(method: string, path: string, answer: Response): Promise<void> {
  const operation = document.paths[path]?.[method.toLowerCase()];
  assert.ok(operation, `${method} ${path} is not in the document`);
  const found = operation.responses[answer.status];
  assert.ok(found, `${method} ${path}: the status ${answer.status} is not in the document`);
  const described = found.$ref ? document.components.responses[found.$ref.split('/').at(-1) ?? ''] : found;
  if (!described?.content) return;
  const [type = '', { schema } = { schema: {} }] = Object.entries(described.content)[0] ?? [];
  assert.ok((answer.headers.get('content-type') ?? '').startsWith(type), `${method} ${path}: ${type}`);
  if (!type.endsWith('json')) return;
  const parsed = readerOf(schema).safeParse(await answer.json());
  assert.ok(parsed.success, `${method} ${path}: ${JSON.stringify(parsed.error?.issues)}`);
}

/** A validator for a schema of the document, with the components that it names. */
function readerOf(schema: Record<string, unknown>): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as never);
}
