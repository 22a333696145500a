/**
 * Signed commits and tags without a program that signs: keys and signatures of SSH by the crypto of Node, those of
 * OpenPGP by its package. The objects are written as git writes them.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createCleartextMessage, createMessage, generateKey, readPrivateKey, sign as signOpenPgp } from 'openpgp';
import { authorLine } from './git-command.ts';
import type { TestRepository } from './git-repository.ts';
import { wireString } from '../../src/source/signatures/ssh-wire.ts';

export interface TestSigner {
  /** The public key as a Secret holds it. */
  readonly publicKey: string;
  /** Armored, with a line end behind it. */
  sign(payload: Buffer): Promise<string>;
}

export type SshKeyType = (typeof SSH_KEY_TYPES)[number];

export const SSH_KEY_TYPES = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;

export interface SshSignerOptions {
  readonly namespace?: string;
  readonly hash?: 'sha256' | 'sha512' | 'sha1';
  readonly rsaBits?: number;
  /** The flags that a security key writes: 1, the person touched it. */
  readonly flags?: number;
}

export interface SshSigner extends TestSigner {
  readonly type: SshKeyType;
  readonly blob: Buffer;
}

export function sshSigner(type: SshKeyType = 'ssh-ed25519', options: SshSignerOptions = {}): SshSigner {
  const { namespace = 'git', hash = 'sha512', rsaBits = 2048, flags = 1 } = options;
  const { publicKey, privateKey } = makeKeys(type, rsaBits);
  const application = Buffer.from('ssh:');
  const blob = blobOf(type, publicKey, application);

  function signatureOf(text: Buffer): Buffer {
    if (!type.startsWith('sk-')) return plainSignature(type, privateKey, text);
    const state = Buffer.concat([Buffer.from([flags]), Buffer.from([0, 0, 0, 7])]);
    const signed = Buffer.concat([sha256(application), state, sha256(text)]);
    const inner = plainSignature(
      type === 'sk-ssh-ed25519@openssh.com' ? 'ssh-ed25519' : 'ecdsa-sha2-nistp256',
      privateKey,
      signed,
    );
    const innerType = inner.readUInt32BE(0);
    return Buffer.concat([wireString(type), inner.subarray(4 + innerType), state]);
  }

  return {
    type,
    blob,
    publicKey: `${type} ${blob.toString('base64')} someone@example.org`,
    sign: (payload) => {
      const digest = createHash(hash).update(payload).digest();
      const head = [namespace, '', hash];
      const text = Buffer.concat([Buffer.from('SSHSIG'), ...[...head, digest].map((part) => wireString(part))]);
      const version = Buffer.from([0, 0, 0, 1]);
      const parts = [blob, ...head, signatureOf(text)].map((part) => wireString(part));
      return Promise.resolve(armorSsh(Buffer.concat([Buffer.from('SSHSIG'), version, ...parts])));
    },
  };
}

export function armorSsh(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

function makeKeys(type: SshKeyType, rsaBits: number): { publicKey: KeyObject; privateKey: KeyObject } {
  if (type === 'ssh-rsa') return generateKeyPairSync('rsa', { modulusLength: rsaBits });
  if (type.includes('ed25519')) return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: `P-${/\d+$/.exec(type.split('@')[0] ?? '')?.[0]}` });
}

function blobOf(type: SshKeyType, key: KeyObject, application: Buffer): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const part = (name: 'x' | 'y' | 'n' | 'e'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url');
  const more = type.startsWith('sk-') ? [wireString(application)] : [];
  const head = wireString(type);
  if (type === 'ssh-rsa') return Buffer.concat([head, mpint(part('e')), mpint(part('n'))]);
  if (type.includes('ed25519')) return Buffer.concat([head, wireString(part('x')), ...more]);
  const curve = /nistp\d+/.exec(type)?.[0] ?? '';
  const point = Buffer.concat([Buffer.from([4]), part('x'), part('y')]);
  return Buffer.concat([head, wireString(curve), wireString(point), ...more]);
}

/** The type of the signature, then the signature. */
function plainSignature(type: SshKeyType, key: KeyObject, text: Buffer): Buffer {
  if (type === 'ssh-rsa') return Buffer.concat([wireString('rsa-sha2-512'), wireString(sign('sha512', text, key))]);
  if (type === 'ssh-ed25519') return Buffer.concat([wireString(type), wireString(sign(null, text, key))]);
  const hash = type.endsWith('256') ? 'sha256' : type.endsWith('384') ? 'sha384' : 'sha512';
  const both = sign(hash, text, { key, dsaEncoding: 'ieee-p1363' });
  const [r, s] = [both.subarray(0, both.length / 2), both.subarray(both.length / 2)];
  return Buffer.concat([wireString(type), wireString(Buffer.concat([mpint(r), mpint(s)]))]);
}

function mpint(number: Buffer): Buffer {
  let from = 0;
  while (from < number.length - 1 && number[from] === 0) from += 1;
  const short = number.subarray(from);
  return wireString((short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

export interface PgpSignerOptions {
  readonly date?: Date;
  readonly validSeconds?: number;
}

export interface PgpSigner extends TestSigner {
  readonly keyId: string;
  /** The secret and the public key as a keyring of older versions of gpg, which helm reads. */
  readonly keyrings: { readonly secret: Uint8Array; readonly public: Uint8Array };
  /** The text as a clear-signed message, with line ends of LF. */
  clearSign(text: string): Promise<string>;
}

export async function pgpSigner({
  date = new Date(Date.now() - 3_600_000),
  validSeconds,
}: PgpSignerOptions = {}): Promise<PgpSigner> {
  const userIDs = [{ name: 'Some One', email: 'someone@example.org' }];
  const keys = await generateKey({
    type: 'curve25519',
    userIDs,
    date,
    ...(validSeconds === undefined ? {} : { keyExpirationTime: validSeconds }),
  });
  const signingKeys = await readPrivateKey({ armoredKey: keys.privateKey });
  return {
    publicKey: keys.publicKey,
    keyId: signingKeys.getKeyID().toHex().toUpperCase(),
    keyrings: { secret: signingKeys.write(), public: signingKeys.toPublic().write() },
    async clearSign(text) {
      const message = await createCleartextMessage({ text });
      const signed = await signOpenPgp({ message, signingKeys, date: new Date(date.getTime() + 1000) });
      return signed.replaceAll('\r\n', '\n');
    },
    async sign(payload) {
      const message = await createMessage({ binary: new Uint8Array(payload) });
      const at = new Date(date.getTime() + 1000);
      const armored = await signOpenPgp({ message, signingKeys, detached: true, date: at });
      return String(armored).replaceAll('\r\n', '\n').trim().concat('\n');
    },
  };
}

export interface CommitText {
  readonly tree: string;
  readonly parents?: readonly string[];
  readonly message?: string;
  readonly atSeconds?: number;
  /** Headers behind that of the committer, with their line ends. */
  readonly headers?: string;
}

/** A commit without signature, as git stores it. */
export function commitBytes({
  tree,
  parents = [],
  message = 'Change files\n',
  headers = '',
  atSeconds,
}: CommitText): Buffer {
  const at = `${authorLine} ${atSeconds ?? Math.floor(Date.now() / 1000)} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${at}`, `committer ${at}`];
  return Buffer.from(`${lines.join('\n')}\n${headers}\n${message}`);
}

/** The commit with the signature in its header. */
export async function signedCommit(commit: Buffer, signer: Pick<TestSigner, 'sign'>): Promise<Buffer> {
  return withSignature(commit, await signer.sign(commit));
}

export function withSignature(commit: Buffer, armored: string): Buffer {
  const end = commit.indexOf('\n\n') + 1;
  const header = `gpgsig ${armored.replace(/\n$/, '').replaceAll('\n', '\n ')}\n`;
  return Buffer.concat([commit.subarray(0, end), Buffer.from(header), commit.subarray(end)]);
}

export interface TagText {
  readonly object: string;
  readonly name: string;
  readonly type?: string;
  readonly atSeconds?: number;
}

/** A tag without signature, as git stores it. */
export function tagBytes({ object, name, type = 'commit', atSeconds }: TagText): Buffer {
  const at = atSeconds ?? Math.floor(Date.now() / 1000);
  return Buffer.from(
    `object ${object}\ntype ${type}\ntag ${name}\ntagger ${authorLine} ${at} +0000\n\nRelease ${name}\n`,
  );
}

export async function signedTag(tag: Buffer, signer: Pick<TestSigner, 'sign'>): Promise<Buffer> {
  return Buffer.concat([tag, Buffer.from(await signer.sign(tag))]);
}

/** Writes an object whatever its content; its id. */
export function writeObject(repository: TestRepository, type: 'commit' | 'tag', data: Buffer): Promise<string> {
  return repository.git(['hash-object', '-t', type, '-w', '--stdin', '--literally'], { input: data });
}

/** Commits files on the default branch, with a signature if there is a signer; the id of the commit. */
export async function pushCommit(
  repository: TestRepository,
  files: Parameters<TestRepository['commit']>[0],
  { signer, ...text }: { readonly signer?: TestSigner | undefined } & Partial<CommitText> = {},
): Promise<string> {
  const plain = await repository.commit(files);
  if (!signer) return plain;
  const tree = await repository.git(['rev-parse', `${plain}^{tree}`]);
  const [parent] = (await repository.git(['rev-list', '--parents', '-n1', plain])).split(' ').slice(1);
  const commit = commitBytes({ tree, ...(parent === undefined ? {} : { parents: [parent] }), ...text });
  const oid = await writeObject(repository, 'commit', await signedCommit(commit, signer));
  await repository.git(['update-ref', `refs/heads/${repository.defaultBranch}`, oid]);
  return oid;
}

/** Sets a reference below refs/tags to a tag object; the id of the tag. */
export async function pushTag(repository: TestRepository, ref: string, data: Buffer): Promise<string> {
  const oid = await writeObject(repository, 'tag', data);
  await repository.git(['update-ref', `refs/tags/${ref}`, oid]);
  return oid;
}
