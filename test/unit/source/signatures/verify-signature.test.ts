/** The verification of single commits and tags, without Git: every kind of key, and everything that is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { verifyRevision } from '../../../../src/source/signatures/verify-signature.ts';
import { parseGitVerification } from '../../../../src/source/verification.ts';
import type { VerifyMode } from '../../../../src/source/signatures/git-verification.ts';
import {
  armorSsh,
  commitBytes,
  pgpSigner,
  signedCommit,
  signedTag,
  SSH_KEY_TYPES,
  sshSigner,
  tagBytes,
  withSignature,
  type TestSigner,
} from '../../../support/signed-git.ts';

const TREE = 'a'.repeat(40);
const COMMIT = 'c'.repeat(40);
const NOW_MS = Date.now();
const PLAIN = commitBytes({ tree: TREE, atSeconds: NOW_MS / 1000 - 60 });

interface Asked {
  readonly keys: string;
  readonly mode?: VerifyMode;
  readonly tag?: Buffer;
  readonly nowMs?: number;
}

function verify(commitData: Buffer, { keys, mode = 'head', tag, nowMs = NOW_MS }: Asked) {
  const secret = { secret: 'team/keys', data: new Map([['keys', Buffer.from(keys)]]) };
  const verification = parseGitVerification(secret, { mode, field: 'spec.source.verify' });
  const tags = tag ? [{ name: 'v1', data: tag }] : [];
  return verifyRevision(
    { commit: COMMIT, commitData, tags },
    { verification, label: 'https://git.example.com/x', nowMs },
  );
}

for (const type of SSH_KEY_TYPES) {
  test(`a commit that is signed with a key of type ${type} is verified`, async () => {
    const signer = sshSigner(type);
    const { name } = await verify(await signedCommit(PLAIN, signer), { keys: signer.publicKey });
    assert.match(name, /^someone@example\.org \(SHA256:/);
    const other = sshSigner(type);
    await assert.rejects(verify(await signedCommit(PLAIN, other), { keys: signer.publicKey }), {
      code: 'SignerUnknown',
    });
  });
}

test('a commit that is signed with OpenPGP is verified', async () => {
  const signer = await pgpSigner();
  const { name } = await verify(await signedCommit(PLAIN, signer), { keys: signer.publicKey });
  assert.equal(name, `Some One <someone@example.org> (${signer.keyId})`);
});

const REFUSED: readonly (readonly [name: string, make: () => Promise<readonly [Buffer, Asked]>, code: string])[] = [
  ['another namespace than git', () => bySsh({ namespace: 'file' }), 'SignatureUnsupported'],
  ['SHA-1', () => bySsh({ hash: 'sha1' }), 'SignatureUnsupported'],
  ['a security key that was not touched', () => bySsh({ flags: 0 }, 'sk-ssh-ed25519@openssh.com'), 'SignatureAltered'],
  [
    'X.509',
    async () => [
      withSignature(PLAIN, '-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n'),
      { keys: sshSigner().publicKey },
    ],
    'SignatureUnsupported',
  ],
  [
    'two signatures',
    async () => {
      const signer = sshSigner();
      const once = await signedCommit(PLAIN, signer);
      return [withSignature(once, await signer.sign(PLAIN)), { keys: signer.publicKey }];
    },
    'SignatureUnsupported',
  ],
  [
    'a signature for the format SHA-256',
    async () => {
      const signer = sshSigner();
      const commit = await signedCommit(PLAIN, signer);
      return [
        Buffer.from(commit.toString('latin1').replace('gpgsig ', 'gpgsig-sha256 '), 'latin1'),
        { keys: signer.publicKey },
      ];
    },
    'SignatureUnsupported',
  ],
  [
    'bytes behind the signature',
    async () => {
      const signer = sshSigner();
      const armored = await signer.sign(PLAIN);
      const bytes = Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64');
      return [withSignature(PLAIN, armorSsh(Buffer.concat([bytes, Buffer.from([0])]))), { keys: signer.publicKey }];
    },
    'SignatureAltered',
  ],
  [
    'a text behind the armor',
    async () => {
      const signer = sshSigner();
      return [withSignature(PLAIN, `${await signer.sign(PLAIN)}more\n`), { keys: signer.publicKey }];
    },
    'SignatureAltered',
  ],
  [
    'a key of OpenPGP that has expired',
    async () => {
      const signer = await pgpSigner({ date: new Date(NOW_MS - 7_200_000), validSeconds: 3600 });
      return [await signedCommit(PLAIN, signer), { keys: signer.publicKey }];
    },
    'SignerExpired',
  ],
  [
    'a key of OpenPGP from the future',
    async () => {
      const signer = await pgpSigner({ date: new Date(NOW_MS + 7_200_000) });
      return [await signedCommit(PLAIN, signer), { keys: signer.publicKey }];
    },
    'SignerExpired',
  ],
  ['a key that was valid only before', () => byLine('valid-before="20200101"'), 'SignerExpired'],
  ['a key that is valid only later', () => byLine('valid-after="20990101"'), 'SignerExpired'],
  ['a key for other namespaces', () => byLine('namespaces="file,!git"'), 'SignerUnknown'],
  ['no signature', async () => [PLAIN, { keys: sshSigner().publicKey }], 'NotSigned'],
];

async function bySsh(
  options: Parameters<typeof sshSigner>[1],
  type: Parameters<typeof sshSigner>[0] = 'ssh-ed25519',
): Promise<readonly [Buffer, Asked]> {
  const signer = sshSigner(type, options);
  return [await signedCommit(PLAIN, signer), { keys: signer.publicKey }];
}

async function byLine(options: string): Promise<readonly [Buffer, Asked]> {
  const signer = sshSigner();
  const other = sshSigner();
  const keys = `a@example.org ${options} ${signer.publicKey}\nb@example.org ${other.publicKey}\n`;
  return [await signedCommit(PLAIN, signer), { keys }];
}

for (const [name, make, code] of REFUSED) {
  test(`${name}: refused as ${code}`, async () => {
    const [commit, asked] = await make();
    await assert.rejects(verify(commit, asked), (error: { code?: unknown; message: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, /^The commit c{40} of https:\/\/git\.example\.com\/x .*Secret team\/keys\.$/);
      return true;
    });
  });
}

test('a key of RSA below 2048 bits is refused with the Secret', () => {
  const signer = sshSigner('ssh-rsa', { rsaBits: 1024 });
  assert.throws(() => void verify(PLAIN, { keys: signer.publicKey }), { code: 'InvalidSecret' });
});

test('mode both demands both signatures, and mode tag does not look at the commit', async () => {
  const signer = sshSigner();
  const keys = signer.publicKey;
  const signed = await signedCommit(PLAIN, signer);
  const plainTag = tagBytes({ object: COMMIT, name: 'v1' });
  const tag = await signedTag(plainTag, signer);
  assert.ok(await verify(signed, { keys, mode: 'both', tag }));
  assert.ok(await verify(PLAIN, { keys, mode: 'tag', tag }));
  await assert.rejects(verify(PLAIN, { keys, mode: 'both', tag }), { code: 'NotSigned', message: /^The commit/ });
  await assert.rejects(verify(signed, { keys, mode: 'both', tag: plainTag }), {
    code: 'NotSigned',
    message: /^The tag/,
  });
  await assert.rejects(verify(signed, { keys, mode: 'both' }), { code: 'NotSigned', message: /no annotated tag/ });
});

test('a signature that stands in the message of a tag or commit does not sign it', async () => {
  const signer = sshSigner();
  const message = `Text\n\n${await signer.sign(PLAIN)}`;
  const commit = commitBytes({ tree: TREE, message });
  await assert.rejects(verify(commit, { keys: signer.publicKey }), { code: 'NotSigned' });
  const inner = Buffer.concat([tagBytes({ object: COMMIT, name: 'v1' }), Buffer.from(await signer.sign(PLAIN))]);
  const outer = await signedTag(inner, signer);
  assert.ok(await verify(PLAIN, { keys: signer.publicKey, mode: 'tag', tag: outer }), 'the last signature counts');
});

/** Name, signer, and whether every byte of the signature counts. */
async function signers(): Promise<readonly (readonly [string, TestSigner, boolean])[]> {
  return [
    ['ssh-ed25519', sshSigner(), true],
    ['ecdsa-sha2-nistp256', sshSigner('ecdsa-sha2-nistp256'), true],
    ['ssh-rsa', sshSigner('ssh-rsa'), true],
    ['OpenPGP', await pgpSigner(), false],
  ];
}

test('a commit or tag with any altered byte is refused', async () => {
  for (const [, signer, isStrict] of await signers()) {
    const keys = signer.publicKey;
    const text = commitBytes({ tree: TREE, headers: 'encoding UTF-8\n', message: 'Change\n\nmore\n', atSeconds: 1 });
    const commit = await signedCommit(text, signer);
    const tag = await signedTag(tagBytes({ object: COMMIT, name: 'v1', atSeconds: 1 }), signer);
    for (const [whole, mode] of [
      [commit, 'head'],
      [tag, 'tag'],
    ] as const) {
      const check = (data: Buffer) =>
        mode === 'head' ? verify(data, { keys }) : verify(PLAIN, { keys, mode, tag: data });
      assert.ok(await check(whole));
      await fc.assert(
        fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const data = Buffer.from(whole);
          data.writeUInt8(data.readUInt8(at) ^ change, at);
          const armor = /-----BEGIN[^]*-----END [A-Z ]+-----/.exec(whole.toString('latin1'));
          const isArmor = armor !== null && at >= armor.index && at < armor.index + armor[0].length;
          // The armor of OpenPGP and its unsigned subpackets are no part of the signature.
          if (isArmor && !isStrict) await check(data).catch(() => undefined);
          else await assert.rejects(check(data), (error: { name?: string }) => error.name === 'StageError');
        }),
        { numRuns: isStrict ? 400 : 150 },
      );
    }
  }
});

test('any bytes in the place of a signature are refused with a reason', async () => {
  const keys = `${sshSigner().publicKey}\n`;
  const begins = ['SSH SIGNATURE', 'PGP SIGNATURE', 'PGP MESSAGE', 'SIGNED MESSAGE', 'OTHER'];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...begins),
      fc.uint8Array({ maxLength: 300, size: 'max' }),
      async (kind, bytes) => {
        const armored = `-----BEGIN ${kind}-----\n\n${Buffer.from(bytes).toString('base64')}\n-----END ${kind}-----\n`;
        await assert.rejects(verify(withSignature(PLAIN, armored), { keys }), { name: 'StageError' });
      },
    ),
    { numRuns: 200 },
  );
});
