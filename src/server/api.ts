/**
 * The status API: read-only JSON, answered from memory. Only who may see what is asked of the API server.
 *
 * Invariants: a caller sees an Application only with the right to `list` or `get` it, and values of an object's fields
 * only with the right to `get` such objects. The list is made at most once a second, and long answers are made in turns
 * that leave the thread to others. The number of answers that are being made or taken is bounded by address and in all.
 */
import type { Express, Response } from 'express';
import { PLURAL } from '../application/keys.ts';
import { forEachConcurrently, inTurns } from '../cluster/concurrency.ts';
import { createKindFinder } from '../cluster/kinds.ts';
import type { AccessQuestion, Hub } from '../cluster/ports.ts';
import { APPLICATION_GROUP } from '../object/applyset.ts';
import { compareTexts, type ObjectId } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { printable } from '../object/printable.ts';
import type { Value } from '../object/value.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { createAccess, refuse, refuseAnonymous, type Caller } from './access.ts';
import { networkOf } from './connection-limit.ts';
import { checkHost } from './host-check.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';
import { atMostOnceASecond, createTurnstile } from './shared-answer.ts';
import { describe, hideValues, nameAndState, summarise, viewObject, type KnownApplication } from './views.ts';

export interface ApplicationIndex {
  list(): readonly KnownApplication[];
  get(namespace: string, name: string): KnownApplication | undefined;
}

/** The part that a caller without a token sees; `names` are names and states. */
export type AnonymousRead = 'nothing' | 'names';

export interface ApiOptions {
  readonly applications: ApplicationIndex;
  readonly hub: Pick<Hub, 'reviews' | 'kinds'>;
  readonly anonymousRead: AnonymousRead;
  /** Names by which the API is called, beside addresses and names of the cluster. */
  readonly hosts: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
}

type User = Extract<Caller, { readonly type: 'user' }>;

/** Access reviews of one answer that are under way at once. */
const REVIEWS_AT_ONCE = 10;

export function apiRoutes(options: ApiOptions): Express {
  const { applications, hub, anonymousRead, hosts, log, clock } = options;
  const routes = createRoutes();
  readOnly(routes);
  routes.use(checkHost(hosts));
  const enter = createTurnstile();
  const access = createAccess({ reviews: hub.reviews, log, clock });
  routes.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (enter(networkOf(request.socket.remoteAddress ?? ''), response)) return next();
    refuse(response.set('Retry-After', '1'), 503, 'too many requests at the same time');
  });
  const known = atMostOnceASecond(() => inTurns(writeNamespaces(applications.list(), summarise)), clock);
  const names = atMostOnceASecond(() => inTurns(writeNamespaces(applications.list(), nameAndState)), clock);
  routes.get('/api/v1/applications', async (request, response) => {
    const caller = await access.identify(request, response);
    if (!caller) return;
    if (caller.type === 'anonymous') {
      if (anonymousRead === 'nothing') return refuseAnonymous(response, NO_TOKEN);
      const texts = await names();
      return sendList(response, texts, [...texts.keys()]);
    }
    const texts = await known();
    const visible = await reviewed(response, () => visibleNamespaces(caller, [...texts.keys()]));
    if (!visible) return;
    if (visible.length === 0 && texts.size > 0) return refuse(response, 403, 'you may not list these Applications');
    sendList(response, texts, visible);
  });
  routes.get('/api/v1/applications/:namespace/:name', async (request, response) => {
    const caller = await access.identify(request, response);
    if (!caller) return;
    if (caller.type === 'anonymous') return refuseAnonymous(response, NO_TOKEN);
    const { namespace, name } = request.params;
    const answer = await reviewed(response, async () => {
      if (!(await caller.may({ ...APPLICATIONS, verb: 'get', namespace, name }))) return 'forbidden';
      const application = applications.get(namespace, name);
      return application && { application, mayRead: await readableKinds(caller, application, hub) };
    });
    if (response.headersSent) return;
    if (answer === 'forbidden') return refuse(response, 403, 'you may not get this Application');
    if (!answer) return refuse(response, 404, 'no such Application');
    send(response, await inTurns(writeDetail(answer.application, answer.mayRead)));
  });
  endRoutes(routes, log);
  return routes;

  /** undefined: there was no answer of the API server, and the caller has been told so. */
  async function reviewed<T>(response: Response, review: () => Promise<T>): Promise<T | undefined> {
    try {
      return await review();
    } catch (error) {
      access.refuseUnreviewed(response, error);
      return undefined;
    }
  }
}

const NO_TOKEN = 'send a token of the cluster: Authorization: Bearer TOKEN';

const APPLICATIONS = { group: APPLICATION_GROUP, resource: PLURAL };

/** Those in which the caller may list Applications. */
async function visibleNamespaces(caller: User, namespaces: readonly string[]): Promise<readonly string[]> {
  const question = { ...APPLICATIONS, verb: 'list' };
  if (await caller.may(question)) return namespaces;
  return filterAllowed(caller, namespaces, (namespace) => ({ ...question, namespace }));
}

async function filterAllowed<T>(
  caller: User,
  items: readonly T[],
  toQuestion: (item: T) => AccessQuestion,
): Promise<readonly T[]> {
  const allowed = new Set<T>();
  await forEachConcurrently(items, { concurrency: REVIEWS_AT_ONCE }, async (item) => {
    if (await caller.may(toQuestion(item))) allowed.add(item);
  });
  return items.filter((item) => allowed.has(item));
}

type MayRead = (id: ObjectId) => boolean;

/** Which objects the caller may get, by kind and namespace. Only objects with values to show are asked about. */
async function readableKinds(caller: User, { view }: KnownApplication, hub: Pick<Hub, 'kinds'>): Promise<MayRead> {
  const shown = (view?.objects ?? []).filter(({ fields, patch }) => fields.length > 0 || patch !== undefined);
  if (shown.length === 0) return () => false;
  const find = createKindFinder(await hub.kinds());
  const questions = new Map<string, AccessQuestion>();
  for (const { id } of shown) {
    const kind = find(id);
    if (kind === undefined || kind === 'unavailable') continue;
    const place = kind.isNamespaced ? { namespace: id.namespace } : {};
    questions.set(placeKey(id), { verb: 'get', group: id.group, resource: kind.plural, ...place });
  }
  const allowed = new Map(await filterAllowed(caller, [...questions], ([, question]) => question));
  return (id) => allowed.has(placeKey(id));
}

function placeKey({ group, kind, namespace }: ObjectId): string {
  return `${group}/${kind}/${namespace}`;
}

/** By namespace, in their order: the texts of its Applications, with a comma before each but the first. */
type NamespaceTexts = ReadonlyMap<string, readonly string[]>;

function* writeNamespaces(
  known: readonly KnownApplication[],
  view: (known: KnownApplication) => { readonly namespace: string; readonly name: string },
): Generator<undefined, NamespaceTexts> {
  const views = [];
  for (const one of known) {
    views.push(view(one));
    yield;
  }
  views.sort((a, b) => compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name));
  const byNamespace = new Map<string, string[]>();
  for (const one of views) {
    const texts = byNamespace.get(one.namespace) ?? [];
    if (texts.length === 0) byNamespace.set(one.namespace, texts);
    texts.push((texts.length > 0 ? ',' : '') + write(one));
    yield;
  }
  return byNamespace;
}

function sendList(response: Response, texts: NamespaceTexts, namespaces: readonly string[]): void {
  const parts = namespaces.flatMap((namespace, index) => [index > 0 ? ',' : '', ...(texts.get(namespace) ?? [])]);
  send(response, ['{"applications":[', ...parts, ']}']);
}

function* writeDetail(known: KnownApplication, mayRead: MayRead): Generator<undefined, string[]> {
  const { objects, ...others } = { ...describe(known), objects: known.view?.objects ?? [] };
  const head = write(others).slice(0, -1);
  const texts = yield* writeEach(objects, (object) => {
    const view = viewObject(object);
    return write(mayRead(object.id) ? view : hideValues(view));
  });
  return [head, ',"objects":[', ...texts, ']}'];
}

/** The texts of the members of a list in JSON, with commas between them. */
function* writeEach<T extends object>(
  members: readonly T[],
  toText: (member: T) => string,
): Generator<undefined, string[]> {
  const texts: string[] = [];
  for (const member of members) {
    texts.push((texts.length > 0 ? ',' : '') + toText(member));
    yield;
  }
  return texts;
}

/**
 * express would use JSON.stringify, which cannot write the bigints of field values beyond 2^53. Characters that a
 * terminal would interpret become their escapes, which are the same values in JSON.
 */
function write(answer: object): string {
  return printable(stringifyJson(answer as unknown as Value));
}

function send(response: Response, texts: readonly string[]): void {
  response.type('application/json').send(texts.join(''));
}
