/**
 * The webhook listener: `POST /hooks/<provider>`. Its safety lies in the order of the checks: secret, header of the
 * signature, encoding, budget, size, signature. Nothing is parsed before all of them have passed.
 *
 * Invariant: without a secret every webhook is refused. A request that is not genuine costs at most its bytes, and one
 * without a signature costs no body and no budget. No part of a secret or a body is logged, and no answer names an
 * Application. A genuine webhook only advances polls, so a replay is harmless. One that may have been genuine and was
 * not checked is reported, so that polls do not rely on webhooks.
 */
import type { Express, Request, Response } from 'express';
import type { Network } from '../application/address-rule.ts';
import type { RepositoryPush } from '../application/repository.ts';
import type { Value } from '../object/value.ts';
import type { Clock, Log, Metrics } from '../telemetry/ports.ts';
import { clientAddressBehind } from './client-address.ts';
import { createRoutes, endRoutes } from './listener.ts';
import { refuse } from './refuse.ts';
import { createBodyReader, type BodyLimits, type ReadBody } from './read-body.ts';
import { createFailureBudget, type Admit, type FailureBudget } from './failure-budget.ts';
import { PROVIDERS, type HookEvent, type Provider } from './webhook-providers.ts';
import { createWebhookSecrets, type SecretsOf } from './webhook-secrets.ts';

export interface WebhookOptions extends Pick<FailureBudget, 'perMinute' | 'totalPerMinute'> {
  /** Empty: every webhook is refused. */
  readonly secretsDir: string;
  /** Advances the next poll of every Application that the push concerns; returns their number. */
  readonly onPush: (push: RepositoryPush) => number;
  /** Webhooks were refused that may have been genuine; called once in ten seconds at most. */
  readonly onLost: () => void;
  /** Networks of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[];
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'onWebhook'>;
  readonly clock: Clock;
  /** For tests: smaller bounds than `BODY_LIMITS`. */
  readonly bodyLimits?: BodyLimits;
}

const BODY_LIMITS: BodyLimits = { maxBytes: 1024 * 1024, maxHeldBytes: 32 * 1024 * 1024, timeoutMs: 10_000 };
const MAX_ADDRESSES = 10_000;
const REREAD_MS = 1_000;
const LOST_EVERY_MS = 10_000;

/** The results of a webhook, each with the status and the text of its answer. */
const ANSWERS = {
  accepted: { status: 200 },
  ping: { status: 200, message: 'pong' },
  ignored: { status: 202, message: 'this event is not about commits and is ignored' },
  other_product: {
    status: 400,
    error:
      'this is an event of Bitbucket Data Center, and /hooks/bitbucket is for Bitbucket Cloud: use /hooks/bitbucket-server',
  },
  malformed: { status: 400, error: 'the body is not JSON in UTF-8' },
  unreadable: { status: 400, error: 'the body names no repository' },
  unauthorized: { status: 401, error: 'the signature is missing or wrong' },
  unconfigured: { status: 403, error: 'no secret is configured for this provider, so its webhooks are refused' },
  timeout: { status: 408, error: 'the body did not arrive in time' },
  too_large: { status: 413, error: 'the body is larger than 1 MiB' },
  encoded: { status: 415, error: 'the body must not have a content encoding' },
  limited: { status: 429, error: 'too many requests' },
  busy: { status: 503, error: 'too many bodies are being received, try again later' },
  aborted: { status: 400, error: 'the body is incomplete' },
} as const satisfies Record<string, { status: number; message?: string; error?: string }>;

type Result = keyof typeof ANSWERS;

interface Outcome {
  readonly result: Result;
  readonly applications?: number;
  readonly retryAfterS?: number;
}

interface HookTools {
  readonly admit: Admit;
  readonly addressOf: (request: Request) => string;
  readonly readBody: ReadBody;
  readonly secretsOf: SecretsOf;
  readonly onPush: WebhookOptions['onPush'];
}

export function webhookRoutes(options: WebhookOptions): Express {
  const { log, metrics, clock, perMinute, totalPerMinute, onPush } = options;
  const tools: HookTools = {
    addressOf: clientAddressBehind(options.trustedProxies),
    admit: createFailureBudget({ perMinute, totalPerMinute, maxAddresses: MAX_ADDRESSES, clock }),
    readBody: createBodyReader(options.bodyLimits ?? BODY_LIMITS),
    secretsOf: createWebhookSecrets({ dir: options.secretsDir, clock, log, rereadMs: REREAD_MS }),
    onPush,
  };
  const logResult = createRefusalLog(log);
  const tellLost = atMostEvery(LOST_EVERY_MS, options.onLost, clock);
  const routes = createRoutes();
  for (const [name, provider] of PROVIDERS) {
    const path = `/hooks/${name}`;
    routes.post(path, async (request, response) => {
      const outcome = await receive(request, { name, provider }, tools);
      metrics.onWebhook(name, outcome.result);
      logResult(name, outcome.result);
      if (LOST.has(outcome.result)) tellLost();
      answer(response, outcome);
    });
    routes.all(path, (_request, response) => {
      refuse(response.set('Allow', 'POST'), 405, 'the method is not allowed');
    });
  }
  endRoutes(routes, log);
  return routes;
}

/** Checks a webhook and acts on it. The order of the checks is part of the invariant above. */
async function receive(
  request: Request,
  { name, provider }: { name: string; provider: Provider },
  { admit, addressOf, readBody, secretsOf, onPush }: HookTools,
): Promise<Outcome> {
  const { headers } = request;
  const hook = { headers, query: new URL(request.url, 'http://localhost').searchParams };
  const secrets = await secretsOf(name);
  if (secrets.length === 0) return { result: 'unconfigured' };
  if (!provider.isSigned(hook)) return { result: 'unauthorized' };
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return { result: 'encoded' };
  const admission = admit(addressOf(request));
  if (!admission.isAdmitted) return { result: 'limited', retryAfterS: admission.retryAfterS };
  const body = await readBody(request);
  if (!body.ok) return { result: body.reason };
  if (!provider.isGenuine(hook, body.bytes, secrets)) return { result: 'unauthorized' };
  admission.giveBack();
  const payload = parsePayload(body.bytes, headers['content-type']);
  if (payload === undefined) return { result: 'malformed' };
  const event = provider.readEvent(hook, payload);
  if (event.type === 'push') return { result: 'accepted', applications: onPush(event.push) };
  return { result: RESULT_OF[event.type], applications: 0 };
}

const RESULT_OF = {
  ping: 'ping',
  other: 'ignored',
  unreadable: 'unreadable',
  dataCenter: 'other_product',
} as const satisfies Record<Exclude<HookEvent['type'], 'push'>, Result>;

/** Results of webhooks that have a signature which was not checked. */
const LOST: ReadonlySet<Result> = new Set(['limited', 'busy', 'timeout']);

function atMostEvery(ms: number, act: () => void, clock: Clock): () => void {
  let nextMs = -Infinity;
  return () => {
    if (clock.monotonicMs() < nextMs) return;
    nextMs = clock.monotonicMs() + ms;
    act();
  };
}

/** undefined if the body is not JSON. GitHub can also send a form, which holds the JSON in its field `payload`. */
function parsePayload(bytes: Buffer, contentType = ''): Value | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(contentType);
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text) as Value;
  } catch {
    return undefined;
  }
}

function answer(response: Response, { result, applications, retryAfterS }: Outcome): void {
  const { status, ...words } = ANSWERS[result];
  if (retryAfterS !== undefined) response.set('Retry-After', String(retryAfterS));
  if (result === 'busy') response.set('Retry-After', '1');
  // The rest of an unread body must not be taken for the next request.
  if (!response.req.complete) response.set('Connection', 'close');
  response.status(status).json(applications === undefined ? words : { applications, ...words });
}

/**
 * Logs a refusal once for each provider and reason, until a webhook of that provider is genuine. Otherwise anyone who
 * reaches the listener could fill the log.
 */
function createRefusalLog(log: Log): (provider: string, result: Result) => void {
  const logged = new Set<string>();
  return (provider, result) => {
    const isGenuine = ['accepted', 'ping', 'ignored'].includes(result);
    if (isGenuine) for (const reason of Object.keys(ANSWERS)) logged.delete(`${provider} ${reason}`);
    if (isGenuine || logged.has(`${provider} ${result}`)) return;
    logged.add(`${provider} ${result}`);
    log.warn('webhook refused, further refusals of this kind are not logged', { provider, reason: result });
  };
}
