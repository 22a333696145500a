/**
 * The webhook listener: `POST /hooks/<provider>`. The order of what is done is the safety of it: rate limit, encoding,
 * size, secret, signature; only then is anything parsed.
 *
 * Invariant: without a secret every hook is refused; a request that is not genuine costs at most its bytes; nothing of
 * a secret or of a body is logged, and no answer names an Application. A genuine hook only brings polls forward, so a
 * replay does no harm.
 */
import type { Express, Request, Response } from 'express';
import type { RepositoryPush } from '../application/repository.ts';
import type { Value } from '../object/value.ts';
import type { Clock, Log, Metrics } from '../telemetry/ports.ts';
import { createRoutes, endRoutes } from './listener.ts';
import { createBodyReader, type BodyLimits, type ReadBody } from './webhook-body.ts';
import { createHookLimit, type HookLimit, type TakeToken } from './webhook-limit.ts';
import { PROVIDERS, type HookEvent, type Provider } from './webhook-providers.ts';
import { createWebhookSecrets, type SecretsOf } from './webhook-secrets.ts';

export interface WebhookOptions extends Pick<HookLimit, 'perMinute' | 'totalPerMinute'> {
  /** Empty: every hook is refused. */
  readonly secretsDir: string;
  /** Brings the polls of the Applications forward that a push concerns; answers how many they are. */
  readonly onPush: (push: RepositoryPush) => number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'onWebhook'>;
  readonly clock: Clock;
  /** For tests that do not want to wait. */
  readonly bodyLimits?: BodyLimits;
}

const BODY_LIMITS: BodyLimits = { maxBytes: 1024 * 1024, maxHeldBytes: 32 * 1024 * 1024, timeoutMs: 10_000 };
const MAX_ADDRESSES = 10_000;
const REREAD_MS = 1_000;

/** What may become of a hook: the status of the answer, and what it says. */
const ANSWERS = {
  accepted: { status: 200 },
  ping: { status: 200, message: 'pong' },
  ignored: { status: 202, message: 'this event says nothing of commits' },
  malformed: { status: 400, error: 'the body is no JSON in UTF-8' },
  unreadable: { status: 400, error: 'the body names no repository' },
  unauthorized: { status: 401, error: 'the signature is missing or wrong' },
  unconfigured: { status: 403, error: 'no secret is set for this provider, so its hooks are refused' },
  timeout: { status: 408, error: 'the body did not come in time' },
  too_large: { status: 413, error: 'the body is larger than 1 MiB' },
  encoded: { status: 415, error: 'the body must come without content encoding' },
  limited: { status: 429, error: 'too many requests' },
  busy: { status: 503, error: 'too many bodies are under way' },
  aborted: { status: 400, error: 'the body is not complete' },
} as const satisfies Record<string, { status: number; message?: string; error?: string }>;

type Result = keyof typeof ANSWERS;

interface Verdict {
  readonly result: Result;
  readonly applications?: number;
  readonly retryAfterS?: number;
}

interface Desk {
  readonly takeToken: TakeToken;
  readonly readBody: ReadBody;
  readonly secretsOf: SecretsOf;
  readonly onPush: WebhookOptions['onPush'];
}

export function webhookRoutes(options: WebhookOptions): Express {
  const { log, metrics, clock, perMinute, totalPerMinute, onPush } = options;
  const desk: Desk = {
    takeToken: createHookLimit({ perMinute, totalPerMinute, maxAddresses: MAX_ADDRESSES, clock }),
    readBody: createBodyReader(options.bodyLimits ?? BODY_LIMITS),
    secretsOf: createWebhookSecrets({ dir: options.secretsDir, clock, log, rereadMs: REREAD_MS }),
    onPush,
  };
  const sayRefused = createRefusalLog(log);
  const routes = createRoutes();
  for (const [name, provider] of PROVIDERS) {
    const path = `/hooks/${name}`;
    routes.post(path, async (request, response) => {
      const verdict = await judge(request, { name, provider }, desk);
      metrics.onWebhook(name, verdict.result);
      sayRefused(name, verdict.result);
      answer(response, verdict);
    });
    routes.all(path, (_request, response) => {
      response.set('Allow', 'POST').status(405).json({ error: 'method not allowed' });
    });
  }
  endRoutes(routes, log);
  return routes;
}

async function judge(
  request: Request,
  { name, provider }: { name: string; provider: Provider },
  { takeToken, readBody, secretsOf, onPush }: Desk,
): Promise<Verdict> {
  const retryAfterS = takeToken(request.socket.remoteAddress ?? '');
  if (retryAfterS > 0) return { result: 'limited', retryAfterS };
  const { headers } = request;
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return { result: 'encoded' };
  const body = await readBody(request);
  if (!body.ok) return { result: body.reason };
  const secrets = await secretsOf(name);
  if (secrets.length === 0) return { result: 'unconfigured' };
  if (!provider.isGenuine(headers, body.bytes, secrets)) return { result: 'unauthorized' };
  const payload = parsePayload(body.bytes, headers['content-type']);
  if (payload === undefined) return { result: 'malformed' };
  const event = provider.readEvent(headers, payload);
  if (event.type === 'push') return { result: 'accepted', applications: onPush(event.push) };
  return { result: RESULT_OF[event.type], applications: 0 };
}

const RESULT_OF = {
  ping: 'ping',
  other: 'ignored',
  unreadable: 'unreadable',
} as const satisfies Record<Exclude<HookEvent['type'], 'push'>, Result>;

/** undefined: no JSON. A form, as GitHub sends it on demand, holds the JSON in its field `payload`. */
function parsePayload(bytes: Buffer, contentType = ''): Value | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(contentType);
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text) as Value;
  } catch {
    return undefined;
  }
}

function answer(response: Response, { result, applications, retryAfterS }: Verdict): void {
  const { status, ...words } = ANSWERS[result];
  if (retryAfterS !== undefined) response.set('Retry-After', String(retryAfterS));
  if (result === 'busy') response.set('Retry-After', '1');
  // A body that was not read to its end must not be taken for the next request.
  if (!response.req.complete) response.set('Connection', 'close');
  response.status(status).json(applications === undefined ? words : { applications, ...words });
}

/** Once for each provider and reason until a hook of it is genuine again: anybody can send what is refused. */
function createRefusalLog(log: Log): (provider: string, result: Result) => void {
  const said = new Set<string>();
  return (provider, result) => {
    const isGenuine = ['accepted', 'ping', 'ignored'].includes(result);
    if (isGenuine) for (const reason of Object.keys(ANSWERS)) said.delete(`${provider} ${reason}`);
    if (isGenuine || said.has(`${provider} ${result}`)) return;
    said.add(`${provider} ${result}`);
    log.warn('webhooks of a provider are refused', { provider, reason: result });
  };
}
