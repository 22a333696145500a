/**
 * Which Application an object belongs to. All Applications share one field manager, so the API server never reports a
 * conflict between two of them; this index does. It is filled from all inventories and by every bind.
 *
 * Invariant: the first owner keeps an object until it lets go of it, or until a claimant with a better title takes it;
 * a later claimant is told who owns it and writes nothing. An Application waits for an object only as long as each of
 * its passes says so.
 */
import { idKey, type ObjectId } from '../../object/identity.ts';
import { addMember, removeMember } from '../../object/set-map.ts';

export class Claims {
  /** `<cluster>|<idKey>` → Application key. */
  readonly #owners = new Map<string, string>();
  /** The same by Application, so that letting go is linear in what it holds. */
  readonly #held = new Map<string, Set<string>>();
  /** The Applications that want an object that another owns, and the same by Application. */
  readonly #waiting = new Map<string, Set<string>>();
  readonly #wants = new Map<string, Set<string>>();
  /** By Application: the number of the last change of its claims. */
  readonly #versions = new Map<string, number>();
  #lastVersion = 0;

  /** A number that is the same as before only if an Application owns the same objects, which the same others want. */
  versionFor(application: string): number {
    return this.#versions.get(application) ?? 0;
  }

  /** Claims an object and returns its owner: the claimant itself, or the Application that came first. */
  claim(clusterId: string, id: ObjectId, application: string): string {
    const key = claimKey(clusterId, id);
    const owner = this.#owners.get(key);
    if (owner === application) return owner;
    if (owner !== undefined) {
      addMember(this.#waiting, key, application);
      addMember(this.#wants, application, key);
      this.#bump(owner);
      return owner;
    }
    this.#unwant(key, application);
    this.#own(key, application);
    return application;
  }

  /**
   * Gives an object to a claimant with a better title than its owner; the Applications that wait for it go on waiting.
   */
  take(clusterId: string, id: ObjectId, application: string): void {
    const key = claimKey(clusterId, id);
    const owner = this.#owners.get(key);
    if (owner !== undefined) {
      removeMember(this.#held, owner, key);
      this.#bump(owner);
    }
    this.#unwant(key, application);
    this.#own(key, application);
  }

  #own(key: string, application: string): void {
    this.#owners.set(key, application);
    addMember(this.#held, application, key);
    this.#bump(application);
  }

  /** The Application that owns an object, if any. */
  ownerOf(clusterId: string, id: ObjectId): string | undefined {
    return this.#owners.get(claimKey(clusterId, id));
  }

  /** Keys of the Applications that wait for an object, in the order in which they asked. */
  wantedBy(clusterId: string, id: ObjectId): readonly string[] {
    return [...(this.#waiting.get(claimKey(clusterId, id)) ?? [])];
  }

  /**
   * Lets go of everything that an Application holds on a cluster, except the ids of `kept`. Returns the Applications
   * that waited for it.
   */
  keepOnly(clusterId: string, application: string, kept: ReadonlySet<string>): string[] {
    const wakened = new Set<string>();
    for (const key of this.#held.get(application) ?? []) {
      if (!isKept(key, clusterId, kept)) this.#release(key, application, wakened);
    }
    return [...wakened];
  }

  /** Stops waiting for objects that are not in `wanted`. Returns the owners that have one claimant less. */
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

  /** Lets go of everything of an Application that is gone. Returns the Applications that this concerns. */
  drop(application: string): string[] {
    const wakened = new Set<string>();
    for (const key of this.#wants.get(application) ?? []) {
      this.#unwant(key, application);
      const owner = this.#owners.get(key);
      if (owner !== undefined) wakened.add(owner);
    }
    for (const key of this.#held.get(application) ?? []) this.#release(key, application, wakened);
    this.#versions.delete(application);
    wakened.delete(application);
    return [...wakened];
  }

  #release(key: string, application: string, wakened: Set<string>): void {
    this.#owners.delete(key);
    removeMember(this.#held, application, key);
    this.#bump(application);
    for (const other of this.#waiting.get(key) ?? []) {
      wakened.add(other);
      this.#unwant(key, other);
    }
  }

  #unwant(key: string, application: string): void {
    if (!this.#wants.get(application)?.has(key)) return;
    removeMember(this.#waiting, key, application);
    removeMember(this.#wants, application, key);
    const owner = this.#owners.get(key);
    if (owner !== undefined) this.#bump(owner);
  }

  #bump(application: string): void {
    this.#versions.set(application, ++this.#lastVersion);
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
