/**
 * Decides which snapshots leave the disk so that all of them stay within a bound. The namespace that takes the most
 * gives first, so that no namespace drives out the snapshots of others.
 */

export interface SnapshotOnDisk {
  /** The namespace for which it was fetched; the repository if that is not known. */
  readonly owner: string;
  readonly repositoryKey: string;
  readonly commit: string;
  /** Names of its packs, the oldest first. Snapshots that build on each other share the first ones. */
  readonly packs: readonly string[];
  /** All packs together. */
  readonly packBytes: number;
  /** Monotonic. */
  readonly usedMs: number;
}

/**
 * The snapshots to remove until the rest takes at most `maxBytes`: those of the owner with the most bytes, and of these
 * the ones that were not used for longest.
 */
export function beyondDisk<T extends SnapshotOnDisk>(snapshots: readonly T[], maxBytes: number): T[] {
  const owners = new Map<string, Owned<T>>();
  let totalBytes = 0;
  for (const snapshot of snapshots.toSorted((one, other) => other.usedMs - one.usedMs)) {
    const owned = owners.get(snapshot.owner) ?? { rest: [], groups: new Map<string, T[]>(), bytes: 0 };
    owners.set(snapshot.owner, owned);
    owned.rest.push(snapshot);
    totalBytes += change(owned, snapshot, (group) => group.push(snapshot));
  }
  const removed: T[] = [];
  while (totalBytes > maxBytes) {
    const largest = [...owners.values()].reduce((one, other) => (other.bytes > one.bytes ? other : one));
    const oldest = largest.rest.pop();
    if (!oldest) break;
    // The oldest is the last of its group, too.
    totalBytes += change(largest, oldest, (group) => group.pop());
    removed.push(oldest);
  }
  return removed;
}

interface Owned<T> {
  /** The one that was not used for longest is the last. */
  readonly rest: T[];
  readonly groups: Map<string, T[]>;
  bytes: number;
}

/** Returns by how many bytes the change of a group changes the owner's data. */
function change<T extends SnapshotOnDisk>(owned: Owned<T>, snapshot: T, apply: (group: T[]) => unknown): number {
  const group = owned.groups.get(groupOf(snapshot)) ?? [];
  owned.groups.set(groupOf(snapshot), group);
  const before = bytesOf(group);
  apply(group);
  const bytes = bytesOf(group) - before;
  owned.bytes += bytes;
  return bytes;
}

/** Snapshots that share their first pack share most of their bytes. */
function groupOf({ repositoryKey, packs }: SnapshotOnDisk): string {
  return `${repositoryKey} ${packs[0] ?? ''}`;
}

function bytesOf(group: readonly SnapshotOnDisk[]): number {
  return Math.max(0, ...group.map(({ packBytes }) => packBytes));
}
