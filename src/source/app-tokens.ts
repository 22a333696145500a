/**
 * Tokens of GitHub Apps: the key of an app signs a request for a token of its installation, which opens one repository
 * for an hour.
 *
 * Invariants: tokens stay in memory, and are replaced before they end. A token may read one repository and nothing
 * else. No error shows a key, a signed request or a token, and none repeats a text of the server.
 */
import { sign } from 'node:crypto';
import { promisify } from 'node:util';
import { sourceError } from '../object/source-error.ts';
import type { RegistryLimits } from '../registry/limits.ts';
import { headerOf, readAll, type Web, type WebAnswer } from '../registry/web.ts';
import type { Clock } from '../telemetry/ports.ts';
import { tokenRefusal, malformedToken, type AskedFor } from './app-failure.ts';
import type { Credential } from './credential.ts';
import type { GitHubApp, GitHubRepository } from './github-app.ts';
import { maskedForms, redactError } from './mask.ts';
import { createFlights } from './single-flight.ts';

export interface AppTokens {
  /** Throws StageError. */
  show(request: TokenRequest): Promise<Shown>;
  /** The server has refused the token: another one is asked for next. */
  forget(key: string): void;
  /** Texts that no message about the key may hold: its newest tokens. */
  maskedTexts(key: string): readonly string[];
  close(): void;
}

export interface TokenRequest {
  readonly credential: Credential & { readonly app: GitHubApp };
  readonly repository: GitHubRepository;
  /** The same for equal credentials and repositories. */
  readonly key: string;
  readonly signal: AbortSignal;
}

export interface Shown {
  /** The same credential, with a token as its login. */
  readonly credential: Credential;
  /** The token was made for this request. */
  readonly isNew: boolean;
}

export interface AppTokensOptions {
  readonly web: Pick<Web, 'send'>;
  readonly limits: Pick<RegistryLimits, 'maxTokens' | 'maxPageBytes' | 'requestTimeoutMs'>;
  readonly clock: Clock;
}

interface Token {
  readonly text: string;
  /** Monotonic; it is replaced then. */
  readonly untilMs: number;
  readonly maskedTexts: readonly string[];
}

/** A token is replaced so long before its end, so that a long fetch does not outlive it. */
const EARLY_MS = 300_000;
const MAX_LIFE_MS = 3_600_000;

export function createAppTokens({ web, limits, clock }: AppTokensOptions): AppTokens {
  /** By key, the latest last. */
  const remembered = new Map<string, Token>();
  const flights = createFlights<Token>(clock);

  function remember(key: string, token: Token): void {
    // A request with the token before may still be under way.
    const before = remembered.get(key)?.maskedTexts.slice(0, token.maskedTexts.length) ?? [];
    remembered.delete(key);
    remembered.set(key, { ...token, maskedTexts: [...token.maskedTexts, ...before] });
    const [oldest] = remembered.keys();
    if (remembered.size > limits.maxTokens && oldest !== undefined) remembered.delete(oldest);
  }

  return {
    async show({ credential, repository, key, signal }) {
      const known = remembered.get(key);
      if (known && known.untilMs > clock.monotonicMs())
        return { credential: withToken(credential, known), isNew: false };
      const asked = { app: credential.app, secret: credential.secret, repository };
      const token = await flights.join({
        key,
        signal,
        work: async (joined) => {
          const made = await makeToken({ web, limits, clock, credential, asked, signal: joined });
          remember(key, made);
          return made;
        },
        onAbort: () => sourceError('Cancelled', `The request for a token of ${credential.app.apiBase} was cancelled.`),
      });
      return { credential: withToken(credential, token), isNew: true };
    },
    forget(key) {
      const known = remembered.get(key);
      if (known) remembered.set(key, { ...known, untilMs: -Infinity });
    },
    maskedTexts: (key) => remembered.get(key)?.maskedTexts ?? [],
    close: () => flights.close(),
  };
}

/** GitHub takes a token as the password of this user. */
const TOKEN_USER = 'x-access-token';

function withToken(credential: Credential, { text, maskedTexts }: Token): Credential {
  const login = { type: 'basic', username: TOKEN_USER, password: text } as const;
  return { ...credential, login, maskedTexts: [...maskedTexts, ...credential.maskedTexts] };
}

interface Making extends AppTokensOptions {
  readonly credential: Credential;
  readonly asked: AskedFor;
  readonly signal: AbortSignal;
}

async function makeToken(making: Making): Promise<Token> {
  const { asked, clock } = making;
  const request = await signedRequest(asked.app, clock.now());
  try {
    const id = asked.app.installationId ?? (await findInstallation(making, request));
    const body = JSON.stringify({ repositories: [asked.repository.name], permissions: { contents: 'read' } });
    const answer = await send(making, request, { path: `/app/installations/${id}/access_tokens`, body });
    if (answer.status !== 201) throw tokenRefusal(answer, asked, clock.now());
    return await readToken(answer, making);
  } catch (error) {
    throw redactError(error, { maskedTexts: maskedForms([request]) });
  }
}

const signAsync = promisify(sign);

/** A JWT by RFC 7519, signed with RS256. It begins a minute ago, so that the server's clock may be behind. */
async function signedRequest({ appId, privateKey }: GitHubApp, nowMs: number): Promise<string> {
  const beginS = Math.floor(nowMs / 1000) - 60;
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: beginS, exp: beginS + 600, iss: appId },
  ];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  // In a thread of its own: the time for a signature depends on the key.
  const signature = await signAsync('sha256', Buffer.from(text), privateKey);
  return `${text}.${signature.toString('base64url')}`;
}

/** The ID of the app's installation at an owner, or at the owner of the repository. */
async function findInstallation(making: Making, request: string): Promise<string> {
  const { asked, clock } = making;
  const { owner } = asked.app;
  const { repository } = asked;
  const paths =
    owner === undefined
      ? [`/repos/${repository.owner}/${repository.name}/installation`]
      : [`/orgs/${owner}/installation`, `/users/${owner}/installation`];
  for (const [index, path] of paths.entries()) {
    const answer = await send(making, request, { path });
    if (answer.status === 200) {
      const { id } = await readJson(answer, making);
      if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return String(id);
      throw malformedToken(asked, 'holds no ID of an installation');
    }
    if (answer.status !== 404 || index === paths.length - 1) throw tokenRefusal(answer, asked, clock.now());
    answer.discard();
  }
  throw new RangeError('no path to ask');
}

interface Call {
  readonly path: string;
  /** Absent: a GET. */
  readonly body?: string;
}

function send({ web, limits, credential, asked, signal }: Making, request: string, call: Call): Promise<WebAnswer> {
  const { body, path } = call;
  return web.send({
    method: body === undefined ? 'GET' : 'POST',
    url: asked.app.apiBase + path,
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    body,
    authorization: `Bearer ${request}`,
    credential,
    label: `The GitHub API at ${asked.app.apiBase}`,
    addressField: `githubAppBaseURL of the Secret ${asked.secret}`,
    redirects: 'origin',
    maxBytes: limits.maxPageBytes,
    maxBytesName: 'maxPageBytes',
    timeoutMs: limits.requestTimeoutMs,
    signal,
  });
}

async function readToken(answer: WebAnswer, making: Making): Promise<Token> {
  const { clock, asked } = making;
  const { token, expires_at: end } = await readJson(answer, making);
  if (typeof token !== 'string' || !/^[\x21-\x7e]{8,4096}$/.test(token)) {
    throw malformedToken(asked, 'holds no token');
  }
  // By the clock of the server, which may differ from ours.
  const sentMs = Date.parse(headerOf(answer, 'date') ?? '') || clock.now();
  const lifeMs = typeof end === 'string' ? Date.parse(end) - sentMs : NaN;
  if (Number.isNaN(lifeMs)) throw malformedToken(asked, 'does not say when its token ends');
  return {
    text: token,
    untilMs: clock.monotonicMs() + Math.min(lifeMs, MAX_LIFE_MS) - EARLY_MS,
    maskedTexts: maskedForms([Buffer.from(`${TOKEN_USER}:${token}`).toString('base64'), token]),
  };
}

async function readJson(answer: WebAnswer, { asked }: Making): Promise<Record<string, unknown>> {
  const body = await readAll(answer);
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // The text of the server stays out of the message.
  }
  throw malformedToken(asked, 'is not JSON');
}
