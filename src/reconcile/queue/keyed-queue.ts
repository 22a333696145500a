/**
 * The keyed queue: the keys that need a pass, once each. Invariants: a key waits at most once; a key is worked on by
 * one worker at a time; a key that is added while it is worked on gets one more pass afterwards; every wait has a
 * bound. Admission (admission.ts) bounds the number of keys.
 *
 * Fairness: workers are shared between tenants (worker-turns.ts), and the keys of a tenant are served in the order in
 * which they became due. No key is served more often than its rate allows.
 */
import type { Chance } from '../../telemetry/ports.ts';
import type { NextPass } from '../pass.ts';
import { createPassRate, type PassRate } from './pass-rate.ts';
import { WorkerTurns, type Turn } from './worker-turns.ts';

/** The part of its turn that a pass uses. */
export type Worker = Pick<Turn, 'whileWaiting'>;

export interface QueueOptions {
  /** Runs one pass. A rejection means backoff. */
  readonly work: (key: string, signal: AbortSignal, worker: Worker) => Promise<NextPass>;
  /** Passes that are worked on at once. */
  readonly concurrency: number;
  /** Passes that have begun and not ended, those that wait for a Git server or a render included. */
  readonly maxUnderWay: number;
  /** The tenant of a key: its namespace. */
  readonly tenantOf: (key: string) => string;
  /** First and longest delay after a failure; each failure doubles the delay. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Passes of one key, on average. */
  readonly passesPerSecond: number;
  readonly chance: Chance;
  readonly onError: (key: string, error: unknown) => void;
}

export interface QueueStats {
  /** Due keys that no worker is free for. */
  readonly waiting: number;
  /** Passes that have begun and not ended. */
  readonly active: number;
  readonly added: number;
  readonly retries: number;
  /** The pass that has run for the longest time. */
  readonly longest: { readonly key: string; readonly runningMs: number } | undefined;
}

interface Tenant {
  readonly name: string;
  keys: number;
}

interface KeyState {
  readonly tenant: Tenant;
  isActive: boolean;
  /** Due next as soon as the present pass ends. */
  isDirty: boolean;
  /** Set while the key is due and waits for a worker. */
  turn: Turn | undefined;
  failures: number;
  timer: NodeJS.Timeout | undefined;
  dueAt: number;
  /** Monotonic; when the pass under way began, or the last one. */
  beganMs: number;
  /** Aborts the pass under way. */
  cancel: AbortController | undefined;
}

export class KeyedQueue {
  readonly #options: QueueOptions;
  readonly #keys = new Map<string, KeyState>();
  readonly #tenants = new Map<string, Tenant>();
  readonly #turns: WorkerTurns;
  readonly #rate: PassRate;
  readonly #stop = new AbortController();
  #added = 0;
  #retries = 0;
  #idle: (() => void) | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#rate = createPassRate(options.passesPerSecond);
    const { concurrency, maxUnderWay } = options;
    const hasSeveralTenants = (): boolean => this.#tenants.size > 1;
    this.#turns = new WorkerTurns({ concurrency, maxUnderWay, hasSeveralTenants, nowMs: () => performance.now() });
  }

  /** Asks for a pass now. A queue that is stopped does nothing. */
  add(key: string): void {
    if (this.#stop.signal.aborted) return;
    this.#added++;
    this.#makeReady(key, this.#state(key));
  }

  /** Asks for a pass in `delayMs`; an earlier one that is already set stays. */
  #addAfter(key: string, state: KeyState, delayMs: number): void {
    if (delayMs <= 0) return this.add(key);
    if (state.turn) return;
    if (!state.timer || state.dueAt > performance.now() + delayMs) this.#wait(key, state, delayMs);
  }

  #wait(key: string, state: KeyState, delayMs: number): void {
    clearTimeout(state.timer);
    state.dueAt = performance.now() + delayMs;
    state.timer = setTimeout(() => {
      state.timer = undefined;
      this.#makeReady(key, state);
    }, delayMs);
  }

  /** Drops the waits of a key, and aborts the signal of its pass under way. */
  forget(key: string): void {
    const state = this.#keys.get(key);
    if (!state) return;
    clearTimeout(state.timer);
    state.timer = undefined;
    state.isDirty = false;
    state.failures = 0;
    state.cancel?.abort();
    if (!state.isActive) this.#drop(key, state);
    this.#turns.next();
  }

  stats(): QueueStats {
    return {
      waiting: this.#turns.waiting,
      active: this.#turns.underWay,
      added: this.#added,
      retries: this.#retries,
      longest: this.#longest(),
    };
  }

  #longest(): QueueStats['longest'] {
    const nowMs = performance.now();
    let longest: QueueStats['longest'];
    for (const [key, { isActive, beganMs }] of this.#keys) {
      const runningMs = nowMs - beganMs;
      if (isActive && runningMs > (longest?.runningMs ?? -1)) longest = { key, runningMs };
    }
    return longest;
  }

  /** Takes no more keys, aborts the signal of passes under way, and resolves when the last of them has ended. */
  async drain(): Promise<void> {
    this.#stop.abort();
    for (const state of this.#keys.values()) {
      clearTimeout(state.timer);
      state.cancel?.abort();
    }
    this.#turns.stop();
    if (this.#turns.underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #state(key: string): KeyState {
    const known = this.#keys.get(key);
    if (known) return known;
    const name = this.#options.tenantOf(key);
    const tenant = this.#tenants.get(name) ?? { name, keys: 0 };
    this.#tenants.set(name, tenant);
    tenant.keys++;
    const state: KeyState = {
      tenant,
      isActive: false,
      isDirty: false,
      turn: undefined,
      failures: 0,
      timer: undefined,
      dueAt: 0,
      beganMs: 0,
      cancel: undefined,
    };
    this.#keys.set(key, state);
    return state;
  }

  #makeReady(key: string, state: KeyState): void {
    clearTimeout(state.timer);
    state.timer = undefined;
    if (state.isActive) {
      state.isDirty = true;
    } else if (!state.turn) {
      const slowedMs = this.#rate.waitMs(key, performance.now());
      if (slowedMs > 0) return this.#wait(key, state, slowedMs);
      this.#begin(key, state);
    }
  }

  #begin(key: string, state: KeyState): void {
    let hasBegun = false;
    const turn = this.#turns.ask(state.tenant.name, (begun) => {
      hasBegun = true;
      state.turn = undefined;
      state.isActive = true;
      state.beganMs = performance.now();
      this.#rate.spend(key, state.beganMs);
      void this.#run(key, state, begun);
    });
    if (!hasBegun) state.turn = turn;
  }

  async #run(key: string, state: KeyState, turn: Turn): Promise<void> {
    let next: NextPass;
    const cancel = new AbortController();
    state.cancel = cancel;
    if (this.#stop.signal.aborted) cancel.abort();
    try {
      next = await this.#options.work(key, cancel.signal, turn);
    } catch (error) {
      this.#options.onError(key, error);
      next = { type: 'backoff', atMostMs: this.#options.maxBackoffMs };
    }
    state.cancel = undefined;
    state.isActive = false;
    // A forgotten pass asks for no other one. A key that was added after that gets its pass.
    this.#settle(key, state, cancel.signal.aborted ? { type: 'none' } : next);
    turn.end();
    if (this.#turns.underWay === 0) this.#idle?.();
  }

  #settle(key: string, state: KeyState, next: NextPass): void {
    if (this.#stop.signal.aborted) return;
    if (next.type !== 'backoff') state.failures = 0;
    if (state.isDirty) {
      state.isDirty = false;
      this.#makeReady(key, state);
    } else if (next.type === 'after') {
      this.#addAfter(key, state, next.delayMs);
    } else if (next.type === 'backoff') {
      this.#retries++;
      const delayMs = Math.max(next.atLeastMs ?? 0, this.#backoffMs(state.failures++));
      this.#addAfter(key, state, Math.min(next.atMostMs, delayMs));
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
    state.turn?.cancel();
    state.turn = undefined;
    this.#keys.delete(key);
    if (--state.tenant.keys === 0) this.#tenants.delete(state.tenant.name);
  }
}
