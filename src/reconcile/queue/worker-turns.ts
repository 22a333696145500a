/**
 * The turns of passes on the workers. A pass that waits for a Git server or a render gives its worker back meanwhile,
 * so slow servers and slow renders hold no worker.
 *
 * Fairness: the tenant with the fewest workers comes first, then the one that used the least time lately, then the one
 * that has waited longest. While there are several tenants, a tenant takes no more than its fair share of the workers,
 * and of the passes under way.
 *
 * Invariants: at most `concurrency` passes hold a worker, and at most `maxUnderWay` have begun and not ended. A pass
 * that has begun gets a worker again whatever the second bound says.
 */
import { createUsedTime, isWithinFairShare } from '../../object/fair-share.ts';

export interface WorkerTurnsOptions {
  /** Passes that hold a worker. */
  readonly concurrency: number;
  /** Passes that have begun and not ended, those that wait for a Git server or a render included. */
  readonly maxUnderWay: number;
  /** Whether any other tenant than this one may want a worker. */
  readonly hasSeveralTenants: () => boolean;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** A tenant may have as many passes under way as a third of those that may still begin: they may last for minutes. */
const LEFT_FREE = 3;

/** One pass that waits for its first worker or has begun. */
export interface Turn {
  /** Before the pass has begun: takes it from the line. Afterwards it does nothing. */
  cancel(): void;
  /** Gives the worker back until `wait` has settled, and then waits for a worker again. Settles as `wait` does. */
  whileWaiting<T>(wait: () => Promise<T>): Promise<T>;
  /** Gives the worker back for good. */
  end(): void;
}

/** The worker of one pass. `take` and `giveBack` do nothing if there is nothing to take or to give back. */
interface Worker {
  readonly take: () => void;
  readonly giveBack: () => void;
  /** Gives the worker back for good: a wait that the pass has left behind does not take it again. */
  readonly end: () => void;
  readonly isEnded: () => boolean;
}

interface Waiting {
  readonly order: number;
  readonly go: () => void;
}

interface Tenant {
  readonly name: string;
  /** Passes that hold a worker. */
  active: number;
  underWay: number;
  /** Passes that have begun and want a worker again, in the order in which they asked; served before new ones. */
  readonly resuming: Waiting[];
  readonly fresh: Set<Waiting>;
}

export class WorkerTurns {
  readonly #options: WorkerTurnsOptions;
  readonly #tenants = new Map<string, Tenant>();
  readonly #used: ReturnType<typeof createUsedTime>;
  #active = 0;
  #underWay = 0;
  #waiting = 0;
  #order = 0;
  #isStopped = false;

  constructor(options: WorkerTurnsOptions) {
    this.#options = options;
    this.#used = createUsedTime(options.nowMs);
  }

  /** Passes that hold a worker. */
  get active(): number {
    return this.#active;
  }

  /** Passes that have not begun. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Passes that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Calls `begin` as soon as there is a worker for it, perhaps at once. */
  ask(tenantName: string, begin: (turn: Turn) => void): Turn {
    const tenant = this.#tenantOf(tenantName);
    const worker = this.#workerOf(tenant);
    let waits = 0;
    const turn: Turn = {
      cancel: () => this.#cancel(tenant, waiting),
      whileWaiting: async (wait) => {
        if (waits++ === 0) worker.giveBack();
        this.next();
        try {
          return await wait();
        } finally {
          // If there are several waits at the same time, the last one takes the worker again.
          if (--waits === 0) await this.#resume(tenant, worker);
        }
      },
      end: () => {
        worker.end();
        tenant.underWay--;
        this.#underWay--;
        this.#forgetIdle(tenant);
        this.next();
      },
    };
    const waiting: Waiting = {
      order: this.#order++,
      go: () => {
        this.#waiting--;
        tenant.underWay++;
        this.#underWay++;
        worker.take();
        begin(turn);
      },
    };
    tenant.fresh.add(waiting);
    this.#waiting++;
    this.next();
    return turn;
  }

  #workerOf(tenant: Tenant): Worker {
    let sinceMs: number | undefined;
    let isEnded = false;
    const giveBack = (): void => {
      if (sinceMs === undefined) return;
      this.#used.add(tenant.name, this.#options.nowMs() - sinceMs);
      sinceMs = undefined;
      tenant.active--;
      this.#active--;
    };
    return {
      isEnded: () => isEnded,
      take: () => {
        if (isEnded || sinceMs !== undefined) return;
        sinceMs = this.#options.nowMs();
        tenant.active++;
        this.#active++;
      },
      giveBack,
      end: () => {
        isEnded = true;
        giveBack();
      },
    };
  }

  /** Begins no more passes. Those that have begun go on without waiting for a worker, since they are about to end. */
  stop(): void {
    this.#isStopped = true;
    for (const tenant of this.#tenants.values()) {
      for (const { go } of tenant.resuming.splice(0)) go();
    }
  }

  /** To be called when a bound may leave more room than before. */
  next(): void {
    while (!this.#isStopped && this.#active < this.#options.concurrency) {
      const tenant = this.#first();
      if (!tenant) return;
      const waiting = headOf(tenant, this.#mayBegin(tenant));
      if (!waiting) return;
      if (!tenant.fresh.delete(waiting)) tenant.resuming.shift();
      waiting.go();
      this.#forgetIdle(tenant);
    }
  }

  /** The scan is linear in the tenants that are at work: microseconds, beside a pass of milliseconds. */
  #first(): Tenant | undefined {
    let best: { readonly tenant: Tenant; readonly usedMs: number; readonly order: number } | undefined;
    const free = this.#options.concurrency - this.#active;
    const isShared = this.#options.hasSeveralTenants();
    for (const tenant of this.#tenants.values()) {
      const head = headOf(tenant, this.#mayBegin(tenant));
      if (!head || (isShared && !isWithinFairShare({ held: tenant.active, free }))) continue;
      const candidate = { tenant, usedMs: this.#used.of(tenant.name), order: head.order };
      if (!best || isBefore(candidate, best)) best = candidate;
    }
    return best?.tenant;
  }

  #mayBegin({ underWay }: Tenant): boolean {
    const free = this.#options.maxUnderWay - this.#underWay;
    return (
      free > 0 && (!this.#options.hasSeveralTenants() || isWithinFairShare({ held: underWay, free, leave: LEFT_FREE }))
    );
  }

  async #resume(tenant: Tenant, worker: Worker): Promise<void> {
    if (worker.isEnded()) return;
    if (this.#isStopped) return worker.take();
    await new Promise<void>((resolve) => {
      const go = (): void => {
        worker.take();
        resolve();
      };
      tenant.resuming.push({ order: this.#order++, go });
      this.next();
    });
  }

  #cancel(tenant: Tenant, waiting: Waiting): void {
    if (!tenant.fresh.delete(waiting)) return;
    this.#waiting--;
    this.#forgetIdle(tenant);
  }

  #tenantOf(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known) return known;
    const tenant: Tenant = { name, active: 0, underWay: 0, resuming: [], fresh: new Set() };
    this.#tenants.set(name, tenant);
    return tenant;
  }

  #forgetIdle(tenant: Tenant): void {
    if (tenant.underWay + tenant.fresh.size + tenant.resuming.length === 0) this.#tenants.delete(tenant.name);
  }
}

function headOf({ resuming, fresh }: Tenant, mayBegin: boolean): Waiting | undefined {
  if (resuming[0]) return resuming[0];
  return mayBegin ? fresh.values().next().value : undefined;
}

interface Candidate {
  readonly tenant: Tenant;
  readonly usedMs: number;
  readonly order: number;
}

function isBefore(one: Candidate, other: Candidate): boolean {
  if (one.tenant.active !== other.tenant.active) return one.tenant.active < other.tenant.active;
  return one.usedMs === other.usedMs ? one.order < other.order : one.usedMs < other.usedMs;
}
