/**
 * The status API: read-only JSON, answered from memory without a request to the cluster.
 *
 * Invariants: the list is made at most once a second, and long answers are made in turns that leave the thread to
 * others. The number of answers that are being made or taken is bounded by address and in all.
 */
import type { Express, Response } from 'express';
import { inTurns } from '../cluster/concurrency.ts';
import { compareTexts } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { printable } from '../object/printable.ts';
import type { Value } from '../object/value.ts';
import type { Clock, Log } from '../telemetry/ports.ts';
import { networkOf } from './connection-limit.ts';
import { checkHost } from './host-check.ts';
import { createRoutes, endRoutes, readOnly } from './listener.ts';
import { atMostOnceASecond, createTurnstile } from './shared-answer.ts';
import { describe, summarise, viewObject, type KnownApplication } from './views.ts';

export interface ApplicationIndex {
  list(): readonly KnownApplication[];
  get(namespace: string, name: string): KnownApplication | undefined;
}

export interface ApiOptions {
  /** Names by which the API is called, beside addresses and names of the cluster. */
  readonly hosts: readonly string[];
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

const DEFAULT_OPTIONS: ApiOptions = { hosts: [], clock: { monotonicMs: () => performance.now() } };

export function apiRoutes(applications: ApplicationIndex, log: Log, options: ApiOptions = DEFAULT_OPTIONS): Express {
  const routes = createRoutes();
  readOnly(routes);
  routes.use(checkHost(options.hosts));
  const enter = createTurnstile();
  routes.use((request, response, next) => {
    response.set('Cache-Control', 'no-store');
    if (enter(networkOf(request.socket.remoteAddress ?? ''), response)) return next();
    response.set('Retry-After', '1').status(503).json({ error: 'too many requests at the same time' });
  });
  const list = atMostOnceASecond(() => inTurns(writeList(applications.list())), options.clock);
  routes.get('/api/v1/applications', async (_request, response) => send(response, await list()));
  routes.get('/api/v1/applications/:namespace/:name', async (request, response) => {
    const { namespace, name } = request.params;
    const known = applications.get(namespace, name);
    if (known) return send(response, await inTurns(writeDetail(known)));
    response.status(404).json({ error: 'no such Application' });
  });
  endRoutes(routes, log);
  return routes;
}

function* writeList(known: readonly KnownApplication[]): Generator<undefined, string[]> {
  const summaries = [];
  for (const one of known) {
    summaries.push(summarise(one));
    yield;
  }
  summaries.sort((a, b) => compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name));
  const texts = yield* writeEach(summaries);
  return ['{"applications":[', ...texts, ']}'];
}

function* writeDetail(known: KnownApplication): Generator<undefined, string[]> {
  const { objects, ...others } = { ...describe(known), objects: known.view?.objects ?? [] };
  const head = write(others).slice(0, -1);
  const texts = yield* writeEach(objects, (object) => write(viewObject(object)));
  return [head, ',"objects":[', ...texts, ']}'];
}

/** The texts of the members of a list in JSON, with commas between them. */
function* writeEach<T extends object>(
  members: readonly T[],
  toText: (member: T) => string = write,
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
