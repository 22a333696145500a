/**
 * Verifies signatures of `ssh-keygen -Y sign` (OpenSSH, PROTOCOL.sshsig).
 *
 * Invariant: every byte counts. A signature that could be written in another way is refused.
 */
import { createHash } from 'node:crypto';
import { unarmorSsh } from './armor.ts';
import { altered, SignatureRefusal, unsupported } from './refusal.ts';
import { fingerprintOf, readSshKey } from './ssh-key.ts';
import { readWire, wireString } from './ssh-wire.ts';
import type { TrustedSshKey } from './trust-list.ts';

export const SSH_BEGIN = '-----BEGIN SSH SIGNATURE-----';
const SSH_END = '-----END SSH SIGNATURE-----';
const MAGIC = 'SSHSIG';
const NAMESPACE = 'git';
const HASHES = ['sha256', 'sha512'];

export interface SshQuestion {
  readonly payload: Buffer;
  /** Armored. */
  readonly signature: string;
  readonly trusted: readonly TrustedSshKey[];
  /** As the committer or tagger wrote it, in seconds since 1970. */
  readonly writtenS: number | undefined;
  /** Seconds since 1970. */
  readonly nowS: number;
}

export interface Signer {
  /** For people. */
  readonly name: string;
  /** Milliseconds since 1970 until which the key is valid; Infinity: for ever. */
  readonly validUntilMs: number;
}

/** Throws SignatureRefusal. */
export function verifySsh({ payload, signature, trusted, writtenS, nowS }: SshQuestion): Signer {
  const { keyBlob, signatureBlob, signed } = readSignature(signature, payload);
  const fingerprint = fingerprintOf(keyBlob);
  const lines = trusted.filter(({ blob }) => blob.equals(keyBlob));
  if (lines.length === 0) {
    throw new SignatureRefusal(
      'SignerUnknown',
      `is signed by the SSH key ${fingerprint}, which is not in the Secret. Add the key if you trust it.`,
    );
  }
  if (readSshKey(keyBlob)?.isSignature(signed, signatureBlob) !== true) throw altered();
  const line = lines.find((one) => isValidAt(one, { writtenS, nowS }));
  if (line)
    return { name: `${line.name} (${fingerprint})`.trimStart(), validUntilMs: (line.validBeforeS ?? Infinity) * 1000 };
  throw new SignatureRefusal(
    'SignerExpired',
    `is signed by the SSH key ${fingerprint}, which was not valid when it was signed, or is not any more (valid-after, valid-before). Sign it with a valid key, or change the times in the Secret.`,
  );
}

/** A key that has expired verifies nothing, not even old commits: their time is what the signer wrote. */
function isValidAt(
  { validAfterS = -Infinity, validBeforeS = Infinity }: TrustedSshKey,
  { writtenS, nowS }: Pick<SshQuestion, 'writtenS' | 'nowS'>,
): boolean {
  if (validAfterS === -Infinity && validBeforeS === Infinity) return true;
  return writtenS !== undefined && writtenS >= validAfterS && writtenS < validBeforeS && nowS < validBeforeS;
}

interface ReadSignature {
  readonly keyBlob: Buffer;
  readonly signatureBlob: Buffer;
  /** The bytes that the key has signed. */
  readonly signed: Buffer;
}

function readSignature(armored: string, payload: Buffer): ReadSignature {
  const wire = readWire(unarmorSsh(armored, { begin: SSH_BEGIN, end: SSH_END }));
  const magic = wire.bytes(MAGIC.length)?.toString('latin1');
  const version = wire.uint32();
  const [keyBlob, namespace, reserved, hash = '', signatureBlob] = [
    wire.string(),
    wire.string(),
    wire.string(),
    wire.text(),
    wire.string(),
  ];
  if (magic !== MAGIC || version !== 1 || !keyBlob || !namespace || !reserved || !signatureBlob || !wire.isAtEnd()) {
    throw altered();
  }
  if (namespace.toString('latin1') !== NAMESPACE) {
    throw unsupported(`was not made for Git (its namespace is not ${NAMESPACE})`);
  }
  if (!HASHES.includes(hash)) throw unsupported('uses another hash than SHA-256 and SHA-512');
  const digest = createHash(hash).update(payload).digest();
  const parts = [namespace, reserved, hash, digest].map((part) => wireString(part));
  return { keyBlob, signatureBlob, signed: Buffer.concat([Buffer.from(MAGIC), ...parts]) };
}
