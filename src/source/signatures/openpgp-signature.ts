/**
 * Verifies detached signatures of OpenPGP. The package is imported when the first such signature is verified.
 *
 * Invariants: one signature, of type binary, by a key that is valid now: a key that has expired or was revoked verifies
 * nothing, not even old commits. No text of the package reaches a message.
 */
import type { PublicKey, Subkey } from 'openpgp';
import { printable } from '../../object/printable.ts';
import { altered, SignatureRefusal, unsupported } from './refusal.ts';
import type { Signer } from './ssh-signature.ts';

type OpenPgp = typeof import('openpgp');

export const PGP_BEGIN = '-----BEGIN PGP SIGNATURE-----';
const PGP_END = '-----END PGP SIGNATURE-----';
const MAX_ARMOR_CHARS = 65_536;
const BINARY = 0;

export interface PgpQuestion {
  readonly payload: Buffer;
  /** Armored. */
  readonly signature: string;
  /** Armored public keys. */
  readonly keys: readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Rejects with SignatureRefusal. */
export async function verifyOpenPgp({ payload, signature, keys, nowMs }: PgpQuestion): Promise<Signer> {
  const openpgp = await import('openpgp');
  const trusted = await readKeys(openpgp, keys);
  const read = await readSignature(openpgp, signature);
  const [{ keyId }] = [read];
  const signers = trusted.filter((key) => key.getKeys(keyId).length > 0);
  const shown = printable(keyId.toHex().toUpperCase());
  if (signers.length === 0) {
    throw new SignatureRefusal(
      'SignerUnknown',
      `is signed by the OpenPGP key ${shown}, which is not in the Secret. Add the key if you trust it.`,
    );
  }
  const date = new Date(nowMs);
  const verified = await openpgp.verify({
    message: await openpgp.createMessage({ binary: new Uint8Array(payload) }),
    signature: read.signature,
    verificationKeys: signers,
    format: 'binary',
    date,
  });
  const [result] = verified.signatures;
  if (verified.signatures.length !== 1 || !result) throw altered();
  try {
    await result.verified;
  } catch (error) {
    throw refusalOf(error, shown);
  }
  const [signer] = signers;
  return { name: nameOf(signer, shown), validUntilMs: await validUntil(signers, keyId, date) };
}

async function readKeys({ readKeys: read }: OpenPgp, armored: readonly string[]): Promise<readonly PublicKey[]> {
  const keys: PublicKey[] = [];
  for (const armoredKeys of armored) {
    try {
      keys.push(...(await read({ armoredKeys })));
    } catch {
      throw new SignatureRefusal(
        'InvalidSecret',
        'cannot be verified: the Secret holds an OpenPGP key that cannot be read',
      );
    }
  }
  return keys;
}

async function readSignature({ readSignature: read }: OpenPgp, armored: string) {
  const lines = armored.length > MAX_ARMOR_CHARS ? [] : armored.split('\n');
  const ends = lines.filter((line) => line.startsWith('-----'));
  if (lines[0] !== PGP_BEGIN || lines.at(-1) !== PGP_END || ends.length !== 2) throw altered();
  const signature = await read({ armoredSignature: armored }).catch(() => {
    throw altered();
  });
  const [packet] = signature.packets;
  if (signature.packets.length !== 1 || !packet) throw unsupported('stands beside another one');
  if (packet.signatureType !== BINARY) throw unsupported('is not about the bytes of the object');
  return { signature, keyId: packet.issuerKeyID };
}

/** The package tells the reasons apart by their texts alone. */
function refusalOf(error: unknown, keyId: string): SignatureRefusal {
  const text = error instanceof Error ? error.message : '';
  if (/expired|revoked|future|valid/i.test(text) && !/digest/i.test(text)) {
    return new SignatureRefusal(
      'SignerExpired',
      `is signed by the OpenPGP key ${keyId}, which has expired, was revoked or is not valid yet. Sign it with a valid key, or store the renewed key in the Secret.`,
    );
  }
  if (/insecure|not allowed|too weak|shorter|forbidden|disallow|not supported|reject/i.test(text)) {
    return unsupported('uses an algorithm that is too weak');
  }
  return altered();
}

function nameOf(key: PublicKey | undefined, keyId: string): string {
  const [user = ''] = key?.getUserIDs() ?? [];
  return user === '' ? keyId : `${user} (${keyId})`;
}

type KeyId = Parameters<PublicKey['getKeys']>[0];

/** The earliest end of the keys that may have made the signature. */
async function validUntil(keys: readonly PublicKey[], keyId: KeyId, date: Date): Promise<number> {
  let untilMs = Infinity;
  for (const key of keys) {
    const parts: readonly (PublicKey | Subkey)[] = [key, ...key.getSubkeys(keyId)];
    for (const part of parts) {
      const end = 'getUserIDs' in part ? await part.getExpirationTime() : await part.getExpirationTime(date);
      untilMs = Math.min(untilMs, end instanceof Date ? end.getTime() : (end ?? -Infinity));
    }
  }
  return untilMs;
}
