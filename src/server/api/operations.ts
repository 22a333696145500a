/**
 * The operations of the status API as data: their paths, inputs and answers. The router serves exactly these, and the
 * OpenAPI document describes exactly these.
 */
import type { z } from 'zod';
import { listQuerySchema } from './list-query.ts';
import { detailSchema, listSchema } from './schema.ts';

/** The inputs and answers of one operation. */
export interface Operation {
  /** `{namespace}` and `{name}` stand for the names of an Application. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** The answer without an error. */
  readonly success: Success;
  /** Statuses of errors beside those that every operation may answer. */
  readonly errors: readonly (keyof typeof ERRORS)[];
  /** Whether the answer can be confirmed by 304. */
  readonly hasTag?: true;
  /** Whether a caller without a token is answered. */
  readonly access: 'token' | 'mayBeAnonymous' | 'everybody';
}

interface Success {
  readonly status: 200 | 202;
  readonly description: string;
  readonly contentType: 'application/json' | 'text/event-stream' | 'text/plain';
  /** Absent: any JSON, or a text. */
  readonly schema?: z.ZodType;
}

/** The meaning of the statuses of errors. */
export const ERRORS = {
  400: 'The path, the query or the body is malformed; the detail names the part.',
  401: 'There is no token, or it is not valid.',
  403: 'The caller lacks the right, or the request comes from another site.',
  404: 'There is no such Application, object or path.',
  405: 'The method is not allowed; the header Allow names those that are.',
  409: 'The Application is in a state in which the request is not accepted; the code says which.',
  413: 'The body is too large.',
  415: 'The body is not JSON, or has a content encoding.',
  421: 'The name in the header Host is not one of the API.',
  422: 'The API server does not accept the change.',
  429: 'Too many tokens from this address were not valid.',
  500: 'A defect of the agent; its log has the reason.',
  503: 'The API server did not answer, or too many requests are being answered.',
} as const;

/** Statuses of errors that every operation may answer. */
export const COMMON_ERRORS = [400, 401, 405, 421, 429, 500, 503] as const;

const APPLICATION = '/api/v1/applications/{namespace}/{name}';

export const OPERATIONS = {
  getOpenApi: {
    path: '/api/v1/openapi.json',
    method: 'GET',
    summary: 'This document',
    success: { status: 200, description: 'The OpenAPI document.', contentType: 'application/json' },
    errors: [],
    hasTag: true,
    access: 'everybody',
  },
  listApplications: {
    path: '/api/v1/applications',
    method: 'GET',
    summary: 'Lists Applications',
    description:
      'The Applications of the namespaces in which the caller may list them. Without a token and with ' +
      '--anonymous-read=names: names and states of all, without filter by labels or words.',
    query: listQuerySchema,
    success: { status: 200, description: 'One page.', contentType: 'application/json', schema: listSchema },
    errors: [403],
    hasTag: true,
    access: 'mayBeAnonymous',
  },
  getApplication: {
    path: APPLICATION,
    method: 'GET',
    summary: 'Reads one Application',
    description: 'With conditions, history, problems and all objects. Needs the right to get the Application.',
    success: { status: 200, description: 'The Application.', contentType: 'application/json', schema: detailSchema },
    errors: [403, 404],
    hasTag: true,
    access: 'token',
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationId = keyof typeof OPERATIONS;
