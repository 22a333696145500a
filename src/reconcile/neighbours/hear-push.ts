/**
 * A webhook brings forward the polls of the Applications whose source was pushed to.
 *
 * Invariant: a webhook leads to a poll and to nothing else, so its claims need not be true. However many arrive, an
 * Application polls once a second at most (see desired/refresh-source.ts), and is not woken while a poll is coming.
 */
import { canonicalRepository, type RepositoryPush } from '../../application/repository.ts';
import { listAt, stringAt, valueAt, type KubeObject } from '../../object/value.ts';
import { mayHaveMoved } from '../../source/revision.ts';
import type { Neighbours } from './neighbours.ts';

/** Returns how many Applications will be polled; suspended and deleted ones are not. */
export function hearPush(push: RepositoryPush, neighbours: Neighbours): number {
  const concerned = new Set<string>();
  for (const address of push.addresses) {
    for (const { key, isDeleted, stored } of neighbours.ofRepository(address)) {
      if (!isDeleted && isFollowing(stored, push)) concerned.add(key);
    }
  }
  for (const key of concerned) neighbours.hearPush(key);
  return concerned.size;
}

/** Reads the stored form unparsed: a webhook must stay cheap for thousands of Applications. */
function isFollowing(stored: KubeObject, push: RepositoryPush): boolean {
  if (valueAt(stored, 'spec', 'suspend') === true) return false;
  const addresses = new Set(push.addresses.map(canonicalOf));
  const sources = [valueAt(stored, 'spec', 'source'), ...listAt(stored, 'spec', 'sources')];
  return sources.some(
    (source) =>
      addresses.has(canonicalOf(stringAt(source, 'repoURL') ?? '')) &&
      mayHaveMoved(stringAt(source, 'revision') ?? 'HEAD', push),
  );
}

function canonicalOf(address: string): string {
  return canonicalRepository(address) ?? address;
}
