/**
 * Makes the private key of a Secret one that the SSH library can use: the formats of OpenSSH (RSA, ECDSA, Ed25519, with
 * and without a passphrase), PKCS#1, SEC1 and PKCS#8.
 *
 * Invariants: a passphrase of an OpenSSH key costs a tenth of a second and more, so it is tried in a thread, one key at
 * a time, once for each version of a Secret. A message names the Secret and never a value.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { ParsedKey } from 'ssh2';
import { sourceError } from '../../../object/source-error.ts';
import type { Credential, SshKey } from '../../credential.ts';

export interface PrivateKeys {
  /** Throws StageError InvalidSecret. */
  open(ssh: SshKey, secret: Credential['secret']): Promise<ParsedKey>;
}

/** Keys that are kept; a key takes some kB. */
const MAX_KEYS = 256;

export function createPrivateKeys(): PrivateKeys {
  /** By a digest of the key and its passphrase, in order of use. */
  const keys = new Map<string, Promise<ParsedKey>>();
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn: Decrypt = (sealed) => {
    const result = queue.then(() => decryptInThread(sealed));
    queue = result.catch(() => undefined);
    return result;
  };
  return {
    open(ssh, secret) {
      const id = createHash('sha256')
        .update(JSON.stringify([secret, ssh.privateKey, ssh.passphrase]))
        .digest('hex');
      const key = keys.get(id) ?? openKey(ssh, secret, inTurn);
      keys.delete(id);
      keys.set(id, key);
      const [oldest] = keys.keys();
      if (keys.size > MAX_KEYS && oldest !== undefined) keys.delete(oldest);
      return key;
    },
  };
}

type Decrypt = (sealed: Pick<SshKey, 'privateKey' | 'passphrase'>) => Promise<string | undefined>;

const OPENSSH = '-----BEGIN OPENSSH PRIVATE KEY-----';

async function openKey(ssh: SshKey, secret: string, decrypt: Decrypt): Promise<ParsedKey> {
  const refuse = (problem: string): never => {
    throw sourceError('InvalidSecret', `The SSH key of the Secret ${secret} ${problem}.`);
  };
  const text = ssh.privateKey.startsWith(OPENSSH)
    ? await openOpenSsh(ssh, refuse, decrypt)
    : fromKeyObject(readPem(ssh, refuse), refuse);
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) return refuse('is damaged or of an unknown type. Use Ed25519, ECDSA or RSA');
  checkSize(parsed, refuse);
  return parsed;
}

type Refuse = (problem: string) => never;

/** A larger key would make one signature block the agent for too long. */
const MAX_RSA_BITS = 8192;
const MIN_RSA_BITS = 1024;

function checkSize(key: ParsedKey, refuse: Refuse): void {
  if (!key.isPrivateKey()) refuse('is a public key. Store the private key');
  if (key.type !== 'ssh-rsa') return;
  const bits = createPublicKey(key.getPublicPEM()).asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
    refuse(`has ${bits} bits. Use an RSA key of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, or Ed25519`);
  }
}

/** ssh-keygen uses 16 or 24, and people who choose set 100. */
const MAX_ROUNDS = 512;
const KDF_ADVICE = 'Create it again with ssh-keygen';

async function openOpenSsh(ssh: SshKey, refuse: Refuse, decrypt: Decrypt): Promise<string> {
  const rounds = roundsOf(ssh.privateKey) ?? refuse(`is damaged. ${KDF_ADVICE}`);
  if (rounds === 0) return ssh.privateKey;
  if (ssh.passphrase === '') refuse('is encrypted, and the Secret has no passphrase under password');
  if (rounds > MAX_ROUNDS) refuse(`is encrypted with ${rounds} rounds, more than ${MAX_ROUNDS}. ${KDF_ADVICE} -a 100`);
  const pem = (await decrypt(ssh)) ?? refuse('cannot be opened with the passphrase under password');
  return fromKeyObject(createPrivateKey(pem), refuse);
}

/** Rounds of the key derivation; 0: not encrypted; undefined: not an OpenSSH key. */
function roundsOf(pem: string): number | undefined {
  const data = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const magic = 'openssh-key-v1\0';
  if (data.toString('latin1', 0, magic.length) !== magic) return undefined;
  try {
    let at = magic.length;
    const text = (): Buffer => {
      const length = data.readUInt32BE(at);
      at += 4 + length;
      return data.subarray(at - length, at);
    };
    text();
    if (text().toString('latin1') === 'none') return 0;
    const options = text();
    return options.readUInt32BE(4 + options.readUInt32BE(0));
  } catch {
    return undefined;
  }
}

function readPem({ privateKey, passphrase }: SshKey, refuse: Refuse): KeyObject {
  if (privateKey.startsWith('-----BEGIN ENCRYPTED')) {
    refuse('is encrypted in the form PKCS#8. Convert it with ssh-keygen -p, or store it without a passphrase');
  }
  const isEncrypted = /^DEK-Info:/m.test(privateKey);
  if (isEncrypted && passphrase === '') refuse('is encrypted, and the Secret has no passphrase under password');
  try {
    return createPrivateKey(isEncrypted ? { key: privateKey, passphrase } : privateKey);
  } catch {
    return refuse(isEncrypted ? 'cannot be opened with the passphrase under password' : `is damaged. ${KDF_ADVICE}`);
  }
}

/** In a form that the library reads. */
function fromKeyObject(key: KeyObject, refuse: Refuse): string {
  if (key.asymmetricKeyType === 'rsa') return String(key.export({ type: 'pkcs1', format: 'pem' }));
  if (key.asymmetricKeyType === 'ec') return String(key.export({ type: 'sec1', format: 'pem' }));
  if (key.asymmetricKeyType === 'ed25519') return encodeEd25519(key);
  return refuse('is of an unknown type. Use Ed25519, ECDSA or RSA');
}

/** OpenSSH, PROTOCOL.key: the only form in which the library reads such a key. */
function encodeEd25519(key: KeyObject): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const publicKey = Buffer.concat([string('ssh-ed25519'), string(point)]);
  const secret = Buffer.concat([Buffer.alloc(8), publicKey, string(Buffer.concat([seed, point])), string('')]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0', 'latin1'),
    ...[string('none'), string('none'), string(''), Buffer.from([0, 0, 0, 1])],
    ...[string(publicKey), string(Buffer.concat([secret, padding]))],
  ]);
  return `${OPENSSH}\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function string(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const DECRYPT_TIMEOUT_MS = 60_000;

/** The private key in PEM, not encrypted; undefined if the passphrase does not open it. */
async function decryptInThread({ privateKey, passphrase }: Pick<SshKey, 'privateKey' | 'passphrase'>) {
  const file = import.meta.url.endsWith('.ts') ? './decrypt-key.ts' : './decrypt-key.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: { privateKey, passphrase },
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const timer = setTimeout(() => resolve(undefined), DECRYPT_TIMEOUT_MS);
  worker.once('message', (pem: string | undefined) => resolve(pem));
  worker.once('error', () => resolve(undefined));
  worker.once('exit', () => resolve(undefined));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
