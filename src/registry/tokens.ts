/**
 * Answers the challenge of a registry: with the credential itself (Basic), or with a token that its authorization
 * server gives for it (Bearer, the token protocol of the distribution specification).
 *
 * Invariants: the authorization server is named by the registry and gets the credential, so it is asked over https
 * only, and only at a host of the registry's own domain or one that the settings name. A token is remembered for one
 * artifact and one credential, and not beyond its time.
 */
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import type { Credential, Login } from '../source/credential.ts';
import type { Clock } from '../telemetry/ports.ts';
import { readChallenges, type Challenge } from './challenge.ts';
import type { RegistryLimits } from './limits.ts';
import type { ArtifactReference } from './reference.ts';
import { malformedAnswer } from './registry-error.ts';
import { statusError } from './status-error.ts';
import { readAll, type Web, type WebAnswer } from './web.ts';

/** An artifact as one credential sees it. */
export interface ArtifactPlace extends ArtifactReference {
  readonly credential: Credential | undefined;
  /** The same for all requests with the same address and credential. */
  readonly key: string;
}

export interface Tokens {
  /** The header to send without being asked. */
  known(place: ArtifactPlace): string | undefined;
  /** The header that answers a refusal. undefined: there is none to send. Throws StageError. */
  answerTo(refusal: WebAnswer, place: ArtifactPlace, signal: AbortSignal): Promise<string | undefined>;
}

export interface TokensOptions {
  readonly web: Web;
  readonly limits: RegistryLimits;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Hosts beside those of the registry's domain: `host` or `*.host`. */
  readonly tokenHosts: readonly string[];
}

interface Known {
  readonly authorization: string;
  /** Monotonic. */
  readonly untilMs: number;
}

/** The time for which a token without a time of its own counts (distribution specification). */
const DEFAULT_LIFE_S = 60;
const MAX_LIFE_S = 3_600;
const EARLY_MS = 10_000;

export function createTokens(options: TokensOptions): Tokens {
  const { limits, clock } = options;
  /** By key of the place, the latest last. */
  const remembered = new Map<string, Known>();

  function remember(key: string, known: Known): void {
    remembered.delete(key);
    remembered.set(key, known);
    const [oldest] = remembered.keys();
    if (remembered.size > limits.maxTokens && oldest !== undefined) remembered.delete(oldest);
  }

  return {
    known({ key }) {
      const known = remembered.get(key);
      return known && known.untilMs > clock.monotonicMs() ? known.authorization : undefined;
    },
    async answerTo(refusal, place, signal) {
      remembered.delete(place.key);
      const challenges = readChallenges(refusal.headers['www-authenticate']);
      const login = loginFor(place);
      const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
      if (bearer && login?.type !== 'bearer') {
        const { token, lifeS } = await askRealm(bearer, { place, login, signal, options });
        const authorization = `Bearer ${token}`;
        remember(place.key, { authorization, untilMs: clock.monotonicMs() + lifeS * 1000 - EARLY_MS });
        return authorization;
      }
      const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
      const isAskedFor = login?.type === 'bearer' ? bearer !== undefined : isBasic;
      if (!login || !isAskedFor) return undefined;
      const authorization = authorizationOf(login);
      remember(place.key, { authorization, untilMs: Infinity });
      return authorization;
    },
  };
}

/** The login of a credential for a registry: its own, or that of a dockerconfigjson Secret. */
export function loginFor({ credential, hosts }: Pick<ArtifactPlace, 'credential' | 'hosts'>): Login | undefined {
  if (credential?.login) return credential.login;
  const found = hosts.find((host) => credential?.registries?.has(host));
  return found === undefined ? undefined : credential?.registries?.get(found);
}

/** The header of RFC 7617 (in UTF-8) or of RFC 6750. */
export function authorizationOf(login: Login): string {
  if (login.type === 'bearer') return `Bearer ${login.token}`;
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

interface RealmQuestion {
  readonly place: ArtifactPlace;
  readonly login: Login | undefined;
  readonly signal: AbortSignal;
  readonly options: TokensOptions;
}

async function askRealm({ parameters }: Challenge, { place, login, signal, options }: RealmQuestion) {
  const { web, limits, tokenHosts } = options;
  const realm = URL.parse(parameters.get('realm') ?? '');
  if (!realm || realm.username || realm.password) {
    throw malformedAnswer(place.label, 'names no authorization server that can be asked');
  }
  if (!mayAskRealm(realm, new URL(place.origin), tokenHosts)) {
    throw sourceError(
      'RealmRefused',
      `The registry of ${place.label} sends clients to another host for a token (${cleanText(realm.origin)}), which would get the credentials. If it is the right one, the administrator of the agent can allow it (--registry-token-hosts).`,
    );
  }
  const service = parameters.get('service');
  if (service !== undefined) realm.searchParams.set('service', service);
  realm.searchParams.set('scope', `repository:${place.name}:pull`);
  const answer = await web.send({
    method: 'GET',
    url: realm.href,
    authorization: login && authorizationOf(login),
    credential: place.credential,
    label: `the authorization server of ${place.label}`,
    redirects: 'origin',
    maxBytes: limits.maxPageBytes,
    maxBytesName: 'maxPageBytes',
    timeoutMs: limits.requestTimeoutMs,
    signal,
  });
  const secret = login && place.credential?.secret;
  if (answer.status !== 200) throw await statusError(answer, { label: place.label, secret });
  return readToken(await readAll(answer), place);
}

function readToken(body: Buffer, { label }: ArtifactPlace): { readonly token: string; readonly lifeS: number } {
  let parsed: { token?: unknown; access_token?: unknown; expires_in?: unknown } | null;
  try {
    parsed = JSON.parse(body.toString('utf8')) as typeof parsed;
  } catch {
    parsed = null;
  }
  const token = parsed?.token ?? parsed?.access_token;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw malformedAnswer(`the authorization server of ${label}`, 'holds no token');
  }
  const life = Number(parsed?.expires_in ?? DEFAULT_LIFE_S);
  return { token, lifeS: life > 0 ? Math.min(life, MAX_LIFE_S) : DEFAULT_LIFE_S };
}

/** Exported for tests. `realm` is the address that a registry names for tokens. */
export function mayAskRealm(realm: URL, registry: URL, tokenHosts: readonly string[]): boolean {
  const [host, own] = [realm.hostname.toLowerCase(), registry.hostname.toLowerCase()];
  // A registry that speaks http itself sees the credentials in any case.
  if (realm.protocol !== 'https:') return realm.protocol === registry.protocol && host === own;
  if (host === own || host.endsWith(`.${own}`)) return true;
  const parent = /^[^.]+\.(.+)$/.exec(own)?.[1];
  if (parent !== undefined && isDomain(parent) && (host === parent || host.endsWith(`.${parent}`))) return true;
  return tokenHosts.some((allowed) => (allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed));
}

/** Whether a name is likely to belong to one organisation; not so `com`, `co.uk`, or a part of an IP address. */
function isDomain(name: string): boolean {
  return /\.[a-z]{2,}$/.test(name) && !/^[a-z]{1,3}\.[a-z]{2}$/.test(name);
}
