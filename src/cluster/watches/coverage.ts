/**
 * Which watches cover the namespaces that are held of one kind by one identity: one for each namespace, or a single one
 * over all of them where several are held and the identity may.
 *
 * Invariant: while a namespace is held a watch covers it, or `scopeOf` says why none does: for now (`failed`), or since
 * list and watch are forbidden, not served or too many (`polled`), so that its objects are to be read by name. The one
 * watch over all namespaces replaces those of single ones as soon as its list is complete, never before.
 */
import type { Clock } from '../../telemetry/ports.ts';
import type { Refusal } from '../answers.ts';
import type { KindInfo } from '../kinds.ts';
import type { ClusterLimits } from '../limits.ts';
import type { Watch } from './watch.ts';

export interface CoverageOptions {
  readonly kind: KindInfo;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly limits: Pick<ClusterLimits, 'accessReviewMs'>;
  /** Whether the identity may watch the kind in all namespaces. */
  readonly mayWatchEverywhere: () => Promise<boolean>;
  /** Takes one of the cluster's watches, or false when all that this identity may have are in use. */
  readonly takeWatch: () => boolean;
  readonly giveWatchBack: () => void;
  readonly startWatch: (namespace: string, onState: OnState) => Watch;
  /** Nothing covers this namespace any more. */
  readonly onDropped: (namespace: string) => void;
}

export type OnState = (state: 'live' | 'failed', refusal?: Refusal) => void;

export interface Coverage {
  /** Resolves once every namespace that is held has listed or failed. */
  hold(holder: string, namespaces: ReadonlySet<string>): Promise<void>;
  /** True when nobody holds anything any more: all watches have stopped. */
  release(holder: string): boolean;
  /** The watch that tells about a namespace, if one does. */
  scopeOf(namespace: string): Pick<Scope, 'state' | 'reason' | 'sinceMs'> | undefined;
  /** The holder's namespaces that may not be watched. */
  polledFor(holder: string): { readonly namespace: string; readonly reason: string }[];
  /** Whether this very watch (the empty string: over all namespaces) has listed and is in order. */
  isLive(namespace: string): boolean;
  stop(): void;
}

interface Scope {
  readonly namespace: string;
  state: 'listing' | 'live' | 'failed' | 'polled';
  reason: string;
  /** When it came into this state, by the monotonic clock. */
  sinceMs: number;
  failedAtMs: number;
  /** Resolves at its first list or failure, and when it is stopped. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
  watch: Watch | undefined;
}

interface State {
  readonly options: CoverageOptions;
  readonly holders: Map<string, ReadonlySet<string>>;
  readonly scopes: Map<string, Scope>;
  /** What the last look-up of rights said. */
  everywhere: { isAllowed: boolean; askedAtMs: number } | undefined;
}

/** A scope that failed is tried again when somebody asks for it, but not more often than so. */
const MIN_RETRY_MS = 2_000;

export function createCoverage(options: CoverageOptions): Coverage {
  const state: State = { options, holders: new Map(), scopes: new Map(), everywhere: undefined };
  const { holders, scopes } = state;
  const scopeOf = (namespace: string): Scope | undefined => {
    const wide = scopes.get('');
    return wide?.state === 'live' ? wide : (scopes.get(namespace) ?? wide);
  };
  return {
    async hold(holder, namespaces) {
      holders.set(holder, namespaces);
      retryFailed(state);
      await cover(state);
    },
    release(holder) {
      holders.delete(holder);
      if (holders.size > 0) trim(state);
      else stopAll(state);
      return holders.size === 0;
    },
    scopeOf,
    polledFor(holder) {
      return [...(holders.get(holder) ?? [])].flatMap((namespace) => {
        const scope = scopeOf(namespace);
        return scope?.state === 'polled' ? [{ namespace, reason: scope.reason }] : [];
      });
    },
    isLive: (namespace) => scopes.get(namespace)?.state === 'live',
    stop() {
      holders.clear();
      stopAll(state);
    },
  };
}

/** Starts what is needed, waits for it, and starts over if meanwhile something else is needed. */
async function cover(state: State): Promise<void> {
  for (;;) {
    await decideEverywhere(state);
    const needed = neededScopes(state);
    const scopes = [...needed].map((namespace) => state.scopes.get(namespace) ?? startScope(state, namespace));
    await Promise.all(scopes.map(({ settled }) => settled));
    if ([...neededScopes(state)].every((namespace) => needed.has(namespace))) break;
  }
  trim(state);
}

function heldNamespaces({ holders }: State): Set<string> {
  const held = new Set<string>();
  for (const namespaces of holders.values()) for (const namespace of namespaces) held.add(namespace);
  return held;
}

/** Which watches there should be: keys of `scopes`. */
function neededScopes(state: State): Set<string> {
  const { options, everywhere, scopes } = state;
  const held = heldNamespaces(state);
  if (held.size === 0) return held;
  const isWide = !options.kind.namespaced || held.has('') || (held.size > 1 && everywhere?.isAllowed === true);
  const keepsWide = scopes.has('') && everywhere?.isAllowed !== false;
  return isWide || keepsWide ? new Set(['']) : held;
}

/** Asks for the right to watch everywhere when a second namespace comes along; costs nothing otherwise. */
async function decideEverywhere(state: State): Promise<void> {
  const { options, scopes, everywhere } = state;
  const held = heldNamespaces(state);
  const hasNew = [...held].some((namespace) => !scopes.has(namespace));
  if (!options.kind.namespaced || held.has('') || held.size < 2 || !hasNew || scopes.has('')) return;
  const nowMs = options.clock.monotonicMs();
  if (everywhere && nowMs - everywhere.askedAtMs < options.limits.accessReviewMs) return;
  state.everywhere = { isAllowed: await options.mayWatchEverywhere(), askedAtMs: nowMs };
}

function startScope(state: State, namespace: string): Scope {
  const { options } = state;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { watchable, kind } = options.kind;
  const canWatch = watchable && options.takeWatch();
  const nowMs = options.clock.monotonicMs();
  const reason = watchable ? 'all watches that it may hold are in use' : `the API of ${kind} serves no watch`;
  const scope: Scope = {
    namespace,
    state: canWatch ? 'listing' : 'polled',
    reason: canWatch ? 'its first list is not complete' : reason,
    sinceMs: nowMs,
    failedAtMs: nowMs,
    settled: promise,
    settle: resolve,
    watch: undefined,
  };
  state.scopes.set(namespace, scope);
  if (canWatch) scope.watch = options.startWatch(namespace, (...news) => noteState(state, scope, news));
  else resolve();
  return scope;
}

function noteState(state: State, scope: Scope, [news, refusal]: Parameters<OnState>): void {
  const { options } = state;
  const nowMs = options.clock.monotonicMs();
  const next = refusal?.code === 'Forbidden' ? 'polled' : news;
  if (next !== scope.state) scope.sinceMs = nowMs;
  scope.state = next;
  scope.reason = refusal?.message ?? '';
  scope.failedAtMs = nowMs;
  scope.settle();
  const isAsked = !options.kind.namespaced || heldNamespaces(state).has('');
  if (next !== 'polled' || scope.namespace !== '' || isAsked) return;
  // The right to watch everywhere is gone: back to one watch for each namespace.
  state.everywhere = { isAllowed: false, askedAtMs: nowMs };
  void cover(state);
}

function retryFailed(state: State): void {
  const { clock, kind } = state.options;
  const nowMs = clock.monotonicMs();
  for (const scope of [...state.scopes.values()]) {
    if (!scope.watch && kind.watchable && isWatchFree(state)) stopScope(state, scope);
    else if (scope.state === 'failed' && nowMs - scope.failedAtMs > MIN_RETRY_MS) scope.watch?.retryNow();
  }
}

function isWatchFree({ options }: State): boolean {
  const isFree = options.takeWatch();
  if (isFree) options.giveWatchBack();
  return isFree;
}

/** Ends watches that nobody needs; a namespace's own only once the one over all of them serves it. */
function trim(state: State): void {
  const needed = neededScopes(state);
  const isWide = needed.has('');
  if (isWide && state.scopes.get('')?.state !== 'live') return;
  for (const scope of [...state.scopes.values()]) {
    if (needed.has(scope.namespace)) continue;
    stopScope(state, scope);
    if (!isWide && scope.namespace !== '') state.options.onDropped(scope.namespace);
  }
}

function stopScope({ scopes, options }: State, scope: Scope): void {
  scope.watch?.stop();
  scope.settle();
  if (scope.watch) options.giveWatchBack();
  scopes.delete(scope.namespace);
}

function stopAll(state: State): void {
  for (const scope of [...state.scopes.values()]) stopScope(state, scope);
}
