/**
 * What cannot be changed in place is deleted and made anew, where its manifest asks for that. Only the deletion is done
 * here: the next pass finds the object missing and creates it, so that a kill in between loses nothing.
 *
 * Invariants: only what carries both our marks is deleted, by the uid and resourceVersion of the GET that shows them;
 * never what takes other things with it.
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
  /** The answer to the update: code `Immutable`. */
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
  if (decision.type !== 'delete' && decision.type !== 'confirm') {
    return failed(`${refusal.message}; ${decision.reason}`);
  }
  const { uid, resourceVersion } = live;
  const answer = await client.remove({ kind, id, uid, resourceVersion, propagation: 'Background' });
  if (!answer.ok) return { change, outcome: 'failed', refusal: answer.refusal };
  return { change, outcome: 'recreating', message: `deleted, to be made anew: ${fieldsOf(refusal)}` };
}

function fieldsOf({ fields }: Refusal): string {
  return fields?.length ? `${fields.join(', ')} cannot be changed in place` : 'it cannot be changed in place';
}
