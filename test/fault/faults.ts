/**
 * Named faults of an API server and of a Git server, from which tests draw. Each fault ends by itself, so that the
 * agent has to recover without help.
 */
import type { GitReaction, GitRequestHook } from '../support/git-server.ts';
import type { Fault, FaultRule } from './proxy.ts';

/**
 * Faults of an API server, or of a proxy in front of it. `fraction` (0 to 1) sets the delay or the number of bytes,
 * where the fault has one.
 */
export const API_FAULTS = {
  reset: () => ({ type: 'reset' }),
  'answer lost': () => ({ type: 'lose-answer' }),
  conflict: () => answer(409, 'Conflict', 'the object has been modified'),
  gone: () => answer(410, 'Expired', 'too old resource version'),
  throttled: () => answer(429, 'TooManyRequests', 'try again', { 'retry-after': '1' }),
  'server error': () => answer(500, 'InternalError', 'something is wrong'),
  unavailable: () => ({ type: 'answer', status: 503, body: 'upstream connect error' }),
  'gateway time-out': () => ({ type: 'answer', status: 504, body: '<html>504 Gateway Time-out</html>' }),
  'redirect to another host': () => moved('https://localhost:9'),
  'redirect to another scheme': () => moved('http://127.0.0.1:9'),
  slow: (fraction) => ({ type: 'delay', delayMs: 50 + Math.round(fraction * 1000) }),
  silent: () => ({ type: 'silence' }),
  'body cut': (fraction) => ({ type: 'cut', afterBytes: Math.round(fraction * 2000) }),
  'body cut as if whole': (fraction) => ({ type: 'cut', afterBytes: Math.round(fraction * 2000), isClean: true }),
  'body stalls': (fraction) => ({ type: 'stall', afterBytes: Math.round(fraction * 2000) }),
} as const satisfies Record<string, (fraction: number) => Fault>;

/** The requests to which a fault can apply. */
export const API_TARGETS = {
  apply: { method: 'PATCH', path: /\/configmaps\// },
  prune: { method: 'DELETE', path: /\/configmaps\// },
  read: { method: 'GET', path: /\/configmaps\/[^?]/ },
  status: { method: 'PUT', path: /\/applications\/[^/]+\/status/ },
  marks: { method: 'PATCH', path: /\/applications\// },
  watch: { method: 'GET', path: /[?&]watch=/ },
  list: { method: 'GET', path: /\/(configmaps|applications)\?(?!.*watch=)/ },
  anything: { path: /./ },
} as const satisfies Record<string, Pick<FaultRule, 'method' | 'path'>>;

/**
 * Faults that are replaced by a reset on a watch, which may rightly be silent for minutes. Tests of watches with
 * shorter limits cover silence.
 */
const TOO_LONG_FOR_A_WATCH: ReadonlySet<string> = new Set(['silent', 'body stalls']);

export type ApiFaultName = keyof typeof API_FAULTS;
export type ApiTargetName = keyof typeof API_TARGETS;

export interface ApiFault {
  readonly fault: ApiFaultName;
  readonly target: ApiTargetName;
  readonly fraction: number;
  readonly times: number;
}

export function apiRule({ fault, target, fraction, times }: ApiFault): FaultRule {
  const { path, ...rest } = API_TARGETS[target];
  const isForWatches = target === 'watch' || target === 'anything';
  const chosen = isForWatches && TOO_LONG_FOR_A_WATCH.has(fault) ? 'reset' : fault;
  return { ...rest, path, times, fault: API_FAULTS[chosen](fraction) };
}

/** Faults of a Git server, or of a proxy in front of it. `fraction` (0 to 1) sets the number of bytes. */
export const GIT_FAULTS = {
  reset: () => ({ cutAfterBytes: 0 }),
  'body cut': (fraction) => ({ cutAfterBytes: Math.round(fraction * 600) }),
  'body cut as if whole': (fraction) => ({ cutAfterBytes: Math.round(fraction * 600), isClean: true }),
  // Cuts the advertisement after its first packet (30 bytes) or after the flush packet that follows (34 bytes).
  'body cut at a packet': (fraction) => ({ cutAfterBytes: fraction < 0.5 ? 30 : 34, isClean: true }),
  missing: () => ({ status: 404, body: 'not found' }),
  unauthorized: () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="git"' } }),
  throttled: () => ({ status: 429, headers: { 'retry-after': '1' } }),
  'server error': () => ({ status: 500, body: '<html>500</html>' }),
  unavailable: () => ({ status: 503, body: '' }),
  'gateway time-out': () => ({ status: 504, body: '' }),
  'another page': () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>sign in</html>' }),
  'redirect to another host': () => redirect('http://localhost:9/away.git'),
  'redirect to another port': () => redirect('http://127.0.0.1:9/away.git'),
  'redirect to another scheme': () => redirect('file:///etc/passwd'),
} as const satisfies Record<string, (fraction: number) => GitReaction>;

export type GitFaultName = keyof typeof GIT_FAULTS | 'slow' | 'silent';

export const GIT_FAULT_NAMES: readonly GitFaultName[] = [
  ...(Object.keys(GIT_FAULTS) as (keyof typeof GIT_FAULTS)[]),
  'slow',
  'silent',
];

export interface GitFault {
  readonly fault: GitFaultName;
  readonly fraction: number;
  readonly times: number;
}

/** Applies the fault to the first `times` requests whose path begins with the prefix; all others pass. */
export function gitHook({ fault, fraction, times }: GitFault, pathPrefix: string): GitRequestHook {
  let left = times;
  return async ({ path }) => {
    if (!path.startsWith(pathPrefix) || left-- <= 0) return undefined;
    if (fault === 'slow') return pause(50 + fraction * 1000);
    // Longer than the silence that the agent allows (--git-timeout 4s in trials).
    if (fault === 'silent') return pause(6_000);
    return GIT_FAULTS[fault](fraction);
  };
}

function pause(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), delayMs).unref());
}

function redirect(location: string): GitReaction {
  return { status: 302, headers: { location } };
}

function moved(location: string): Fault {
  return { type: 'answer', status: 302, headers: { location }, body: '' };
}

function answer(status: number, reason: string, message: string, headers: Record<string, string> = {}): Fault {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message };
  return { type: 'answer', status, headers, body };
}
