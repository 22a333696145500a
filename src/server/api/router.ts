/**
 * Serves the operations: checks path, query and body of a request before anything else looks at them.
 *
 * Invariants: every input has a bound. A method that a path does not have is answered with 405. A request that changes
 * something has a JSON body, and does not come from a page of another site.
 */
import type { Express, Request, Response } from 'express';
import type { z } from 'zod';
import { describeIssue } from '../../application/issue-words.ts';
import { DNS_LABEL, DNS_SUBDOMAIN } from '../../application/names.ts';
import { StageError } from '../../object/stage-error.ts';
import { refuseAnonymous, type Access, type Caller } from '../access.ts';
import { createBodyReader, type ReadBody } from '../read-body.ts';
import { refuse } from '../refuse.ts';
import { OPERATIONS, type Operation, type OperationId } from './operations.ts';
import { isOfThisSite, saysItsSite } from '../same-site.ts';

export type UserCaller = Extract<Caller, { readonly type: 'user' }>;

/** A request that has passed all checks of its form. */
export interface Call<Query = unknown, Body = unknown> {
  readonly caller: Caller;
  readonly namespace: string;
  readonly name: string;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
  readonly response: Response;
}

export interface UserCall<Query = unknown, Body = unknown> extends Call<Query, Body> {
  readonly caller: UserCaller;
}

type QueryOf<Id extends OperationId> = (typeof OPERATIONS)[Id] extends {
  readonly query: infer Schema extends z.ZodType;
}
  ? z.output<Schema>
  : undefined;
type BodyOf<Id extends OperationId> = (typeof OPERATIONS)[Id] extends { readonly body: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;
type CallOf<Id extends OperationId> = (typeof OPERATIONS)[Id]['access'] extends 'token'
  ? UserCall<QueryOf<Id>, BodyOf<Id>>
  : Call<QueryOf<Id>, BodyOf<Id>>;

export type Handlers = { readonly [Id in OperationId]: (call: CallOf<Id>) => Promise<void> };

export interface RouterOptions {
  readonly handlers: Handlers;
  readonly access: Access;
  /** Whether a caller without a token is answered where the operation allows it. */
  readonly answersAnonymous: boolean;
  readonly hosts: readonly string[];
}

const BODY_LIMITS = { maxBytes: 64 * 1024, maxHeldBytes: 4 * 1024 * 1024, timeoutMs: 10_000 };
const MAX_QUERY_CHARS = 8_192;

export function addOperations(routes: Express, options: RouterOptions): void {
  const readBody = createBodyReader(BODY_LIMITS);
  const methods = new Map<string, string[]>();
  for (const [id, operation] of Object.entries<Operation>(OPERATIONS)) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    const handle = options.handlers[id as OperationId] as (call: Call) => Promise<void>;
    const serve = (request: Request, response: Response): Promise<void> =>
      answer({ request, response }, { operation, handle, readBody, options });
    routes[METHODS[operation.method].add](path, serve);
    methods.set(path, [...(methods.get(path) ?? []), ...METHODS[operation.method].allow]);
  }
  for (const [path, allowed] of methods) {
    routes.all(path, (_request, response) => {
      refuse(response.set('Allow', allowed.join(', ')), 405, 'the method is not allowed');
    });
  }
}

const METHODS = {
  GET: { add: 'get', allow: ['GET', 'HEAD'] },
  POST: { add: 'post', allow: ['POST'] },
  DELETE: { add: 'delete', allow: ['DELETE'] },
} as const;

interface Served {
  readonly operation: Operation;
  readonly handle: (call: Call) => Promise<void>;
  readonly readBody: ReadBody;
  readonly options: RouterOptions;
}

async function answer(
  { request, response }: Pick<Call, 'request' | 'response'>,
  { operation, handle, readBody, options: { access, answersAnonymous, hosts } }: Served,
): Promise<void> {
  if (operation.method !== 'GET' && !isOfThisSite(request.headers, hosts)) {
    return refuse(response, 403, OTHER_SITE, 'OtherSite');
  }
  const caller = await admitted({ request, response }, operation, { access, answersAnonymous });
  if (!caller) return;
  const { namespace = '', name = '' } = request.params as { namespace?: string; name?: string };
  if (operation.path.includes('{name}') && !areNames(namespace, name)) return refuse(response, 404, NO_APPLICATION);
  const query = readQuery(request, operation.query);
  if (!query.ok) return refuse(response, 400, query.problem, 'InvalidQuery');
  const body = operation.body ? await readJson(request, operation.body, readBody) : NO_BODY;
  if (!body.ok) return refuse(response, body.status, body.problem, body.code);
  try {
    await handle({ caller, namespace, name, query: query.value, body: body.value, request, response });
  } catch (error) {
    // The answer may have begun; express closes the connection then.
    if (response.headersSent || !(error instanceof StageError)) throw error;
    access.refuseUnreviewed(response, error);
  }
}

/** undefined: the request has been answered with a refusal. */
async function admitted(
  { request, response }: Pick<Call, 'request' | 'response'>,
  operation: Operation,
  { access, answersAnonymous }: Pick<RouterOptions, 'access' | 'answersAnonymous'>,
): Promise<Caller | undefined> {
  if (operation.access === 'everybody') return ANONYMOUS;
  const caller = await access.identify(request, response);
  if (!caller) return undefined;
  if (caller.type === 'anonymous') {
    if (operation.access === 'mayBeAnonymous' && answersAnonymous) return caller;
    const hadSession = caller.because === 'sessionEnded';
    if (hadSession) refuseAnonymous(response, SESSION_ENDED, 'SessionEnded');
    else refuseAnonymous(response, NO_TOKEN);
    return undefined;
  }
  // A browser sends a cookie by itself, and says with every change which site causes it.
  if (operation.method === 'GET' || !caller.isSession || saysItsSite(request.headers)) return caller;
  refuse(response, 403, NO_ORIGIN, 'OtherSite');
  return undefined;
}

const ANONYMOUS: Caller = { type: 'anonymous', because: 'noToken' };
const NO_TOKEN = 'send a token of the cluster: Authorization: Bearer TOKEN';
const SESSION_ENDED = 'the session has ended: sign in again';
const OTHER_SITE = 'a page of another site sent the request';
const NO_ORIGIN = 'a request by cookie must have the header Origin or Sec-Fetch-Site: programs send a token instead';
export const NO_APPLICATION = 'there is no such Application';

function areNames(namespace: string, name: string): boolean {
  return namespace.length <= 63 && name.length <= 253 && DNS_LABEL.test(namespace) && DNS_SUBDOMAIN.test(name);
}

type Input =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: number; readonly problem: string; readonly code?: string };

const NO_BODY: Input = { ok: true, value: undefined };

function readQuery({ url }: Request, schema: z.ZodType | undefined): Input {
  const at = url.indexOf('?');
  const text = at < 0 ? '' : url.slice(at + 1);
  if (text.length > MAX_QUERY_CHARS) return malformed(`the query has more than ${MAX_QUERY_CHARS} characters`);
  const given = [...new URLSearchParams(text)];
  const twice = given.find(([key], index) => given.findIndex(([other]) => other === key) !== index);
  if (twice) return malformed(`the query names '${twice[0].slice(0, 80)}' twice`);
  if (!schema) {
    const [first] = given;
    return first ? malformed(`the query has the unknown field '${first[0].slice(0, 80)}'`) : NO_BODY;
  }
  return checked(Object.fromEntries(given), schema, 'the query');
}

async function readJson(request: Request, schema: z.ZodType, readBody: ReadBody): Promise<Input> {
  const { headers } = request;
  const isJson = /^application\/json *(;|$)/i.test(headers['content-type'] ?? '');
  const isPlain = (headers['content-encoding'] ?? 'identity').toLowerCase() === 'identity';
  if (!isJson || !isPlain) {
    return { ok: false, status: 415, problem: 'send the body as application/json without a content encoding' };
  }
  const read = await readBody(request);
  if (!read.ok) return { ok: false, ...UNREAD[read.reason] };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(read.bytes));
  } catch {
    return { ok: false, status: 400, problem: 'the body is not JSON in UTF-8', code: 'InvalidBody' };
  }
  const body = checked(value, schema, 'the body');
  return body.ok ? body : { ...body, code: 'InvalidBody' };
}

const UNREAD = {
  too_large: { status: 413, problem: `the body has more than ${BODY_LIMITS.maxBytes} bytes` },
  busy: { status: 503, problem: 'too many bodies are being received, try again later' },
  timeout: { status: 400, problem: 'the body did not arrive in time', code: 'InvalidBody' },
  aborted: { status: 400, problem: 'the body is incomplete', code: 'InvalidBody' },
} as const;

function checked(value: unknown, schema: z.ZodType, root: string): Input {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  return malformed(`${root} is malformed: ${issue ? describeIssue(issue, '') : 'see the OpenAPI document'}`);
}

function malformed(problem: string): Input {
  return { ok: false, status: 400, problem };
}
