/**
 * Server-side apply of a desired object onto a known live object, or onto nothing. With force, values that Git does not
 * have and that contradict it are removed in the same write.
 *
 * Invariant: ignored fields of the live object stay unchanged, even if others write them concurrently. The body is
 * built for one resourceVersion of the object, and built again if that has changed.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { ClusterClient, WriteAnswer } from '../cluster/ports.ts';
import { bodyToSend } from '../diff/ignored.ts';
import { applyWithoutLeftovers, isRefusedForContent } from './without-leftovers.ts';

/** Attempts after lost races. If all fail, another client is writing the object continuously. */
const MAX_ATTEMPTS = 3;

export interface OntoOptions {
  readonly desired: DesiredObject;
  /** undefined: no live object is known, and the whole desired body is sent. */
  readonly live: LiveObject | undefined;
  readonly force: boolean;
  /** See ApplyRequest. */
  readonly isCreation?: boolean;
}

/**
 * Where managedFields name a version that is served no more, the API server refuses every apply: their fields are moved
 * to the version in Git, and the apply is sent again.
 */
export async function applyOnto(client: ClusterClient, options: OntoOptions): Promise<WriteAnswer> {
  const { desired, live } = options;
  const answer = await applyInPlace(client, options);
  const goneVersion = answer.ok ? undefined : answer.refusal.goneVersion;
  if (goneVersion === undefined) return answer;
  const read = await client.get(desired.kind, desired.id);
  if (!read.ok) return read;
  if (!read.object || (live && read.object.uid !== live.uid)) return answer;
  const moved = await client.moveGoneVersions(desired.kind, read.object, goneVersion);
  if (!moved.ok) return moved;
  // Nothing was moved, as in a dry run: another apply would be refused again.
  if (moved.object.resourceVersion === read.object.resourceVersion) return answer;
  return applyInPlace(client, { ...options, live: live && moved.object });
}

async function applyInPlace(client: ClusterClient, options: OntoOptions): Promise<WriteAnswer> {
  const { desired, live, force } = options;
  for (let attempt = 1; ; attempt++) {
    const answer = await applyMerged(client, options);
    if (answer.ok || !live || !force || !isRefusedForContent(answer.refusal)) return answer;
    const resolved = await applyWithoutLeftovers(client, { desired, live, refusal: answer.refusal });
    if (resolved.ok || resolved.refusal.code !== 'Modified' || attempt === MAX_ATTEMPTS) return resolved;
  }
}

async function applyMerged(
  client: ClusterClient,
  { desired, live, force, isCreation = false }: OntoOptions,
): Promise<WriteAnswer> {
  const { kind, body, id, ignored } = desired;
  if (!ignored || !live) return client.apply({ kind, body, force, ...(isCreation ? { isCreation } : {}) });
  let latest = live;
  for (let attempt = 1; ; attempt++) {
    const answer = await client.apply({ kind, ...bodyToSend(desired, latest), force });
    if (answer.ok || answer.refusal.code !== 'Modified' || attempt === MAX_ATTEMPTS) return answer;
    const read = await client.get(kind, id);
    if (!read.ok) return read;
    // The object is gone or was replaced. The next pass decides what to do with the new one.
    if (read.object?.uid !== live.uid) return answer;
    latest = read.object;
  }
}
