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

/** As Flux names them: `cosign.pub`, and any other key with this end. */
const PUBLIC_KEY = /\.pub$/;
const USABLE: ReadonlySet<string | undefined> = new Set(['ec', 'rsa', 'ed25519']);

/** Throws StageError InvalidSecret. */
export function parseVerification({ secret, data }: SecretContent): Verification {
  const refuse = (problem: string): never => {
    throw sourceError('InvalidSecret', `The Secret ${secret} of spec.source.verify ${problem}.`);
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
