/**
 * Which Application an object belongs to. All Applications share one field manager, so the API server never reports a
 * conflict between two of them; this index does. Fed by all inventories and by every bind.
 *
 * Invariant: the first owner keeps an object until it lets go; the later claimant is told who owns it and writes nothing.
 */
import { idKey, type ObjectId } from '../object/identity.ts';

export class Claims {
  /** `<cluster>|<idKey>` → Application key. */
  readonly #owners = new Map<string, string>();
  /** The same by Application, so that letting go is linear in what it holds. */
  readonly #held = new Map<string, Set<string>>();
  /** Who else wants an object that another owns. */
  readonly #wanted = new Map<string, Set<string>>();

  /** Claims an object and returns its owner: the claimant itself, or the Application that came first. */
  claim(clusterId: string, id: ObjectId, application: string): string {
    const key = claimKey(clusterId, id);
    const owner = this.#owners.get(key);
    if (owner === application) return owner;
    if (owner !== undefined) {
      add(this.#wanted, key, application);
      return owner;
    }
    this.#owners.set(key, application);
    add(this.#held, application, key);
    return application;
  }

  /** The Application that owns an object, if any. */
  ownerOf(clusterId: string, id: ObjectId): string | undefined {
    return this.#owners.get(claimKey(clusterId, id));
  }

  /** Who waits for an object to be let go. */
  wantedBy(clusterId: string, id: ObjectId): readonly string[] {
    return [...(this.#wanted.get(claimKey(clusterId, id)) ?? [])];
  }

  /** Lets go of all that an Application holds on a cluster but the ids of `kept`. Returns who may go on because of it. */
  keepOnly(clusterId: string, application: string, kept: ReadonlySet<string>): string[] {
    const wakened = new Set<string>();
    for (const key of this.#held.get(application) ?? []) {
      const [cluster, id] = splitKey(key);
      if (cluster !== clusterId || kept.has(id)) continue;
      this.#owners.delete(key);
      this.#held.get(application)?.delete(key);
      for (const other of this.#wanted.get(key) ?? []) wakened.add(other);
      this.#wanted.delete(key);
    }
    return [...wakened];
  }

  /** An Application is gone: lets go of everything, everywhere. */
  drop(application: string): string[] {
    const wakened = new Set<string>();
    for (const key of this.#held.get(application) ?? []) {
      this.#owners.delete(key);
      for (const other of this.#wanted.get(key) ?? []) wakened.add(other);
      this.#wanted.delete(key);
    }
    this.#held.delete(application);
    for (const waiting of this.#wanted.values()) waiting.delete(application);
    wakened.delete(application);
    return [...wakened];
  }
}

function claimKey(clusterId: string, id: ObjectId): string {
  return `${clusterId}|${idKey(id)}`;
}

function splitKey(key: string): [cluster: string, id: string] {
  const bar = key.indexOf('|');
  return [key.slice(0, bar), key.slice(bar + 1)];
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const members = map.get(key);
  if (members) members.add(value);
  else map.set(key, new Set([value]));
}
