/**
 * A server-side apply of a desired object onto a live one that is known, or onto nothing.
 *
 * Invariant: ignored fields of the live object stay as they are, whoever writes them meanwhile: what is sent is made
 * anew for each state of the object, and goes out for that state alone.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { ClusterClient, WriteAnswer } from '../cluster/ports.ts';
import { bodyToSend } from '../diff/ignored.ts';

/** Reads again after a lost race; more would mean that something writes the object all the time. */
const MAX_ATTEMPTS = 3;

export interface OntoOptions {
  readonly desired: DesiredObject;
  /** undefined: nothing is known to be there, so that what Git says is sent whole. */
  readonly live: LiveObject | undefined;
  readonly force: boolean;
}

export async function applyOnto(client: ClusterClient, { desired, live, force }: OntoOptions): Promise<WriteAnswer> {
  const { kind, body, id, ignored } = desired;
  if (!ignored || !live) return client.apply({ kind, body, force });
  let latest = live;
  for (let attempt = 1; ; attempt++) {
    const answer = await client.apply({ kind, ...bodyToSend(desired, latest), force });
    if (answer.ok || answer.refusal.code !== 'Modified' || attempt === MAX_ATTEMPTS) return answer;
    const read = await client.get(kind, id);
    if (!read.ok) return read;
    // Gone or replaced: whose it is now is for the next pass to judge.
    if (read.object?.uid !== live.uid) return answer;
    latest = read.object;
  }
}
