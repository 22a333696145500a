/** Shared by the tests of the status API: Applications, and a hub that knows a few tokens. */
import type { Express } from 'express';
import { parseApplication } from '../../../src/application/parse.ts';
import type { AccessQuestion, AccessReviews, CallerClient, User } from '../../../src/cluster/ports.ts';
import { DATA_KINDS, kindKey, type Kinds } from '../../../src/cluster/kinds.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import { apiRoutes, type AnonymousRead } from '../../../src/server/api/api.ts';
import type { SignInSettings } from '../../../src/server/session/sign-in-settings.ts';
import type { ApplicationIndex } from '../../../src/server/api/rows.ts';
import type { StreamLimits } from '../../../src/server/api/stream.ts';
import type { KnownApplication } from '../../../src/server/api/views.ts';
import type { Page } from '../../../src/server/page.ts';
import type { Clock, Log, LogFields } from '../../../src/telemetry/ports.ts';

/** The header of a caller with all rights. */
export const ADMIN = { authorization: 'Bearer admin' };

export interface Recorded extends Log {
  readonly errors: (LogFields | undefined)[];
  readonly warnings: (LogFields | undefined)[];
}

export function recordingLog(): Recorded {
  const errors: (LogFields | undefined)[] = [];
  const warnings: (LogFields | undefined)[] = [];
  return {
    errors,
    warnings,
    debug() {},
    info() {},
    warn: (_message, fields) => void warnings.push(fields),
    error: (_message, fields) => void errors.push(fields),
  };
}

export function applicationNamed(name: string, more: Record<string, KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name, uid: 'u', resourceVersion: '1', generation: 1 },
    spec: { source: { repoURL: 'https://git.example.com/shop.git' } },
    ...more,
  };
}

export function knownAs(stored: KubeObject): KnownApplication {
  return { parsed: parseApplication(stored), view: undefined, trial: undefined, desiredOf: () => undefined };
}

export function indexOf(...known: KnownApplication[]): ApplicationIndex {
  return {
    list: () => known,
    get: (namespace, name) =>
      known.find(({ parsed }) => {
        const { metadata } = parsed.ok ? parsed.application : parsed;
        return metadata.namespace === namespace && metadata.name === name;
      }),
  };
}

export interface Reviews extends AccessReviews {
  /** The tokens and the questions that were reviewed, in order. */
  readonly asked: string[];
}

/** Users by token; `rights` answers each question of a user. The user `admin` may do everything. */
export function reviewsOf(
  users: readonly string[] = [],
  rights: (user: string, question: AccessQuestion) => boolean = () => false,
): Reviews {
  const asked: string[] = [];
  return {
    asked,
    async authenticate(token): Promise<User | undefined> {
      asked.push(`token ${token}`);
      if (token !== 'admin' && !users.includes(token)) return undefined;
      return { username: token, uid: '', groups: [], extra: {} };
    },
    async authorize({ username }, question) {
      asked.push(`${username} ${Object.values(question).join(' ')}`);
      return username === 'admin' || rights(username, question);
    },
  };
}

const KINDS: Kinds = {
  served: new Map(Object.values(DATA_KINDS).map((info) => [kindKey(info.version, info.kind), info])),
  stale: new Set(),
  preferred: new Map([['', 'v1']]),
};

const EMPTY_CLUSTER: CallerClient = {
  get: () => Promise.resolve({ ok: true, object: undefined }),
  listBySelector: () => Promise.resolve({ ok: true, objects: [] }),
  readLog: () => Promise.resolve({ ok: true, text: '' }),
  readApplication: () => Promise.resolve({ ok: true, object: undefined }),
  patchApplication: (object) => Promise.resolve({ ok: true, object }),
};

export interface ApiScene {
  readonly index?: ApplicationIndex;
  readonly log?: Log;
  readonly reviews?: AccessReviews;
  readonly anonymousRead?: AnonymousRead;
  readonly clock?: Clock;
  /** The answers of the API server to callers. Default: nothing exists. */
  readonly cluster?: Partial<CallerClient>;
  readonly streamLimits?: StreamLimits;
  readonly kinds?: Kinds;
  readonly signIn?: Partial<SignInSettings>;
  readonly hosts?: readonly string[];
  readonly page?: Page | undefined;
}

export function api({
  index = indexOf(),
  log = recordingLog(),
  reviews = reviewsOf(),
  anonymousRead = 'nothing',
  clock = { now: () => Date.now(), monotonicMs: () => performance.now() },
  cluster = {},
  kinds = KINDS,
  streamLimits,
  signIn = {},
  hosts = [],
  page,
}: ApiScene): Express {
  const asCaller = (): CallerClient => ({ ...EMPTY_CLUSTER, ...cluster });
  const hub = { reviews, kinds: () => Promise.resolve(kinds), asCaller };
  return apiRoutes({
    applications: index,
    hub,
    anonymousRead,
    hosts,
    signIn: { publicUrl: undefined, sessionSecret: undefined, provider: undefined, ...signIn },
    page,
    log,
    clock,
    ...(streamLimits && { streamLimits }),
  });
}
