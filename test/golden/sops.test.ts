/** The edge to the real sops: keys reach it by descriptor alone, and every run is bounded. */
import assert from 'node:assert/strict';
import { chmod, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { StageError } from '../../src/object/stage-error.ts';
import { readSealed } from '../../src/render/sealed/sealed-file.ts';
import { sealedNeed } from '../../src/render/sealed/sealed-need.ts';
import type { SopsKeys, SopsOptions } from '../../src/sops/sops.ts';
import { sopsBinary } from '../control-plane/binaries.ts';
import { ageKey, seal } from '../support/sealed-files.ts';
import { LIMITS } from '../unit/render/memory-tree.ts';
import { keysOf, startSops } from './sealed/local-sops.ts';

const key = ageKey();
const PLAIN = 'password: canary-9f8e7d6c\n';

async function needOf(text = PLAIN) {
  const bytes = Buffer.from(await seal(text, { recipients: [key] }));
  const sealed = readSealed(bytes, 'a.yaml', LIMITS);
  assert.ok(sealed && 'recipients' in sealed);
  return sealedNeed(bytes, sealed);
}

async function open(options: Partial<SopsOptions> = {}, keys: SopsKeys = keysOf(key), text = PLAIN) {
  const sops = await startSops(options);
  try {
    return await sops.open({ sealed: await needOf(text), keys, tenant: '', signal: new AbortController().signal });
  } finally {
    sops.close();
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StageError);
  assert.doesNotMatch(error.message, /canary|AGE-SECRET/);
  return error.code;
}

function textOf(answer: Awaited<ReturnType<typeof open>>): string {
  assert.equal(answer.type, 'opened');
  return answer.type === 'opened' ? Buffer.from(answer.bytes).toString() : '';
}

/** A program in place of sops, which answers the question for its version and then runs `script`. */
async function fakeSops(folder: string, script: string): Promise<string> {
  const program = join(folder, 'sops');
  await writeFile(program, `#!/bin/sh\nif [ "$1" = --version ]; then echo 'sops 3.13.3'; exit 0; fi\nPATH=/usr/bin:/bin\n${script}\n`);
  await chmod(program, 0o755);
  return program;
}

test('a file is opened with and without confinement by the kernel', async () => {
  assert.equal(textOf(await open()), PLAIN);
  assert.equal(textOf(await open({ landlockProgram: '' })), PLAIN);
});

test('the keys are neither in the environment nor in the arguments, and leave no file', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-sops-'));
  const notes = join(folder.path, 'notes');
  const program = await fakeSops(
    folder.path,
    `{ env; echo "$@"; ls -l /proc/$$/fd; } > '${notes}'; exec '${await sopsBinary()}' "$@"`,
  );
  const before = await readdir('/dev/shm');
  assert.equal(textOf(await open({ program, landlockProgram: '' })), PLAIN);
  const seen = await readFile(notes, 'utf8');
  assert.match(seen, /SOPS_AGE_KEY_FILE=\/dev\/fd\/3/);
  assert.match(seen, /3 -> .*\(deleted\)/);
  assert.doesNotMatch(seen, /AGE-SECRET-KEY/);
  assert.deepEqual((await readdir('/dev/shm')).sort(), before.sort());
});

test('keys and access of the agent are not in the environment of sops', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-sops-'));
  const notes = join(folder.path, 'notes');
  const program = await fakeSops(folder.path, `env > '${notes}'; exit 128`);
  process.env['AWS_SECRET_ACCESS_KEY'] = 'canary-9f8e7d6c';
  try {
    assert.equal((await open({ program, landlockProgram: '' })).type, 'refused');
  } finally {
    delete process.env['AWS_SECRET_ACCESS_KEY'];
  }
  const seen = await readFile(notes, 'utf8');
  assert.match(seen, /HOME=\/nonexistent/);
  assert.doesNotMatch(seen, /canary|KUBERNETES_SERVICE/);
});

test('what sops prints about a failure is not shown', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-sops-'));
  for (const code of [1, 51, 128, 200]) {
    const program = await fakeSops(folder.path, `echo canary-9f8e7d6c; echo canary-9f8e7d6c >&2; exit ${code}`);
    const answer = await open({ program, landlockProgram: '' });
    assert.equal(answer.type, 'refused');
    assert.doesNotMatch(JSON.stringify(answer), /canary/);
  }
});

test('a run beyond its time, memory or output is stopped with a code of its own', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-sops-'));
  const limits = { deadlineMs: 60_000, maxRssBytes: 512 * 2 ** 20, maxOutputBytes: 1024 };
  const sleeping = await fakeSops(folder.path, 'exec sleep 600');
  const at = { landlockProgram: '' };
  assert.equal(await codeOf(open({ ...at, program: sleeping, limits: { ...limits, deadlineMs: 300 } })), 'SopsTimeout');
  assert.equal(await codeOf(open({ limits }, keysOf(key), `a: ${'x'.repeat(4000)}\n`)), 'SopsOutputTooLarge');
  const grow = 'const kept = []; for (;;) kept.push(Buffer.alloc(1e6, 1))';
  const greedy = await fakeSops(folder.path, `exec '${process.execPath}' -e '${grow}'`);
  assert.equal(await codeOf(open({ ...at, program: greedy, limits: { ...limits, maxRssBytes: 64 * 2 ** 20 } })), 'SopsMemory');
});

test('ten megabytes of comments in a sealed file end at a bound', async () => {
  const sealed = await seal(PLAIN, { recipients: [key] });
  const comments = { many: '# a comment of a file\n'.repeat(450_000), one: `# ${'x'.repeat(1e7)}\n` };
  const sops = await startSops({ limits: { deadlineMs: 2_000, maxRssBytes: 128 * 2 ** 20, maxOutputBytes: 2 ** 20 } });
  const openText = (text: string) => {
    const bytes = Buffer.from(text);
    const file = readSealed(bytes, 'a.yaml', LIMITS);
    assert.ok(file && 'recipients' in file);
    const call = { keys: keysOf(key), tenant: '', signal: new AbortController().signal };
    return sops.open({ ...call, sealed: sealedNeed(bytes, file) });
  };
  try {
    for (const text of Object.values(comments)) {
      // Which of its bounds the file meets first depends on the machine.
      assert.match(await codeOf(openText(text + sealed)), /^Sops(Timeout|Memory|OutputTooLarge)$/);
    }
  } finally {
    sops.close();
  }
});

test('a missing program, another program and a folder on the disk are told apart', async () => {
  assert.equal(await codeOf(open({ program: 'no-such-sops' })), 'SopsMissing');
  assert.equal(await codeOf(open({ program: process.execPath, landlockProgram: '' })), 'SopsVersionUnsupported');
  assert.equal(await codeOf(open({ keyFolder: process.cwd() })), 'KeyFolderUnusable');
  assert.equal(await codeOf(open({ keyFolder: '/no/such/folder' })), 'KeyFolderUnusable');
});

test('a run that is cancelled ends', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-sops-'));
  const sops = await startSops({ program: await fakeSops(folder.path, 'exec sleep 600'), landlockProgram: '' });
  const cancelling = new AbortController();
  const work = sops.open({ sealed: await needOf(), keys: keysOf(key), tenant: '', signal: cancelling.signal });
  setTimeout(() => cancelling.abort(), 200);
  assert.equal(await codeOf(work), 'Cancelled');
  sops.close();
});

test("a person's own keys are found where sops looks for them", async () => {
  const environment = { SOPS_AGE_KEY: key.private, HOME: '/nonexistent' };
  assert.equal(textOf(await open({}, { type: 'own', environment })), PLAIN);
  const answer = await open({}, { type: 'own', environment: { HOME: '/nonexistent' } });
  assert.equal(answer.type, 'refused');
  assert.match(JSON.stringify(answer), /none of your keys opens the file; it is sealed for age \(age1/);
});
