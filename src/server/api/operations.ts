/**
 * The operations of the status API as data: their paths, inputs and answers. The router serves exactly these, and the
 * OpenAPI document describes exactly these.
 */
import type { z } from 'zod';
import { listQuerySchema, streamQuerySchema } from './list-query.ts';
import {
  confirmPruneSchema,
  noFieldsSchema,
  refreshSchema,
  releaseSchema,
  rollbackSchema,
  syncSchema,
  takeOverSchema,
} from './action-schema.ts';
import { callbackQuerySchema, oidcQuerySchema, sessionSchema, signInSchema } from './session-schema.ts';
import { logQuerySchema, objectQuerySchema, planQuerySchema } from './object-query.ts';
import {
  acceptedSchema,
  detailSchema,
  eventsSchema,
  listSchema,
  logSchema,
  objectDetailSchema,
  planSchema,
  suspendedSchema,
  treeSchema,
} from './schema.ts';

/** The inputs and answers of one operation. */
export interface Operation {
  /** `{namespace}` and `{name}` stand for the names of an Application. */
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
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
  readonly status: 200 | 202 | 204 | 303;
  readonly description: string;
  /** Absent: the answer has no body. */
  readonly contentType?: 'application/json' | 'text/event-stream' | 'text/plain';
  /** Headers of the answer beside ETag, with their meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: any JSON, or a text. */
  readonly schema?: z.ZodType;
}

/** The meaning of the statuses of errors. */
export const ERRORS = {
  400: 'The path, the query or the body is malformed; the detail names the part.',
  401: 'There is no token or session, or it is not valid.',
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

const ACCEPTED = {
  status: 202,
  description: 'The request is written; lastRequest of the Application has the answer.',
  contentType: 'application/json',
  schema: acceptedSchema,
} as const;

const SESSION = '/api/v1/session';
const SET_COOKIE = { 'Set-Cookie': 'The cookie of the session or of the sign-in.' } as const;
const LOCATION = { Location: 'The next address.' } as const;

/** An answer of 200 with this body. */
function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { status: 200, description, contentType: 'application/json', schema } as const;
}

/** An operation that changes the Application with the token of the caller. */
function action<Body extends z.ZodObject>(name: string, summary: string, body: Body) {
  return {
    path: `${APPLICATION}/${name}`,
    method: 'POST',
    summary,
    description: 'Written with the token of the caller: needs the rights to get and to patch the Application.',
    body,
    success: ACCEPTED,
    errors: [403, 404, 409, 413, 415, 422],
    access: 'token',
  } as const;
}

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
  getSession: {
    path: SESSION,
    method: 'GET',
    summary: 'Tells who the caller is, and how people can sign in',
    description: 'Never answers 401: without a valid token or session, signedIn is false.',
    success: json('The session.', sessionSchema),
    errors: [],
    access: 'everybody',
  },
  signIn: {
    path: SESSION,
    method: 'POST',
    summary: 'Begins a session with a token',
    description: 'The API server reviews the token. The session ends with it, and after twelve hours at the latest.',
    body: signInSchema,
    success: { status: 204, description: 'The session has begun.', headers: SET_COOKIE },
    errors: [],
    access: 'everybody',
  },
  signOut: {
    path: SESSION,
    method: 'DELETE',
    summary: 'Ends the session',
    success: { status: 204, description: 'There is no session any more.', headers: SET_COOKIE },
    errors: [403],
    access: 'everybody',
  },
  startOidc: {
    path: `${SESSION}/oidc`,
    method: 'GET',
    summary: 'Sends a browser to the OpenID Connect provider',
    description: 'A browser gets errors as a page in HTML.',
    query: oidcQuerySchema,
    success: { status: 303, description: 'The address of the provider.', headers: { ...LOCATION, ...SET_COOKIE } },
    errors: [404],
    access: 'everybody',
  },
  finishOidc: {
    path: `${SESSION}/oidc/callback`,
    method: 'GET',
    summary: 'Reads the answer of the OpenID Connect provider, and begins a session',
    description: 'The provider sends browsers here. A browser gets errors as a page in HTML.',
    query: callbackQuerySchema,
    success: { status: 303, description: 'The path where the person began.', headers: { ...LOCATION, ...SET_COOKIE } },
    errors: [403, 404],
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
    success: json('One page.', listSchema),
    errors: [403],
    hasTag: true,
    access: 'mayBeAnonymous',
  },
  getApplication: {
    path: APPLICATION,
    method: 'GET',
    summary: 'Reads one Application',
    description: 'With conditions, history, problems and all objects. Needs the right to get the Application.',
    success: json('The Application.', detailSchema),
    errors: [403, 404],
    hasTag: true,
    access: 'token',
  },
  getObject: {
    path: `${APPLICATION}/object`,
    method: 'GET',
    summary: 'Reads one object of an Application',
    description:
      'Desired and live form and the difference between them. The live object is read with the token of the caller; ' +
      'without the right to get it, only the paths of fields are shown.',
    query: objectQuerySchema,
    success: json('The object.', objectDetailSchema),
    errors: [403, 404],
    access: 'token',
  },
  listEvents: {
    path: `${APPLICATION}/events`,
    method: 'GET',
    summary: 'Lists the Events of an object',
    description: 'Read with the token of the caller; at most 100, the newest first.',
    query: objectQuerySchema,
    success: json('The Events.', eventsSchema),
    errors: [403, 404],
    access: 'token',
  },
  readLog: {
    path: `${APPLICATION}/log`,
    method: 'GET',
    summary: 'Reads the last lines of the log of a Pod',
    description: 'Read with the token of the caller.',
    query: logQuerySchema,
    success: json('The lines.', logSchema),
    errors: [403, 404, 409, 422],
    access: 'token',
  },
  getTree: {
    path: `${APPLICATION}/tree`,
    method: 'GET',
    summary: 'Reads the tree of the objects of an Application',
    description: 'The objects, and below them what they own, down to Pods, as the caller may list it.',
    success: json('The tree.', treeSchema),
    errors: [403, 404],
    access: 'token',
  },
  getPlan: {
    path: `${APPLICATION}/plan`,
    method: 'GET',
    summary: 'Reads the plan of a sync',
    description: 'What the last dry run has found: request one by sync with dryRun: true, and wait for its answer.',
    query: planQuerySchema,
    success: json('The plan.', planSchema),
    errors: [403, 404],
    access: 'token',
  },
  stream: {
    path: '/api/v1/stream',
    method: 'GET',
    summary: 'Tells the changes of Applications while it is open',
    description:
      'Server-sent events. application: the Application has changed, data is its summary. removed: it is gone, data has ' +
      'its names. reset: read the list again. After a cut the header Last-Event-ID goes on behind the last event.',
    query: streamQuerySchema,
    success: { status: 200, description: 'The events.', contentType: 'text/event-stream' },
    errors: [403],
    access: 'token',
  },
  refresh: action('refresh', 'Fetches and compares now', refreshSchema),
  sync: action('sync', 'Fetches, compares and applies now', syncSchema),
  confirmPrune: action('confirm-prune', 'Confirms a prune that is held', confirmPruneSchema),
  rollback: action('rollback', 'Applies an earlier commit and holds it', rollbackSchema),
  release: action('release', 'Ends the hold of an earlier commit', releaseSchema),
  takeOver: action('take-over', 'Takes over objects of Applications that do not exist any more', takeOverSchema),
  suspend: {
    ...action('suspend', 'Suspends the Application', noFieldsSchema),
    success: json('The spec is changed.', suspendedSchema),
  },
  resume: {
    ...action('resume', 'Resumes the Application', noFieldsSchema),
    success: json('The spec is changed.', suspendedSchema),
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationId = keyof typeof OPERATIONS;
