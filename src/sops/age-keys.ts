/**
 * Reads a Secret as private keys of age, under the names of Flux.
 *
 * Invariants: every line is a key that can be used, or the Secret is refused as a whole. A refusal names the key of the
 * Secret and the line, never a value.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { cleanText } from '../object/printable.ts';
import { decodeBech32, encodeBech32 } from './bech32.ts';

export interface AgeKeys {
  /** One key per line: the content of a file of keys. */
  readonly text: string;
  /** The public keys, as a sealed file names them. Keys of other types than X25519 are left out. */
  readonly recipients: readonly string[];
}

export type ReadKeys =
  | { readonly ok: true; readonly keys: AgeKeys }
  /** A part of a sentence behind the name of the Secret: `holds no …`. */
  | { readonly ok: false; readonly problem: string };

const MAX_BYTES = 65_536;
const SECRET_PREFIX = 'age-secret-key-';

/** Reads the values under names that end in `.agekey`, and those that hold a key under any other name. */
export function readAgeKeys(data: ReadonlyMap<string, Buffer>): ReadKeys {
  const entries = [...data].filter(([name, value]) => name.endsWith('.agekey') || value.includes('AGE-SECRET-KEY-'));
  const size = entries.reduce((sum, [, value]) => sum + value.length, 0);
  if (size > MAX_BYTES) return refuse(`holds more than ${MAX_BYTES / 1024} KiB of keys`);
  const lines: string[] = [];
  const recipients = new Set<string>();
  for (const [name, value] of entries) {
    for (const [index, raw] of value.toString('utf8').split('\n').entries()) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#')) continue;
      const recipient = recipientOf(line);
      if (recipient === undefined) {
        return refuse(`holds no private key of age under ${cleanText(name, 60)} in line ${index + 1}`);
      }
      lines.push(line);
      if (recipient !== '') recipients.add(recipient);
    }
  }
  if (lines.length === 0) return refuse('holds no private key of age under a name that ends in .agekey');
  return { ok: true, keys: { text: `${lines.join('\n')}\n`, recipients: [...recipients] } };
}

function refuse(problem: string): ReadKeys {
  return { ok: false, problem };
}

/** The public key of a private one; empty if it is of a type without a short public key. undefined: it is no key. */
function recipientOf(line: string): string | undefined {
  if (/^AGE-SECRET-KEY-PQ-1[A-Z0-9]+$/.test(line)) return '';
  const seed = line.startsWith('AGE-SECRET-KEY-') ? decodeBech32(SECRET_PREFIX, line) : undefined;
  return seed?.length === 32 ? encodeBech32('age', publicKeyOf(seed)) : undefined;
}

/** DER of a private key of X25519 before its 32 bytes. */
const PKCS8_HEADER = Buffer.from('302e020100300506032b656e04220420', 'hex');

function publicKeyOf(seed: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}
