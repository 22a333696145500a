/**
 * Live objects read one by one: the command line's way to observe, beside the agent's watches. One GET for each object,
 * whatever is known of it.
 */
import { createKindFinder, type KindInfo, type Kinds } from '../cluster/kinds.ts';
import { forEachConcurrently } from '../cluster/concurrency.ts';
import type { LiveEntry } from '../cluster/live.ts';
import type { ClusterClient, ReadAnswer } from '../cluster/ports.ts';
import { idKey, type ObjectId } from '../object/identity.ts';

export interface ReadByNameOptions {
  readonly client: Pick<ClusterClient, 'get'>;
  readonly desired: readonly {
    readonly id: ObjectId;
    readonly kind: KindInfo | undefined;
    readonly awaitsCrd?: ObjectId;
  }[];
  /** By `idKey`. */
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly kinds: Kinds;
  /** Requests under way at once. */
  readonly concurrency: number;
}

/** By `idKey`: an entry for each desired object whose kind is served, and for each object of the inventory. */
export async function readByName(options: ReadByNameOptions): Promise<Map<string, LiveEntry>> {
  const { client, desired, inventory, kinds, concurrency } = options;
  const findKind = createKindFinder(kinds);
  const targets = new Map<string, { readonly id: ObjectId; readonly kind: KindInfo | 'unavailable' | undefined }>();
  for (const [key, id] of inventory) targets.set(key, { id, kind: findKind(id) });
  for (const { id, kind, awaitsCrd } of desired) if (!awaitsCrd) targets.set(idKey(id), { id, kind });
  const live = new Map<string, LiveEntry>();
  await forEachConcurrently([...targets], { concurrency }, async ([key, { id, kind }]) => {
    live.set(key, typeof kind === 'object' ? entryOfRead(await client.get(kind, id)) : notServed(id));
  });
  return live;
}

/** The entry that the answer to a GET by name gives. */
export function entryOfRead(answer: ReadAnswer): LiveEntry {
  if (!answer.ok) return { state: 'unknown', reason: answer.refusal.message };
  return answer.object ? { state: 'present', object: answer.object } : { state: 'absent' };
}

export function notServed({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): LiveEntry {
  return { state: 'unknown', reason: `the API server does not serve ${kind}${group ? `.${group}` : ''} just now` };
}
