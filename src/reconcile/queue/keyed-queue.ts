/**
 * The keyed queue: what needs a pass, once each. Invariants: a key waits at most once; a key is worked on by one worker
 * at a time; what arrives for a key while it is worked on leads to one more pass afterwards; every wait has a bound.
 * Fair by construction: the tenant with the fewest workers comes first, and its keys in the order in which they became
 * due. While there are several tenants none takes every worker, since a Git server may keep one busy for minutes.
 * No key is served more often than its rate allows.
 */
import type { Chance } from '../../telemetry/ports.ts';
import { createPassRate, type PassRate } from './pass-rate.ts';

export interface QueueOptions {
  /** Does one pass. Resolves to when the key wants to come back by itself; a rejection means backoff. */
  readonly work: (key: string, signal: AbortSignal) => Promise<Again>;
  readonly concurrency: number;
  /** Whose a key is: its namespace. */
  readonly tenantOf: (key: string) => string;
  /** First and longest delay after a failure; each failure doubles the delay. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Of one key, on average. */
  readonly passesPerSecond: number;
  /** Keys beyond this many are refused: a bound, not a mode of operation. */
  readonly maxKeys: number;
  readonly chance: Chance;
  readonly onError: (key: string, error: unknown) => void;
}

/** What a pass wants next: nothing of its own, a backoff that grows with each such answer (to a bound), or a delay. */
export type Again =
  | { readonly type: 'none' }
  | { readonly type: 'backoff'; readonly atMostMs: number }
  | { readonly type: 'after'; readonly delayMs: number };

export interface QueueStats {
  /** Due, and not begun for want of a worker. */
  readonly waiting: number;
  readonly active: number;
  readonly added: number;
  readonly retries: number;
  /** The pass that has been under way for longest. */
  readonly longest: { readonly key: string; readonly runningMs: number } | undefined;
}

interface Tenant {
  keys: number;
  active: number;
}

interface KeyState {
  readonly tenant: Tenant;
  active: boolean;
  /** Due again as soon as the present pass ends. */
  dirty: boolean;
  ready: boolean;
  failures: number;
  timer: NodeJS.Timeout | undefined;
  dueAt: number;
  /** Monotonic; of the pass under way, or of the last one. */
  beganMs: number;
}

export class KeyedQueue {
  readonly #options: QueueOptions;
  readonly #keys = new Map<string, KeyState>();
  readonly #tenants = new Map<string, Tenant>();
  readonly #ready: string[] = [];
  readonly #rate: PassRate;
  readonly #stop = new AbortController();
  #active = 0;
  #added = 0;
  #retries = 0;
  #idle: (() => void) | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#rate = createPassRate(options.passesPerSecond);
  }

  /** Asks for a pass now. False if the queue is full or stopped. */
  add(key: string): boolean {
    if (this.#stop.signal.aborted) return false;
    const state = this.#state(key);
    if (!state) return false;
    this.#added++;
    this.#makeReady(key, state);
    return true;
  }

  /** Asks for a pass in `delayMs`; an earlier one that is already set stays. */
  addAfter(key: string, delayMs: number): boolean {
    if (delayMs <= 0) return this.add(key);
    if (this.#stop.signal.aborted) return false;
    const state = this.#state(key);
    if (!state || state.ready) return state !== undefined;
    if (!state.timer || state.dueAt > performance.now() + delayMs) this.#wait(key, state, delayMs);
    return true;
  }

  #wait(key: string, state: KeyState, delayMs: number): void {
    clearTimeout(state.timer);
    state.dueAt = performance.now() + delayMs;
    state.timer = setTimeout(() => {
      state.timer = undefined;
      this.#makeReady(key, state);
    }, delayMs);
  }

  /** Drops what waits for a key; a pass under way ends by itself. */
  forget(key: string): void {
    const state = this.#keys.get(key);
    if (!state) return;
    clearTimeout(state.timer);
    state.timer = undefined;
    state.dirty = false;
    state.failures = 0;
    if (!state.active) this.#drop(key, state);
    this.#next();
  }

  stats(): QueueStats {
    return {
      waiting: this.#ready.length,
      active: this.#active,
      added: this.#added,
      retries: this.#retries,
      longest: this.#longest(),
    };
  }

  #longest(): QueueStats['longest'] {
    const nowMs = performance.now();
    let longest: QueueStats['longest'];
    for (const [key, { active, beganMs }] of this.#keys) {
      const runningMs = nowMs - beganMs;
      if (active && runningMs > (longest?.runningMs ?? -1)) longest = { key, runningMs };
    }
    return longest;
  }

  /** Takes no more keys, aborts the signal of passes under way, and resolves when the last of them has ended. */
  async drain(): Promise<void> {
    this.#stop.abort();
    for (const state of this.#keys.values()) clearTimeout(state.timer);
    this.#ready.length = 0;
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #state(key: string): KeyState | undefined {
    const known = this.#keys.get(key);
    if (known) return known;
    if (this.#keys.size >= this.#options.maxKeys) return undefined;
    const name = this.#options.tenantOf(key);
    const tenant = this.#tenants.get(name) ?? { keys: 0, active: 0 };
    this.#tenants.set(name, tenant);
    tenant.keys++;
    const state: KeyState = {
      tenant,
      active: false,
      dirty: false,
      ready: false,
      failures: 0,
      timer: undefined,
      dueAt: 0,
      beganMs: 0,
    };
    this.#keys.set(key, state);
    return state;
  }

  #makeReady(key: string, state: KeyState): void {
    clearTimeout(state.timer);
    state.timer = undefined;
    if (state.active) {
      state.dirty = true;
    } else if (!state.ready) {
      const slowedMs = this.#rate.waitMs(key, performance.now());
      if (slowedMs > 0) return this.#wait(key, state, slowedMs);
      state.ready = true;
      this.#ready.push(key);
      this.#next();
    }
  }

  #next(): void {
    while (this.#active < this.#options.concurrency && !this.#stop.signal.aborted) {
      const key = this.#takeReady();
      const state = key === undefined ? undefined : this.#keys.get(key);
      if (key === undefined || !state) return;
      state.ready = false;
      state.active = true;
      state.beganMs = performance.now();
      this.#rate.spend(key, state.beganMs);
      state.tenant.active++;
      this.#active++;
      void this.#run(key, state);
    }
  }

  #takeReady(): string | undefined {
    const { concurrency } = this.#options;
    const most = this.#tenants.size > 1 ? Math.max(1, concurrency - 1) : concurrency;
    let best: { at: number; active: number } | undefined;
    for (let at = 0; at < this.#ready.length && best?.active !== 0; at++) {
      const state = this.#keys.get(this.#ready[at] ?? '');
      // Forgotten meanwhile.
      if (!state?.ready) this.#ready.splice(at--, 1);
      else if (state.tenant.active < (best?.active ?? most)) best = { at, active: state.tenant.active };
    }
    return best && this.#ready.splice(best.at, 1)[0];
  }

  async #run(key: string, state: KeyState): Promise<void> {
    let again: Again;
    try {
      again = await this.#options.work(key, this.#stop.signal);
    } catch (error) {
      this.#options.onError(key, error);
      again = { type: 'backoff', atMostMs: this.#options.maxBackoffMs };
    }
    state.active = false;
    state.tenant.active--;
    this.#active--;
    this.#settle(key, state, again);
    if (this.#active === 0) this.#idle?.();
    this.#next();
  }

  #settle(key: string, state: KeyState, again: Again): void {
    if (this.#stop.signal.aborted) return;
    if (again.type !== 'backoff') state.failures = 0;
    if (state.dirty) {
      state.dirty = false;
      this.#makeReady(key, state);
    } else if (again.type === 'after') {
      this.addAfter(key, again.delayMs);
    } else if (again.type === 'backoff') {
      this.#retries++;
      this.addAfter(key, Math.min(again.atMostMs, this.#backoffMs(state.failures++)));
    } else if (!state.timer) {
      this.#drop(key, state);
    }
  }

  #backoffMs(failures: number): number {
    const { minBackoffMs, maxBackoffMs, chance } = this.#options;
    const fullMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures, 30));
    return fullMs * (0.5 + chance() / 2);
  }

  #drop(key: string, state: KeyState): void {
    clearTimeout(state.timer);
    state.ready = false;
    this.#keys.delete(key);
    if (--state.tenant.keys === 0) this.#tenants.delete(this.#options.tenantOf(key));
  }
}
