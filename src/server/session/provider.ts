/**
 * Signs people in at an OpenID Connect provider: authorization code flow with PKCE, state and nonce. The id token that
 * comes out is the token that the API server reviews, so the API server must trust the issuer.
 *
 * Invariants: a sealed cookie remembers the flow for ten minutes, so that it costs no memory. Only the configured
 * issuer is asked, by https, within bounds on time and bytes. No error holds a token, a code or a secret.
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as OpenIdClient from 'openid-client';
import type { Clock } from '../../telemetry/ports.ts';
import { cookieOf, removeCookie, setCookie } from './cookies.ts';
import type { Seal } from './seal.ts';

export interface ProviderSettings {
  /** Address of the issuer, by https. */
  readonly issuer: string;
  readonly clientId: string;
  /** File with the secret of the client; empty: a public client, which PKCE alone protects. */
  readonly clientSecretFile: string;
  /** Separated by spaces. */
  readonly scopes: string;
  /** Name of the provider for people. */
  readonly name: string;
  /** Origin by which browsers reach the API, such as `https://tautline.example.com`. */
  readonly publicUrl: string;
}

export interface ProviderOptions extends ProviderSettings {
  readonly seal: Seal;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
}

export interface Provider {
  readonly name: string;
  /** Sets the cookie of the flow. Returns the address to which the browser goes. Throws SignInError. */
  readonly start: (request: IncomingMessage, response: ServerResponse, returnTo: string) => Promise<string>;
  /** Reads the answer of the provider, and removes the cookie of the flow. Throws SignInError. */
  readonly finish: (request: IncomingMessage, response: ServerResponse) => Promise<SignedIn>;
}

export interface SignedIn {
  readonly idToken: string;
  /** Local path from which the person began. */
  readonly returnTo: string;
  readonly isSecure: boolean;
}

/** `message` is for the person; `reason` is one word of the protocol for the log, without any value. */
export class SignInError extends Error {
  readonly code: 'FlowUnknown' | 'ProviderUnavailable' | 'ProviderRefused';
  readonly reason: string;

  constructor(code: SignInError['code'], message: string, reason: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export const CALLBACK_PATH = '/api/v1/session/oidc/callback';

/** The browser keeps it during the flow. */
interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** The provider sends the browser back from another site, and that navigation carries no Strict cookie. */
const COOKIE = { name: 'tautline-sign-in', sameSite: 'Lax' } as const;
const PURPOSE = 'sign-in';
const FLOW_MS = 10 * 60_000;
const TIMEOUT_S = 5;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Metadata of the provider and the secret of the client are read again after this time. */
const METADATA_AGE_MS = 10 * 60_000;

export function createProvider(options: ProviderOptions): Provider {
  const { clock, name, publicUrl, scopes, seal } = options;
  const isSecure = publicUrl.startsWith('https:');
  const connect = keepClient(options);
  const redirectUri = new URL(CALLBACK_PATH, publicUrl);
  const flowOf = (request: IncomingMessage): Flow => {
    const text = seal.open(PURPOSE, cookieOf(request, COOKIE.name) ?? '');
    const flow = text === undefined ? undefined : (JSON.parse(text) as Flow);
    if (flow && flow.expiresAtMs > clock.now()) return flow;
    const message = `the sign-in was not begun at ${publicUrl} within the last ten minutes: begin it again`;
    throw new SignInError('FlowUnknown', message, flow ? 'expired' : 'no cookie');
  };
  return {
    name,
    async start(request, response, returnTo) {
      const { client, configuration } = await connect();
      const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
      const flow: Flow = { state, nonce, verifier, returnTo, expiresAtMs: clock.now() + FLOW_MS };
      const value = seal.close(PURPOSE, JSON.stringify(flow));
      setCookie(request, response, { ...COOKIE, isSecure, value, maxAgeS: FLOW_MS / 1000 });
      const address = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri.href,
        response_type: 'code',
        scope: scopes,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      return address.href;
    },
    async finish(request, response) {
      const flow = flowOf(request);
      // The code of a flow is good for one use.
      removeCookie(request, response, COOKIE);
      const { client, configuration } = await connect();
      const answered = new URL(redirectUri);
      answered.search = new URL(request.url ?? '', publicUrl).search;
      const checks = { pkceCodeVerifier: flow.verifier, expectedState: flow.state, expectedNonce: flow.nonce };
      const tokens = await client.authorizationCodeGrant(configuration, answered, checks).catch(refusedBy(name));
      const { id_token: idToken } = tokens;
      if (idToken === undefined) {
        throw new SignInError('ProviderRefused', `${name} did not send an id token`, 'no id token');
      }
      return { idToken, returnTo: flow.returnTo, isSecure };
    },
  };
}

interface Client {
  readonly client: typeof OpenIdClient;
  readonly configuration: OpenIdClient.Configuration;
}

/** Callers share a client and the requests that make it. One that cannot be made is tried again by the next caller. */
function keepClient(options: ProviderOptions): () => Promise<Client> {
  const { clock, name } = options;
  let made: Promise<Client> | undefined;
  let goodUntilMs = 0;
  return () => {
    if (made && clock.monotonicMs() < goodUntilMs) return made;
    goodUntilMs = Infinity;
    made = makeClient(options).then(
      (client) => {
        goodUntilMs = clock.monotonicMs() + METADATA_AGE_MS;
        return client;
      },
      (error: unknown) => {
        goodUntilMs = 0;
        throw new SignInError('ProviderUnavailable', `${name} cannot be reached, try again later`, wordOf(error));
      },
    );
    return made;
  };
}

async function makeClient({ issuer, clientId, clientSecretFile }: ProviderSettings): Promise<Client> {
  // Loaded by the first sign-in, since most agents have no provider.
  const client = await import('openid-client');
  const options = { timeout: TIMEOUT_S, [client.customFetch]: fetchBounded };
  const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), options);
  if (clientSecretFile === '') return { client, configuration: found };
  const secret = await readSecret(clientSecretFile);
  const metadata = found.serverMetadata();
  // RFC 8414: this is the method of a provider that names none.
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const takesBasic = methods.includes('client_secret_basic');
  const authentication = takesBasic ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);
  const configuration = new client.Configuration(metadata, clientId, undefined, authentication);
  configuration.timeout = TIMEOUT_S;
  configuration[client.customFetch] = fetchBounded;
  return { client, configuration };
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw Object.assign(new Error('unreadable'), { code: `clientSecretFile.${wordOf(error)}` });
  }
}

/** As fetch, for one answer of at most MAX_ANSWER_BYTES. Redirections are not followed. */
async function fetchBounded(url: string, init: OpenIdClient.CustomFetchOptions): Promise<Response> {
  const answer = await fetch(url, init as RequestInit);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('the answer of the provider is too large');
    chunks.push(chunk);
  }
  const { headers, status, statusText } = answer;
  return new Response(chunks.length > 0 ? Buffer.concat(chunks) : null, { headers, status, statusText });
}

function refusedBy(name: string): (error: unknown) => never {
  return (error) => {
    const word = wordOf(error);
    if (word === 'access_denied') throw new SignInError('ProviderRefused', `${name} refused the sign-in`, word);
    throw new SignInError('ProviderRefused', `${name} did not confirm the sign-in (${word}): begin it again`, word);
  };
}

/** The word of the protocol or of Node for an error. Messages and causes may hold the answer, and so a token. */
function wordOf(error: unknown): string {
  const {
    error: word,
    code,
    cause,
  } = error as {
    readonly error?: unknown;
    readonly code?: unknown;
    readonly cause?: { readonly code?: unknown };
  };
  for (const found of [word, cause?.code, code]) {
    if (typeof found === 'string' && /^[\w.-]{1,60}$/.test(found)) return found;
  }
  return 'unknown';
}
