/**
 * Which Application an object belongs to. All Applications share one field manager, so the API server never reports a
 * conflict between two of them; this index does. Fed by all inventories and by every bind.
 *
 * Invariant: the first owner keeps an object until it lets go, or until one takes it whose word counts for more; the
 * later claimant is told who owns it and writes nothing. An Application waits for an object only as long as it says so
 * in each of its passes.
 */
import { idKey, type ObjectId } from '../../object/identity.ts';

export class Claims {
  /** `<cluster>|<idKey>` → Application key. */
  readonly #owners = new Map<string, string>();
  /** The same by Application, so that letting go is linear in what it holds. */
  readonly #held = new Map<string, Set<string>>();
  /** Who else wants an object that another owns, and the same by Application. */
  readonly #waiting = new Map<string, Set<string>>();
  readonly #wants = new Map<string, Set<string>>();

  /** Claims an object and returns its owner: the claimant itself, or the Application that came first. */
  claim(clusterId: string, id: ObjectId, application: string): string {
    const key = claimKey(clusterId, id);
    const owner = this.#owners.get(key);
    if (owner === application) return owner;
    if (owner !== undefined) {
      add(this.#waiting, key, application);
      add(this.#wants, application, key);
      return owner;
    }
    this.#unwant(key, application);
    this.#owners.set(key, application);
    add(this.#held, application, key);
    return application;
  }

  /** Gives an object to a claimant whose word counts for more than its owner's; who waits for it goes on waiting. */
  take(clusterId: string, id: ObjectId, application: string): void {
    const key = claimKey(clusterId, id);
    const owner = this.#owners.get(key);
    if (owner !== undefined) remove(this.#held, owner, key);
    this.#unwant(key, application);
    this.#owners.set(key, application);
    add(this.#held, application, key);
  }

  /** The Application that owns an object, if any. */
  ownerOf(clusterId: string, id: ObjectId): string | undefined {
    return this.#owners.get(claimKey(clusterId, id));
  }

  /** Who waits for an object to be let go; the first who asked first. */
  wantedBy(clusterId: string, id: ObjectId): readonly string[] {
    return [...(this.#waiting.get(claimKey(clusterId, id)) ?? [])];
  }

  /**
   * Lets go of all that an Application holds on a cluster but the ids of `kept`. Returns who may go on because of it.
   */
  keepOnly(clusterId: string, application: string, kept: ReadonlySet<string>): string[] {
    const wakened = new Set<string>();
    for (const key of this.#held.get(application) ?? []) {
      if (!isKept(key, clusterId, kept)) this.#release(key, application, wakened);
    }
    return [...wakened];
  }

  /** Waits no more for what is not in `wanted`. Returns the owners that have one claimant less. */
  wantOnly(clusterId: string, application: string, wanted: ReadonlySet<string>): string[] {
    const owners = new Set<string>();
    for (const key of this.#wants.get(application) ?? []) {
      if (isKept(key, clusterId, wanted)) continue;
      this.#unwant(key, application);
      const owner = this.#owners.get(key);
      if (owner !== undefined) owners.add(owner);
    }
    return [...owners];
  }

  /** An Application is gone: lets go of everything, everywhere. Returns whose lot it changes. */
  drop(application: string): string[] {
    const wakened = new Set<string>();
    for (const key of this.#wants.get(application) ?? []) {
      this.#unwant(key, application);
      const owner = this.#owners.get(key);
      if (owner !== undefined) wakened.add(owner);
    }
    for (const key of this.#held.get(application) ?? []) this.#release(key, application, wakened);
    wakened.delete(application);
    return [...wakened];
  }

  #release(key: string, application: string, wakened: Set<string>): void {
    this.#owners.delete(key);
    remove(this.#held, application, key);
    for (const other of this.#waiting.get(key) ?? []) {
      wakened.add(other);
      this.#unwant(key, other);
    }
  }

  #unwant(key: string, application: string): void {
    remove(this.#waiting, key, application);
    remove(this.#wants, application, key);
  }
}

function claimKey(clusterId: string, id: ObjectId): string {
  return `${clusterId}|${idKey(id)}`;
}

/** Whether a claim is of another cluster, or in the set of ids of this one. */
function isKept(key: string, clusterId: string, ids: ReadonlySet<string>): boolean {
  const bar = key.indexOf('|');
  return key.slice(0, bar) !== clusterId || ids.has(key.slice(bar + 1));
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const members = map.get(key);
  if (members) members.add(value);
  else map.set(key, new Set([value]));
}

function remove(map: Map<string, Set<string>>, key: string, value: string): void {
  const members = map.get(key);
  members?.delete(value);
  if (members?.size === 0) map.delete(key);
}
