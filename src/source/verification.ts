/**
 * Reads a Secret as the keys that signatures are verified with.
 *
 * Invariant: every key is one that can verify, or the Secret is refused as a whole. A refusal names the Secret and the
 * key, never a value.
 */
import { createPublicKey } from 'node:crypto';
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import type { Verification } from '../registry/cosign.ts';
import type { SecretContent } from './credential.ts';
import type { GitVerification, VerifyMode } from './signatures/git-verification.ts';
import { readTrust } from './signatures/trust-list.ts';

/** As Flux names them: `cosign.pub`, and any other key with this end. */
const PUBLIC_KEY = /\.pub$/;
const USABLE: ReadonlySet<string | undefined> = new Set(['ec', 'rsa', 'ed25519']);

const MAX_TRUST_CHARS = 262_144;

/** Every value of the Secret counts. Throws StageError InvalidSecret. `field`: that of the spec, for messages. */
export function parseGitVerification(
  { secret, data }: SecretContent,
  { mode, field }: { readonly mode: VerifyMode; readonly field: string },
): GitVerification {
  const refuse = (problem: string): never => {
    throw sourceError('InvalidSecret', `The Secret ${secret} of ${field} ${problem}.`);
  };
  const entries = [...data].sort(([one], [other]) => (one < other ? -1 : 1));
  if (entries.length === 0) {
    refuse('holds no public key. Store allowed signers, public keys of SSH or armored public keys of OpenPGP');
  }
  let chars = 0;
  for (const [name, value] of entries) {
    chars += value.length;
    if (chars > MAX_TRUST_CHARS)
      refuse(`holds more than ${MAX_TRUST_CHARS} bytes of keys. Remove those that sign no more`);
    const read = readTrust(value.toString('utf8'));
    if (!read.ok) refuse(`cannot be used: the text under ${cleanText(name, 60)} ${read.problem}`);
  }
  const keys = entries.map(([, value]) => value.toString('utf8'));
  return { provider: 'git', mode, secret, field, keys };
}

/** Throws StageError InvalidSecret. */
export function parseVerification({ secret, data }: SecretContent, field = 'spec.source.verify'): Verification {
  const refuse = (problem: string): never => {
    throw sourceError('InvalidSecret', `The Secret ${secret} of ${field} ${problem}.`);
  };
  const keys = [...data].filter(([name]) => PUBLIC_KEY.test(name));
  if (keys.length === 0) refuse('holds no public key. Store the public keys of cosign under names that end in .pub');
  for (const [name, value] of keys) {
    if (!isPublicKey(value)) {
      refuse(`holds no public key (ECDSA, RSA or Ed25519) in PEM under ${cleanText(name, 60)}`);
    }
  }
  return { provider: 'cosign', secret, keys: keys.map(([, value]) => value.toString('utf8')).sort() };
}

function isPublicKey(value: Buffer): boolean {
  // A private key would be read as the public one that belongs to it, and does not belong into this Secret.
  if (!value.toString('latin1').includes('-----BEGIN PUBLIC KEY-----')) return false;
  try {
    return USABLE.has(createPublicKey(value).asymmetricKeyType);
  } catch {
    return false;
  }
}
