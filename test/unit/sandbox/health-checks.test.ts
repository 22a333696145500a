/** Health checks in a real child process: its answers, its deadline, and the file of the agent. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HealthCheck } from '../../../src/application/health-check.ts';
import { StageError } from '../../../src/object/stage-error.ts';
import { checksInSandbox } from '../../../src/sandbox/health-checks-job.ts';
import { readHealthChecksFile } from '../../../src/sandbox/health-checks-file.ts';
import { startSandbox, temporaryFolder } from '../source/source-harness.ts';

const CHECK: HealthCheck = { apiVersion: 'example.com/v1', kind: 'Thing', current: 'status.ready == true' };
const CALL = { tenant: 'team' };

test('a check is read and evaluated in a child process', async (t) => {
  const checks = checksInSandbox(startSandbox(t));
  assert.deepEqual(await checks.read([CHECK], CALL), []);
  const objects = [true, false].map((ready) => JSON.stringify({ status: { ready } }));
  const healths = await checks.evaluate({ check: CHECK, objects }, CALL);
  assert.deepEqual(
    healths.map(({ status }) => status),
    ['Healthy', 'Progressing'],
  );
});

test('a check that takes too long ends with its child, and the next one is evaluated', async (t) => {
  const sandbox = startSandbox(t);
  const items = Array.from({ length: 20_000 }, (_, index) => index);
  const slow: HealthCheck = { ...CHECK, current: 'status.items.all(a, status.items.all(b, a + b >= 0))' };
  const objects = [JSON.stringify({ status: { items, ready: true } })];
  await assert.rejects(
    () => checksInSandbox(sandbox, { deadlineMs: 300 }).evaluate({ check: slow, objects }, CALL),
    (error: unknown) => error instanceof StageError && error.code === 'Killed' && error.stage === 'health',
  );
  const [health] = await checksInSandbox(sandbox).evaluate({ check: CHECK, objects }, CALL);
  assert.equal(health?.status, 'Healthy');
});

test('the checks of the agent are read from a file, and a mistake in it is named', async (t) => {
  const checks = checksInSandbox(startSandbox(t));
  const folder = await temporaryFolder(t);
  const read = async (text: string): Promise<readonly HealthCheck[]> => {
    const path = join(folder, 'checks.yaml');
    await writeFile(path, text);
    return readHealthChecksFile(path, checks);
  };
  assert.deepEqual(await readHealthChecksFile('', checks), []);
  assert.deepEqual(await read(''), []);
  const good = '- apiVersion: example.com/v1\n  kind: Thing\n  current: status.ready == true\n';
  assert.deepEqual(await read(good), [CHECK]);
  for (const [text, expected] of [
    [': {', /it is no YAML/],
    ['kind: Thing', /the list: /],
    ['- {apiVersion: example.com/v1}', /\[0\]\.current: /],
    [`${good}  failed: status.\n`, /the expression failed of the check for Thing of example\.com: /],
  ] as const) {
    await assert.rejects(() => read(text), expected);
  }
  await assert.rejects(() => readHealthChecksFile(join(folder, 'none'), checks), /ENOENT/);
});
