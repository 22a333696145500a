/**
 * Public keys of SSH: Ed25519, ECDSA and RSA (RFC 4253, 5656, 8332, 8709), and those of security keys (OpenSSH,
 * PROTOCOL.u2f).
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { readWire, wireString, type WireReader } from './ssh-wire.ts';

export interface SshKey {
  readonly type: string;
  /** The key as SSH writes it; equal bytes are the same key. */
  readonly blob: Buffer;
  /** Whether a signature blob of SSH is this key's signature of the text. */
  isSignature(text: Buffer, signature: Buffer): boolean;
}

/** `SHA256:` and base64, as ssh-keygen -l prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** undefined: the bytes are no key, or one of a kind that is not trusted (a certificate, DSA, RSA below 2048 bits). */
export function readSshKey(blob: Buffer): SshKey | undefined {
  const wire = readWire(blob);
  const type = wire.text() ?? '';
  try {
    const check = Object.hasOwn(KINDS, type) ? KINDS[type]?.(wire) : undefined;
    if (!check || !wire.isAtEnd()) return undefined;
    return { type, blob, isSignature: (text, signature) => isSignatureBy(check, text, signature) };
  } catch {
    return undefined;
  }
}

/** `rest`: the signature blob after its type. It must be read to its end. */
type Check = (text: Buffer, signed: { readonly type: string; readonly rest: WireReader }) => boolean;

function isSignatureBy(check: Check, text: Buffer, signature: Buffer): boolean {
  const rest = readWire(signature);
  const type = rest.text() ?? '';
  try {
    return check(text, { type, rest }) && rest.isAtEnd();
  } catch {
    return false;
  }
}

type Kind = (wire: WireReader) => Check | undefined;

/** Curve, hash and bytes of a coordinate. */
const CURVES = {
  nistp256: { crv: 'P-256', hash: 'sha256', sizeBytes: 32 },
  nistp384: { crv: 'P-384', hash: 'sha384', sizeBytes: 48 },
  nistp521: { crv: 'P-521', hash: 'sha512', sizeBytes: 66 },
} as const;

type CurveName = keyof typeof CURVES;

const KINDS: Readonly<Record<string, Kind>> = {
  'ssh-ed25519': (wire) => ed25519Check('ssh-ed25519', ed25519Key(wire)),
  'ssh-rsa': rsaCheck,
  'ecdsa-sha2-nistp256': (wire) => ecdsaCheck('nistp256', ecdsaKey('nistp256', wire)),
  'ecdsa-sha2-nistp384': (wire) => ecdsaCheck('nistp384', ecdsaKey('nistp384', wire)),
  'ecdsa-sha2-nistp521': (wire) => ecdsaCheck('nistp521', ecdsaKey('nistp521', wire)),
  'sk-ssh-ed25519@openssh.com': (wire) => {
    const type = 'sk-ssh-ed25519@openssh.com';
    return securityKeyCheck(type, ed25519Check(type, ed25519Key(wire)), wire);
  },
  'sk-ecdsa-sha2-nistp256@openssh.com': (wire) => {
    const type = 'sk-ecdsa-sha2-nistp256@openssh.com';
    return securityKeyCheck(type, ecdsaCheck('nistp256', ecdsaKey('nistp256', wire), type), wire);
  },
};

function ed25519Key(wire: WireReader): KeyObject | undefined {
  const x = wire.string();
  return x?.length === 32 ? publicKey({ kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') }) : undefined;
}

function ed25519Check(name: string, key: KeyObject | undefined): Check | undefined {
  if (!key) return undefined;
  return (text, { type, rest }) => {
    const signature = rest.string();
    return type === name && signature?.length === 64 && verify(null, text, key, signature);
  };
}

function ecdsaKey(curve: CurveName, wire: WireReader): KeyObject | undefined {
  const { crv, sizeBytes } = CURVES[curve];
  const named = wire.text();
  const point = wire.string();
  if (named !== curve || point?.length !== 1 + 2 * sizeBytes || point[0] !== UNCOMPRESSED) return undefined;
  const x = point.toString('base64url', 1, 1 + sizeBytes);
  return publicKey({ kty: 'EC', crv, x, y: point.toString('base64url', 1 + sizeBytes) });
}

const UNCOMPRESSED = 4;

function ecdsaCheck(
  curve: CurveName,
  key: KeyObject | undefined,
  name: string = `ecdsa-sha2-${curve}`,
): Check | undefined {
  const { hash, sizeBytes } = CURVES[curve];
  if (!key) return undefined;
  return (text, { type, rest }) => {
    const numbers = readWire(rest.string() ?? Buffer.alloc(0));
    const [r, s] = [numbers.mpint(), numbers.mpint()];
    if (type !== name || !r || !s || !numbers.isAtEnd() || r.length > sizeBytes || s.length > sizeBytes) return false;
    const signature = Buffer.concat([padded(r, sizeBytes), padded(s, sizeBytes)]);
    return verify(hash, text, { key, dsaEncoding: 'ieee-p1363' }, signature);
  };
}

function padded(number: Buffer, sizeBytes: number): Buffer {
  return Buffer.concat([Buffer.alloc(sizeBytes - number.length), number]);
}

const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };
const LEAST_RSA_BITS = 2048;
/** OpenSSH reads no longer ones. */
const MOST_RSA_BITS = 16_384;
const MOST_EXPONENT_BYTES = 8;

function rsaCheck(wire: WireReader): Check | undefined {
  const [e, n] = [wire.mpint(), wire.mpint()];
  if (!e || !n || e.length > MOST_EXPONENT_BYTES || n.length * 8 > MOST_RSA_BITS) return undefined;
  const key = publicKey({ kty: 'RSA', e: e.toString('base64url'), n: n.toString('base64url') });
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < LEAST_RSA_BITS) return undefined;
  return (text, { type, rest }) => {
    const hash = Object.hasOwn(RSA_HASHES, type) ? RSA_HASHES[type] : undefined;
    const signature = rest.string();
    // Without its zeros in front, a signature could be written in two ways.
    if (hash === undefined || signature?.length !== n.length) return false;
    return verify(hash, text, key, signature);
  };
}

/** A security key signs the digests of its application and of the text, with its flags and a counter. */
function securityKeyCheck(name: string, check: Check | undefined, wire: WireReader): Check | undefined {
  const application = wire.string();
  if (!check || !application) return undefined;
  return (text, { type, rest }) => {
    const signature = rest.string();
    const state = rest.bytes(5);
    if (!signature || !state || (state.readUInt8(0) & USER_PRESENT) === 0) return false;
    const signed = Buffer.concat([sha256(application), state, sha256(text)]);
    return type === name && check(signed, { type, rest: readWire(wireString(signature)) });
  };
}

const USER_PRESENT = 1;

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function publicKey(key: { readonly kty: string; readonly [field: string]: string }): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}
