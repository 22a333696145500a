/**
 * Compares the verification with that of git, for commits and tags that git, ssh-keygen and gpg have signed. Where
 * Tautline is stricter than git, the case says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { StageError } from '../../../../src/object/stage-error.ts';
import { verifyRevision } from '../../../../src/source/signatures/verify-signature.ts';
import { parseGitVerification } from '../../../../src/source/verification.ts';
import { git } from '../../../support/git-command.ts';

const lacks = (name: string, ...args: string[]): boolean => spawnSync(name, args).error !== undefined;
const withoutSsh = lacks('ssh-keygen', '-?') ? 'ssh-keygen is not installed' : false;
const withoutGpg = lacks('gpg', '--version') ? 'gpg is not installed' : false;

let dir = '';
const home = (): string => join(dir, 'gnupg');
const environment = () => ({ GNUPGHOME: home(), HOME: dir });
const run = (args: readonly string[], input?: Buffer): Promise<string> =>
  git(args, { cwd: join(dir, 'repository'), environment: environment(), ...(input && { input }) });

before(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'tautline-sign-')));
  await mkdir(home(), { mode: 0o700 });
  await git(['init', '--quiet', '--initial-branch=main', join(dir, 'repository')]);
  await run(['commit', '--quiet', '--allow-empty', '-m', 'first']);
});
after(async () => {
  spawnSync('gpgconf', ['--kill', 'all'], { env: { ...process.env, ...environment() } });
  await rm(dir, { recursive: true, force: true });
});

function program(name: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(name, args, {
    env: { ...process.env, ...environment() },
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${name} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A key of SSH; its public half. */
async function makeSshKey(name: string, ...type: string[]): Promise<string> {
  program('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', join(dir, name), ...type]);
  return (await readFile(join(dir, `${name}.pub`), 'utf8')).trim();
}

interface Objects {
  readonly commit: string;
  readonly tag: string;
}

/** A signed commit and a signed tag of it. */
async function sign(config: readonly string[], name: string, args: readonly string[] = []): Promise<Objects> {
  const set = config.flatMap((item) => ['-c', item]);
  const environmentOf = { ...environment() };
  const cwd = join(dir, 'repository');
  await git([...set, 'commit', '--quiet', '--allow-empty', '-S', '-m', `Sign with ${name}`, ...args], {
    cwd,
    environment: environmentOf,
  });
  await git([...set, 'tag', '-s', '-m', `Release ${name}`, name], { cwd, environment: environmentOf });
  return { commit: await run(['rev-parse', 'HEAD']), tag: await run(['rev-parse', `refs/tags/${name}`]) };
}

function bytesOf(type: string, oid: string): Buffer {
  const { stdout } = spawnSync('git', ['cat-file', type, oid], { cwd: join(dir, 'repository') });
  return stdout;
}

async function isVerifiedHere(keys: string, commit: string, commitData: Buffer, tag?: { name: string; data: Buffer }) {
  const data = new Map([['keys', Buffer.from(keys)]]);
  const mode = tag ? 'tag' : 'head';
  try {
    const verification = parseGitVerification({ secret: 'team/keys', data }, { mode, field: 'spec.source.verify' });
    const options = { verification, label: 'x', nowMs: Date.now() };
    await verifyRevision({ commit, commitData, tags: tag ? [tag] : [] }, options);
    return true;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return false;
  }
}

async function isVerifiedByGit(config: readonly string[], command: 'verify-commit' | 'verify-tag', oid: string) {
  return run([...config.flatMap((item) => ['-c', item]), command, oid]).then(
    () => true,
    () => false,
  );
}

const VARIANTS = 16;

/** Variants of an object: as it is, and with one byte changed in many places. */
function variants(data: Buffer): readonly Buffer[] {
  const step = Math.max(1, Math.floor(data.length / VARIANTS));
  const places = Array.from({ length: VARIANTS }, (_, at) => (at * step) % data.length);
  return [
    data,
    ...places.map((at) =>
      Buffer.concat([data.subarray(0, at), Buffer.from([data.readUInt8(at) ^ 1]), data.subarray(at + 1)]),
    ),
  ];
}

interface Compared {
  readonly keys: string;
  /** Those with which git verifies. */
  readonly config: readonly string[];
  readonly objects: Objects;
  readonly name: string;
}

/** Git accepts everything that Tautline accepts, and both accept the object as it was signed. */
async function compare({ keys, config, objects, name }: Compared): Promise<void> {
  for (const type of ['commit', 'tag'] as const) {
    for (const [at, data] of variants(bytesOf(type, objects[type])).entries()) {
      const oid = await run(['hash-object', '-t', type, '-w', '--stdin', '--literally'], data);
      const tag = { name, data };
      const here =
        type === 'commit'
          ? await isVerifiedHere(keys, oid, data)
          : await isVerifiedHere(keys, objects.commit, data, tag);
      const byGit = await isVerifiedByGit(config, `verify-${type}`, oid);
      if (at === 0) assert.deepEqual([here, byGit], [true, true], `the ${type} that was signed`);
      else assert.ok(byGit || !here, `${type}, variant ${at}: git refuses it\n${data.toString()}`);
      if (here) assert.ok(byGit);
    }
  }
}

for (const [name, ...type] of [
  ['ed25519', '-t', 'ed25519'],
  ['rsa', '-t', 'rsa', '-b', '3072'],
  ['ecdsa256', '-t', 'ecdsa', '-b', '256'],
  ['ecdsa521', '-t', 'ecdsa', '-b', '521'],
] as const) {
  test(
    `git and Tautline agree on commits and tags that are signed by SSH (${name})`,
    { skip: withoutSsh },
    async () => {
      const key = await makeSshKey(name, ...type);
      const signers = join(dir, `${name}.signers`);
      const lines = `# people\nauthor@example.invalid namespaces="git" ${key}\n`;
      await writeFile(signers, lines);
      const config = ['gpg.format=ssh', `user.signingKey=${join(dir, name)}`, `gpg.ssh.allowedSignersFile=${signers}`];
      const objects = await sign(config, name);
      await compare({ keys: lines, config, objects, name });
      assert.ok(await isVerifiedHere(key, objects.commit, bytesOf('commit', objects.commit)), 'a bare key');
      const other = await makeSshKey(`other-${name}`, ...type);
      assert.equal(await isVerifiedHere(other, objects.commit, bytesOf('commit', objects.commit)), false);
    },
  );
}

test(
  'git and Tautline agree on the times of keys of SSH, and Tautline also asks about now',
  { skip: withoutSsh },
  async () => {
    const key = await makeSshKey('timed', '-t', 'ed25519');
    const signers = join(dir, 'timed.signers');
    const config = ['gpg.format=ssh', `user.signingKey=${join(dir, 'timed')}`, `gpg.ssh.allowedSignersFile=${signers}`];
    const { commit } = await sign(config, 'timed');
    const year = new Date().getUTCFullYear();
    const cases = [
      [`valid-after="${year - 1}0101Z"`, true],
      [`valid-after="${year + 1}0101Z"`, false],
      [`valid-before="${year + 1}01010000Z"`, true],
      [`valid-before="${year - 1}0101000000Z"`, false],
      [`valid-after="${year - 1}0101Z",valid-before="${year + 1}0101Z",namespaces="g*t"`, true],
      ['namespaces="file"', false],
    ] as const;
    for (const [options, isValid] of cases) {
      const lines = `author@example.invalid ${options} ${key}\n`;
      await writeFile(signers, lines);
      const here = await isVerifiedHere(lines, commit, bytesOf('commit', commit));
      assert.deepEqual([here, await isVerifiedByGit(config, 'verify-commit', commit)], [isValid, isValid], options);
    }
    // Git goes by the time in the commit, which its author chooses.
    const lines = `author@example.invalid valid-before="${year - 1}0101Z" ${key}\n`;
    await writeFile(signers, lines);
    const cwd = join(dir, 'repository');
    const backdated = { ...environment(), GIT_COMMITTER_DATE: `${year - 2}-06-01T00:00:00Z` };
    const set = config.flatMap((item) => ['-c', item]);
    await git([...set, 'commit', '--quiet', '--allow-empty', '-S', '-m', 'old'], { cwd, environment: backdated });
    const old = await run(['rev-parse', 'HEAD']);
    const here = await isVerifiedHere(lines, old, bytesOf('commit', old));
    assert.deepEqual([here, await isVerifiedByGit(config, 'verify-commit', old)], [false, true]);
  },
);

for (const [name, ...args] of [
  ['pgp-ed25519', 'ed25519'],
  ['pgp-rsa3072', 'rsa3072'],
  ['pgp-nistp256', 'nistp256'],
] as const) {
  test(
    `git and Tautline agree on commits and tags that are signed by OpenPGP (${name})`,
    { skip: withoutGpg },
    async () => {
      const user = `${name}@example.org`;
      const quiet = ['--batch', '--quiet', '--passphrase', ''];
      program('gpg', [...quiet, '--quick-generate-key', user, ...args, 'sign', '1d']);
      const keys = program('gpg', ['--batch', '--armor', '--export', user]);
      const config = [`user.signingKey=${user}`];
      const objects = await sign(config, name);
      await compare({ keys, config, objects, name });
    },
  );
}

test('a subkey signs for its primary key, and a revoked one does not', { skip: withoutGpg }, async () => {
  const user = 'subkey@example.org';
  const quiet = ['--batch', '--quiet', '--yes', '--passphrase', '', '--pinentry-mode', 'loopback'];
  program('gpg', [...quiet, '--quick-generate-key', user, 'ed25519', 'cert', '1d']);
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(
    program('gpg', ['--batch', '--with-colons', '--list-keys', user]),
  )?.[1];
  assert.ok(fingerprint !== undefined);
  program('gpg', [...quiet, '--quick-add-key', fingerprint, 'ed25519', 'sign', '1d']);
  const config = [`user.signingKey=${user}`];
  const { commit } = await sign(config, 'subkey');
  const data = bytesOf('commit', commit);
  const keys = program('gpg', ['--batch', '--armor', '--export', user]);
  assert.ok(await isVerifiedHere(keys, commit, data));
  assert.ok(await isVerifiedByGit(config, 'verify-commit', commit));
  const certificate = join(home(), 'openpgp-revocs.d', `${fingerprint}.rev`);
  const revocation = (await readFile(certificate, 'utf8')).replace(/^:-----/m, '-----');
  await writeFile(certificate, revocation);
  program('gpg', [...quiet, '--import', certificate]);
  const revoked = program('gpg', ['--batch', '--armor', '--export', user]);
  assert.equal(await isVerifiedHere(revoked, commit, data), false);
  assert.equal(await isVerifiedByGit(config, 'verify-commit', commit), false);
});

test('git and Tautline agree on a merge of a signed tag, with its mergetag header', { skip: withoutSsh }, async () => {
  const key = await makeSshKey('merge', '-t', 'ed25519');
  const signers = join(dir, 'merge.signers');
  await writeFile(signers, `author@example.invalid ${key}\n`);
  const config = ['gpg.format=ssh', `user.signingKey=${join(dir, 'merge')}`, `gpg.ssh.allowedSignersFile=${signers}`];
  await run(['checkout', '--quiet', '-b', 'side']);
  await sign(config, 'merged');
  await run(['checkout', '--quiet', 'main']);
  await run(['commit', '--quiet', '--allow-empty', '-m', 'beside']);
  await run([...config.flatMap((item) => ['-c', item]), 'merge', '--quiet', '--no-edit', '-S', 'merged']);
  const commit = await run(['rev-parse', 'HEAD']);
  const data = bytesOf('commit', commit);
  assert.match(data.toString(), /^mergetag object/m);
  assert.ok(await isVerifiedByGit(config, 'verify-commit', commit));
  assert.ok(await isVerifiedHere(key, commit, data));
});
