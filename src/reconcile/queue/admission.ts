/**
 * The Applications that the agent works on, if there are more than it may.
 *
 * Invariants: a namespace has no more than its bound, and all of them together have no more than theirs. A namespace
 * with few Applications gets a place from the namespace with the most, so that the places of namespaces that want more
 * differ by one at the most. Within a namespace the oldest ones are worked on.
 */
import { namespaceOf } from '../../application/keys.ts';
import { compareTexts } from '../../object/identity.ts';
import type { KubeObject } from '../../object/value.ts';
import { createdOf, inFairOrder } from './fair-order.ts';

export interface AdmissionOptions {
  readonly maxApplications: number;
  readonly maxPerNamespace: number;
}

interface Application {
  readonly key: string;
  readonly stored: KubeObject;
}

/** The keys whose place has changed. */
export interface Moved {
  readonly admitted: readonly string[];
  /** Those that lost their place, and a new one that got none. */
  readonly refused: readonly string[];
}

const NOTHING: Moved = { admitted: [], refused: [] };

export class Admission {
  readonly #options: AdmissionOptions;
  /** By namespace, the oldest first. */
  readonly #admitted = new Map<string, Application[]>();
  readonly #refused = new Map<string, Application>();
  readonly #keys = new Set<string>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(application: Application): Moved {
    const namespace = namespaceOf(application.key);
    const own = this.#admitted.get(namespace) ?? [];
    const isNamespaceFull = own.length >= this.#options.maxPerNamespace;
    const giver = this.#keys.size >= this.#options.maxApplications ? this.#largest() : undefined;
    const mayDisplace = !giver || giver.length > own.length + 1;
    const youngest = own.at(-1);
    const takesOwnPlace = youngest !== undefined && compareAge(application, youngest) < 0;
    if (!isNamespaceFull && mayDisplace) {
      const displaced = giver?.at(-1);
      if (displaced) this.#refuse(displaced);
      this.#insert(application);
      return { admitted: [application.key], refused: displaced ? [displaced.key] : [] };
    }
    if (takesOwnPlace) {
      this.#refuse(youngest);
      this.#insert(application);
      return { admitted: [application.key], refused: [youngest.key] };
    }
    this.#refused.set(application.key, application);
    return { admitted: [], refused: [application.key] };
  }

  /** Another Application may get the place of one that is gone. */
  remove(key: string): Moved {
    if (this.#refused.delete(key) || !this.#take(key)) return NOTHING;
    const next = this.#mostEntitled();
    if (!next) return NOTHING;
    this.#refused.delete(next.key);
    this.#insert(next);
    return { admitted: [next.key], refused: [] };
  }

  /** One of the namespace with the fewest places. */
  #mostEntitled(): Application | undefined {
    let first: Application | undefined;
    let fewest = this.#options.maxPerNamespace;
    for (const application of inFairOrder(this.#refused.values())) {
      const places = this.#admitted.get(namespaceOf(application.key))?.length ?? 0;
      if (places >= fewest) continue;
      first = application;
      fewest = places;
    }
    return first;
  }

  #largest(): Application[] | undefined {
    let largest: Application[] | undefined;
    for (const list of this.#admitted.values()) if (list.length > (largest?.length ?? 0)) largest = list;
    return largest;
  }

  #refuse(application: Application): void {
    this.#take(application.key);
    this.#refused.set(application.key, application);
  }

  #insert(application: Application): void {
    const namespace = namespaceOf(application.key);
    const list = this.#admitted.get(namespace) ?? [];
    this.#admitted.set(namespace, list);
    let at = list.length;
    while (at > 0 && compareAge(application, list[at - 1] as Application) < 0) at--;
    list.splice(at, 0, application);
    this.#keys.add(application.key);
  }

  #take(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    const namespace = namespaceOf(key);
    const list = this.#admitted.get(namespace) ?? [];
    const at = list.findIndex((one) => one.key === key);
    list.splice(at, 1);
    if (list.length === 0) this.#admitted.delete(namespace);
    return true;
  }
}

function compareAge(one: Application, other: Application): number {
  return compareTexts(createdOf(one), createdOf(other)) || compareTexts(one.key, other.key);
}
