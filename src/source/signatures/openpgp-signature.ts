/**
 * Verifies detached signatures of OpenPGP. The package is imported when the first such signature is verified.
 *
 * Invariants: one signature, of the type that is asked for, by a key that is valid now: a key that has expired or was
 * revoked verifies nothing, not even old commits. No text of the package reaches a message.
 */
import type * as openPgp from 'openpgp';
import type { PublicKey } from 'openpgp';
import { printable } from '../../object/printable.ts';
import { unarmorOpenPgp } from './armor.ts';
import { altered, SignatureRefusal, unsupported } from './refusal.ts';
import type { Signer } from './ssh-signature.ts';

type KeyId = NonNullable<Parameters<PublicKey['getKeys']>[0]>;
type OpenPgp = typeof openPgp;

export const PGP_BEGIN = '-----BEGIN PGP SIGNATURE-----';
const PGP_END = '-----END PGP SIGNATURE-----';
/** The types of signatures (RFC 9580, section 5.2.1). */
const TYPES = { binary: 0, text: 1 } as const;
const SIGN_AGAIN = 'Sign it again with one OpenPGP key that is not weak.';

export interface PgpQuestion {
  readonly payload: Buffer;
  /** Armored. */
  readonly signature: string;
  /** Default: binary. A text is signed with line ends of CR and LF, whatever `payload` has. */
  readonly type?: keyof typeof TYPES;
  /** Armored public keys. */
  readonly keys: readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Rejects with SignatureRefusal. */
export async function verifyOpenPgp(question: PgpQuestion): Promise<Signer> {
  const { payload, signature: armored, keys, nowMs, type = 'binary' } = question;
  const openpgp = await import('openpgp');
  const trusted = await readKeys(openpgp, keys);
  const { keyId } = await readSignature(openpgp, armored, type);
  const signers = trusted.filter((key) => key.getKeys(keyId).length > 0);
  const shown = printable(keyId.toHex().toUpperCase());
  if (signers.length === 0) {
    throw new SignatureRefusal(
      'SignerUnknown',
      `is signed by the OpenPGP key ${shown}, which is not in the Secret. Add the key if you trust it.`,
    );
  }
  let refusal: SignatureRefusal = altered();
  for (const key of signers) {
    try {
      return await verifyBy(key, { openpgp, payload, armored, nowMs, type });
    } catch (error) {
      refusal = refusalOf(error, shown);
    }
  }
  throw refusal;
}

interface Verifying {
  readonly openpgp: OpenPgp;
  readonly payload: Buffer;
  readonly armored: string;
  readonly nowMs: number;
  readonly type: keyof typeof TYPES;
}

/** Rejects with errors of the package, which remembers in a signature that a key has verified it: each is read once. */
async function verifyBy(key: PublicKey, { openpgp, payload, armored, nowMs, type }: Verifying): Promise<Signer> {
  const date = new Date(nowMs);
  const { signature, keyId } = await readSignature(openpgp, armored, type);
  const message = await openpgp.createMessage({ binary: new Uint8Array(payload) });
  const options = { message, signature, verificationKeys: key, format: 'binary', date } as const;
  const { signatures } = await openpgp.verify(options as Parameters<OpenPgp['verify']>[0]);
  const [result] = signatures;
  if (signatures.length !== 1 || !result) throw altered();
  await result.verified;
  // The package asks whether the key was valid when it signed, by the time that the signer wrote.
  await key.getSigningKey(keyId, date);
  return {
    name: nameOf(key, printable(keyId.toHex().toUpperCase())),
    validUntilMs: await validUntil(key, keyId, date),
  };
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

async function readSignature({ readSignature: read }: OpenPgp, armored: string, type: keyof typeof TYPES) {
  const binarySignature = new Uint8Array(unarmorOpenPgp(armored, { begin: PGP_BEGIN, end: PGP_END }));
  const signature = await read({ binarySignature }).catch(() => {
    throw altered();
  });
  const [packet] = signature.packets;
  if (signature.packets.length !== 1 || !packet) throw unsupported('stands beside another one', SIGN_AGAIN);
  if (packet.signatureType !== TYPES[type]) throw unsupported('is of another type than its object', SIGN_AGAIN);
  return { signature, keyId: packet.issuerKeyID };
}

/** The package tells the reasons apart by their texts alone. */
function refusalOf(error: unknown, keyId: string): SignatureRefusal {
  if (error instanceof SignatureRefusal) return error;
  const text = error instanceof Error ? error.message : '';
  if (/expired|revoked|future|could not find/i.test(text)) {
    return new SignatureRefusal(
      'SignerExpired',
      `is signed by the OpenPGP key ${keyId}, which has expired, was revoked or is not valid at this time. Sign it with a valid key, or store the renewed key in the Secret.`,
    );
  }
  if (/insecure|not allowed|too weak|shorter|forbidden|disallow|not supported|reject/i.test(text)) {
    return unsupported('uses an algorithm that is too weak', SIGN_AGAIN);
  }
  return altered();
}

function nameOf(key: PublicKey, keyId: string): string {
  const [user = ''] = key.getUserIDs();
  return user === '' ? keyId : `${user} (${keyId})`;
}

/** The earliest end of the primary key and of the subkey that made the signature. */
async function validUntil(key: PublicKey, keyId: KeyId, date: Date): Promise<number> {
  const ends = [await key.getExpirationTime()];
  for (const subkey of key.getSubkeys(keyId)) ends.push(await subkey.getExpirationTime(date));
  return Math.min(...ends.map((end) => (end instanceof Date ? end.getTime() : (end ?? -Infinity))));
}
