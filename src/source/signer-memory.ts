/**
 * Remembers who signed a snapshot, so that it is verified once.
 *
 * Invariant: only a success is remembered, and only until the first key that made it one expires.
 */
import { cancelled } from '../object/source-error.ts';
import type { Clock } from '../telemetry/ports.ts';
import type { StoredSnapshot } from './packs/snapshot-folder.ts';
import type { Signer } from './signatures/ssh-signature.ts';
import { createFlights } from './single-flight.ts';

export interface SignerMemory {
  /** Answers from memory, or does the work, once for all who ask at the same time. Rejects with its StageErrors. */
  find(question: SignerQuestion): Promise<Signer>;
}

export interface SignerQuestion {
  /** Covers the snapshot, the keys, and the demand. */
  readonly key: string;
  /** Whether the work may ask the server. */
  readonly mayAsk: boolean;
  /** Names the source in messages. */
  readonly label: string;
  readonly signal: AbortSignal | undefined;
  readonly work: (signal: AbortSignal) => Promise<Signer>;
}

/** Verified snapshots that are remembered; the oldest are forgotten first. */
const MAX_REMEMBERED = 10_000;

export function createSignerMemory(clock: Clock): SignerMemory {
  const flights = createFlights<Signer>(clock);
  const remembered = new Map<string, Signer>();

  function remember(key: string, signer: Signer): void {
    remembered.delete(key);
    remembered.set(key, signer);
    const [oldest] = remembered.size > MAX_REMEMBERED ? remembered.keys() : [];
    if (oldest !== undefined) remembered.delete(oldest);
  }

  return {
    async find({ key, mayAsk, label, signal, work }) {
      const known = remembered.get(key);
      if (known && clock.now() < known.validUntilMs) return known;
      const onAbort = () => cancelled(label);
      const signer = await flights.join({ key: `${key} ${mayAsk}`, signal, work, onAbort });
      remember(key, signer);
      return signer;
    },
  };
}

/** The same snapshot with its signer. */
export function withSigner(stored: StoredSnapshot, { name }: Signer): StoredSnapshot {
  return { ...stored, about: { ...stored.about, signer: name } };
}
