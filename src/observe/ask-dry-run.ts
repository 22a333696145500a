/**
 * Sends one dry run for each change that only the server can decide about, where no apply follows. The agent and the
 * command line share it, and judge the answers themselves.
 */
import { applyOnto } from '../apply/apply-onto.ts';
import { dryRunClient } from '../apply/dry-run-client.ts';
import type { DesiredObject } from '../bind/desired.ts';
import { forEachConcurrently } from '../cluster/concurrency.ts';
import type { ClusterClient, WriteAnswer } from '../cluster/ports.ts';
import type { Change } from '../diff/changes.ts';

export interface UnsureChange extends Change {
  readonly desired: DesiredObject;
}

export interface DryRunOptions {
  readonly client: ClusterClient;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Restricts the dry runs to some of the unsure changes. Default: all. */
  readonly isAsked?: (change: Change) => boolean;
  /** The change in place of the one that was unsure. */
  readonly judge: (change: UnsureChange, answer: WriteAnswer) => Change;
}

/** The changes in their order, those that are unsure judged by the answer to a dry run. */
export async function askDryRun(
  changes: readonly Change[],
  { client, concurrency, isAsked = () => true, judge }: DryRunOptions,
): Promise<readonly Change[]> {
  const settled = new Map<Change, Change>();
  const dry = dryRunClient(client);
  const asked = changes.filter(isUnsure).filter(isAsked);
  await forEachConcurrently(asked, { concurrency }, async (change) => {
    const { desired, live } = change;
    const answer = await applyOnto(dry, { desired, live, force: true });
    settled.set(change, judge(change, answer));
  });
  return changes.map((change) => settled.get(change) ?? change);
}

function isUnsure(change: Change): change is UnsureChange {
  return change.type === 'unsure' && change.desired !== undefined;
}
