/** Decides which snapshots leave the disk so that all of them stay within a bound. */

export interface SnapshotOnDisk {
  readonly repositoryKey: string;
  readonly commit: string;
  /** Names of its packs, the oldest first. Snapshots that build on each other share the first ones. */
  readonly packs: readonly string[];
  /** All packs together. */
  readonly packBytes: number;
  /** Monotonic. */
  readonly usedMs: number;
}

/** The snapshots to remove: those that were not used for longest, until the rest takes at most `maxBytes`. */
export function beyondDisk<T extends SnapshotOnDisk>(snapshots: readonly T[], maxBytes: number): T[] {
  const rest = snapshots.toSorted((one, other) => other.usedMs - one.usedMs);
  const groups = new Map<string, T[]>();
  for (const snapshot of rest) groups.set(groupOf(snapshot), [...(groups.get(groupOf(snapshot)) ?? []), snapshot]);
  let totalBytes = 0;
  for (const group of groups.values()) totalBytes += bytesOf(group);
  const removed: T[] = [];
  while (totalBytes > maxBytes) {
    const oldest = rest.pop();
    if (!oldest) break;
    const group = groups.get(groupOf(oldest)) ?? [];
    totalBytes -= bytesOf(group);
    // The oldest is the last of its group, too.
    group.pop();
    totalBytes += bytesOf(group);
    removed.push(oldest);
  }
  return removed;
}

/** Snapshots that share their first pack share most of their bytes. */
function groupOf({ repositoryKey, packs }: SnapshotOnDisk): string {
  return `${repositoryKey} ${packs[0] ?? ''}`;
}

function bytesOf(group: readonly SnapshotOnDisk[]): number {
  return Math.max(0, ...group.map(({ packBytes }) => packBytes));
}
