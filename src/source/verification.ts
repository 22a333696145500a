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
import type { ChartVerification } from './signatures/chart-verification.ts';
import type { GitVerification, VerifyMode } from './signatures/git-verification.ts';
import { joinTrust, readTrust } from './signatures/trust-list.ts';

/** As Flux names them: `cosign.pub`, and any other key with this end. */
const PUBLIC_KEY = /\.pub$/;
const USABLE: ReadonlySet<string | undefined> = new Set(['ec', 'rsa', 'ed25519']);

const MAX_TRUST_CHARS = 262_144;

/** Every value of the Secret counts. Throws StageError InvalidSecret. `field`: that of the spec, for messages. */
export function parseGitVerification(
  content: SecretContent,
  { mode, field }: { readonly mode: VerifyMode; readonly field: string },
): GitVerification {
  const what = 'allowed signers, public keys of SSH or armored public keys of OpenPGP';
  return { provider: 'git', mode, secret: content.secret, field, keys: readKeys(content, { field, what }) };
}

/**
 * Every value of the Secret counts, and one of them must be a key of OpenPGP. Throws StageError InvalidSecret. `field`:
 * that of the spec, for messages.
 */
export function parseChartVerification(content: SecretContent, field: string): ChartVerification {
  const { secret } = content;
  const what = 'armored public keys of OpenPGP';
  const keys = readKeys(content, { field, what });
  if (joinTrust(keys).openPgp.length === 0) throw invalid({ secret, field }, `holds no public key. Store ${what}`);
  return { provider: 'helm', secret, field, keys };
}

interface Wanted {
  readonly field: string;
  /** The kinds of keys, for messages. */
  readonly what: string;
}

function invalid({ secret, field }: { readonly secret: string; readonly field: string }, problem: string): Error {
  return sourceError('InvalidSecret', `The Secret ${secret} of ${field} ${problem}.`);
}

function readKeys({ secret, data }: SecretContent, { field, what }: Wanted): readonly string[] {
  const refuse = (problem: string): never => {
    throw invalid({ secret, field }, problem);
  };
  const entries = [...data].sort(([one], [other]) => (one < other ? -1 : 1));
  if (entries.length === 0) refuse(`holds no public key. Store ${what}`);
  let chars = 0;
  for (const [name, value] of entries) {
    chars += value.length;
    if (chars > MAX_TRUST_CHARS)
      refuse(`holds more than ${MAX_TRUST_CHARS} bytes of keys. Remove those that sign no more`);
    const read = readTrust(value.toString('utf8'));
    if (!read.ok) refuse(`cannot be used: the text under ${cleanText(name, 60)} ${read.problem}`);
  }
  return entries.map(([, value]) => value.toString('utf8'));
}

/** Throws StageError InvalidSecret. */
export function parseVerification({ secret, data }: SecretContent, field = 'spec.source.verify'): Verification {
  const refuse = (problem: string): never => {
    throw invalid({ secret, field }, problem);
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
