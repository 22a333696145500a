/**
 * Deletes an object that cannot be updated in place, if its manifest allows that. The next pass finds the object
 * missing and creates it, so that a kill in between loses nothing.
 *
 * Invariants: a DELETE follows a GET of an object that `mayDelete` allows, and carries its uid and resourceVersion.
 * Objects whose deletion deletes other objects or data are never deleted.
 */
import type { Refusal } from '../cluster/answers.ts';
import { mayDelete } from '../object/may-delete.ts';
import type { DesiredObject, Owner } from '../bind/desired.ts';
import type { ClusterClient } from '../cluster/ports.ts';
import type { Change } from '../diff/changes.ts';
import type { ChangeResult } from './applied.ts';

export interface RecreateOptions {
  readonly change: Change;
  readonly desired: DesiredObject;
  /** The refusal of the update, with code `Immutable`. */
  readonly refusal: Refusal;
  readonly client: ClusterClient;
  readonly owner: Owner;
}

export async function recreateObject({
  change,
  desired,
  refusal,
  client,
  owner,
}: RecreateOptions): Promise<ChangeResult> {
  const { id, kind } = desired;
  const failed = (message: string): ChangeResult => ({ change, outcome: 'failed', refusal: { ...refusal, message } });
  const read = await client.get(kind, id);
  if (!read.ok) return { change, outcome: 'failed', refusal: read.refusal };
  const live = read.object;
  if (!live || live.deletionTimestamp) return { change, outcome: 'recreating', message: 'it is being deleted' };
  const decision = mayDelete({ live, owner, occasion: 'recreate' });
  if (decision.type !== 'delete') return failed(`${refusal.message}; ${decision.reason}`);
  const { uid, resourceVersion } = live;
  const answer = await client.remove({ kind, id, uid, resourceVersion });
  if (!answer.ok) return { change, outcome: 'failed', refusal: answer.refusal };
  return { change, outcome: 'recreating', message: `deleted, to be created again: ${fieldsOf(refusal)}` };
}

function fieldsOf({ fields }: Refusal): string {
  return fields?.length ? `${fields.join(', ')} cannot be changed in place` : 'it cannot be changed in place';
}
