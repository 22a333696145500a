/**
 * The watches that cover the wanted namespaces of one kind for one identity: one watch for each namespace, or a single
 * cluster-wide one where several namespaces are wanted and the identity may watch all of them.
 *
 * Invariant: a watch covers every wanted namespace, or `scopeOf` says why none does. `failed`: for now. `polled`: list
 * and watch are forbidden or not served, or the limit of watches is reached, so its objects are to be read by name. The
 * cluster-wide watch replaces those of single namespaces once its list is complete, never before.
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
  /** Takes one of the watches that the identity may have; false if all are in use. */
  readonly takeWatch: () => boolean;
  readonly giveWatchBack: () => void;
  /** An empty namespace: cluster-wide. */
  readonly startWatch: (namespace: string, onState: OnWatchState) => Watch;
  /** The namespace is no longer wanted, and its watch has ended. */
  readonly onDropped: (namespace: string) => void;
}

/** `open`: the first list is complete and the watch is in order; `failed`: it is not, and is retried. */
export type OnWatchState = (state: 'open' | 'failed', refusal?: Refusal) => void;

export interface Coverage {
  /** Replaces the namespaces that an Application needs. Resolves once every wanted namespace has listed or failed. */
  keepWatched(application: string, namespaces: ReadonlySet<string>): Promise<void>;
  /** Returns true if no Application is left; then all watches have stopped. */
  release(application: string): boolean;
  /** The scope whose watch covers a namespace, if there is one. */
  scopeOf(namespace: string): Pick<Scope, 'state' | 'reason' | 'sinceMs'> | undefined;
  /** The namespaces of an Application in the state `polled`. */
  polledFor(application: string): { readonly namespace: string; readonly reason: string }[];
  /** Whether the watches of all namespaces of an Application are open. */
  isOpenFor(application: string): boolean;
  /** Whether the watch of exactly this namespace (empty: the cluster-wide one) is open. */
  isOpen(namespace: string): boolean;
  stop(): void;
}

interface Scope {
  readonly namespace: string;
  state: 'listing' | 'open' | 'failed' | 'polled';
  reason: string;
  /** When it entered this state, by the monotonic clock. */
  sinceMs: number;
  failedAtMs: number;
  /** Resolves at its first list or failure, or when it is stopped. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
  watch: Watch | undefined;
}

interface CoverageState {
  readonly options: CoverageOptions;
  /** By Application: the namespaces that it needs. */
  readonly namespacesOf: Map<string, ReadonlySet<string>>;
  readonly scopes: Map<string, Scope>;
  /** The result of the last access review of the right to watch all namespaces. */
  wideAccess: { isAllowed: boolean; reviewedAtMs: number } | undefined;
}

/** The least time between two retries of a failed scope that `keepWatched` brings about. */
const MIN_RETRY_MS = 2_000;

export function createCoverage(options: CoverageOptions): Coverage {
  const state: CoverageState = { options, namespacesOf: new Map(), scopes: new Map(), wideAccess: undefined };
  const { namespacesOf, scopes } = state;
  const scopeOf = (namespace: string): Scope | undefined => {
    const wide = scopes.get('');
    return wide?.state === 'open' ? wide : (scopes.get(namespace) ?? wide);
  };
  return {
    async keepWatched(application, namespaces) {
      namespacesOf.set(application, namespaces);
      retryFailed(state);
      await cover(state);
    },
    release(application) {
      namespacesOf.delete(application);
      if (namespacesOf.size > 0) trim(state);
      else stopAll(state);
      return namespacesOf.size === 0;
    },
    scopeOf,
    polledFor(application) {
      return [...(namespacesOf.get(application) ?? [])].flatMap((namespace) => {
        const scope = scopeOf(namespace);
        return scope?.state === 'polled' ? [{ namespace, reason: scope.reason }] : [];
      });
    },
    isOpenFor: (application) =>
      [...(namespacesOf.get(application) ?? [])].every((namespace) => scopeOf(namespace)?.state === 'open'),
    isOpen: (namespace) => scopes.get(namespace)?.state === 'open',
    stop() {
      namespacesOf.clear();
      stopAll(state);
    },
  };
}

/** Starts the needed watches and waits for them; starts over if other watches are needed by then. */
async function cover(state: CoverageState): Promise<void> {
  for (;;) {
    await reviewWideAccess(state);
    const needed = neededScopes(state);
    const scopes = [...needed].map((namespace) => state.scopes.get(namespace) ?? startScope(state, namespace));
    await Promise.all(scopes.map(({ settled }) => settled));
    if ([...neededScopes(state)].every((namespace) => needed.has(namespace))) break;
  }
  trim(state);
}

function wantedNamespaces({ namespacesOf }: CoverageState): Set<string> {
  const wanted = new Set<string>();
  for (const namespaces of namespacesOf.values()) for (const namespace of namespaces) wanted.add(namespace);
  return wanted;
}

/** The namespaces that should have a watch: keys of `scopes`. */
function neededScopes(state: CoverageState): Set<string> {
  const { options, wideAccess, scopes } = state;
  const wanted = wantedNamespaces(state);
  if (wanted.size === 0) return wanted;
  const isWide = !options.kind.isNamespaced || wanted.has('') || (wanted.size > 1 && wideAccess?.isAllowed === true);
  const shouldKeepWide = scopes.has('') && wideAccess?.isAllowed !== false;
  return isWide || shouldKeepWide ? new Set(['']) : wanted;
}

/** Reviews the right to watch all namespaces when another namespace is wanted; sends no request otherwise. */
async function reviewWideAccess(state: CoverageState): Promise<void> {
  const { options, scopes, wideAccess } = state;
  const wanted = wantedNamespaces(state);
  const hasNew = [...wanted].some((namespace) => !scopes.has(namespace));
  if (!options.kind.isNamespaced || wanted.has('') || wanted.size < 2 || !hasNew || scopes.has('')) return;
  const nowMs = options.clock.monotonicMs();
  if (wideAccess && nowMs - wideAccess.reviewedAtMs < options.limits.accessReviewMs) return;
  state.wideAccess = { isAllowed: await options.mayWatchEverywhere(), reviewedAtMs: nowMs };
}

function startScope(state: CoverageState, namespace: string): Scope {
  const { options } = state;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { isWatchable, kind } = options.kind;
  const canWatch = isWatchable && options.takeWatch();
  const nowMs = options.clock.monotonicMs();
  const whyPolled = isWatchable
    ? 'all watches that its account may use are in use'
    : `the API of ${kind} serves no watch`;
  const scope: Scope = {
    namespace,
    state: canWatch ? 'listing' : 'polled',
    reason: canWatch ? 'its first list is not complete yet' : whyPolled,
    sinceMs: nowMs,
    failedAtMs: nowMs,
    settled: promise,
    settle: resolve,
    watch: undefined,
  };
  state.scopes.set(namespace, scope);
  if (canWatch) scope.watch = options.startWatch(namespace, (...change) => noteState(state, scope, change));
  else resolve();
  return scope;
}

function noteState(state: CoverageState, scope: Scope, [watchState, refusal]: Parameters<OnWatchState>): void {
  const { options } = state;
  const nowMs = options.clock.monotonicMs();
  const next = refusal?.code === 'Forbidden' ? 'polled' : watchState;
  if (next !== scope.state) scope.sinceMs = nowMs;
  scope.state = next;
  scope.reason = refusal?.message ?? '';
  scope.failedAtMs = nowMs;
  scope.settle();
  const isWideWanted = !options.kind.isNamespaced || wantedNamespaces(state).has('');
  if (next !== 'polled' || scope.namespace !== '' || isWideWanted) return;
  // The right to watch all namespaces was withdrawn: go back to one watch for each namespace.
  state.wideAccess = { isAllowed: false, reviewedAtMs: nowMs };
  void cover(state);
}

function retryFailed(state: CoverageState): void {
  const { clock, kind } = state.options;
  const nowMs = clock.monotonicMs();
  for (const scope of [...state.scopes.values()]) {
    if (!scope.watch && kind.isWatchable && isWatchFree(state)) stopScope(state, scope);
    else if (scope.state === 'failed' && nowMs - scope.failedAtMs > MIN_RETRY_MS) scope.watch?.retryNow();
  }
}

function isWatchFree({ options }: CoverageState): boolean {
  const isFree = options.takeWatch();
  if (isFree) options.giveWatchBack();
  return isFree;
}

/** Stops watches that are no longer needed; those of namespaces only once the cluster-wide one is open. */
function trim(state: CoverageState): void {
  const needed = neededScopes(state);
  const isWide = needed.has('');
  if (isWide && state.scopes.get('')?.state !== 'open') return;
  for (const scope of [...state.scopes.values()]) {
    if (needed.has(scope.namespace)) continue;
    stopScope(state, scope);
    if (!isWide && scope.namespace !== '') state.options.onDropped(scope.namespace);
  }
}

function stopScope({ scopes, options }: CoverageState, scope: Scope): void {
  scope.watch?.stop();
  scope.settle();
  if (scope.watch) options.giveWatchBack();
  scopes.delete(scope.namespace);
}

function stopAll(state: CoverageState): void {
  for (const scope of [...state.scopes.values()]) stopScope(state, scope);
}
