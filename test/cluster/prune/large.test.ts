/** The cost of a pass, a prune and a deletion with two thousand objects of one Application. The bounds are generous. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { prepare, useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  PART_OF,
  readyReason,
  requestsByVerb,
  untilGone,
  type Subject,
} from '../../support/scene.ts';

const COUNT = 2_000;
const KEPT = 200;
/** Node itself needs some 60 MiB of these. */
const MAX_RSS_MIB = 450;

const { world, agent } = useWorld({ agent: true });
let subject: Subject;
prepare(async () => {
  const named = (first: number, last: number): string =>
    text(...Array.from({ length: last - first }, (_, index) => configMap(`m-${first + index}`, { n: String(index) })));
  subject = await declareSubject(world, 'large', {
    files: { 'kept.yaml': named(0, KEPT), 'rest.yaml': named(KEPT, COUNT) },
  });
});

/** Resident memory of the agent's process; see proc_pid_status(5). */
async function rssMib(): Promise<number> {
  const status = await readFile(`/proc/${agent.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

async function countLabelled(): Promise<number> {
  const selector = encodeURIComponent(PART_OF);
  const list = await world.read(`/api/v1/namespaces/large/configmaps?labelSelector=${selector}`);
  return (at(list, 'items') as unknown[]).length;
}

const statusBytes = (application: Json): number => JSON.stringify(at(application, 'status')).length;

test('two thousand objects are applied, with a status of less than 256 KiB and bounded memory', async (t) => {
  const startedMs = performance.now();
  const ready = await subject.application.untilReady();
  t.diagnostic(`applied in ${Math.round(performance.now() - startedMs)} ms`);
  assert.equal(await countLabelled(), COUNT);
  assert.equal(at(ready, 'status', 'counts', 'synced'), COUNT);
  const bytes = statusBytes(ready);
  t.diagnostic(`status of ${bytes} bytes, ${Math.round(await rssMib())} MiB`);
  assert.ok(bytes < 256 * 1024);
  assert.ok((await rssMib()) < MAX_RSS_MIB);
});

test('a pass over two thousand objects sends no request for them', async (t) => {
  await subject.application.refresh();
  const before = await requestsByVerb(agent);
  const startedMs = performance.now();
  for (let n = 0; n < 5; n++) await subject.application.refresh();
  t.diagnostic(`a refresh takes ${Math.round((performance.now() - startedMs) / 5)} ms`);
  const counts = await requestsByVerb(agent);
  for (const verb of ['get', 'list', 'apply', 'patch', 'delete']) assert.equal(counts[verb], before[verb], verb);
});

test('1,800 objects are pruned after a confirmation, with one delete each', async (t) => {
  await subject.repository.commit({ 'rest.yaml': null });
  assert.equal(readyReason(await subject.application.refresh()), 'False PruneHeld');
  const before = await requestsByVerb(agent);
  const startedMs = performance.now();
  await subject.application.request({ action: 'confirm-prune' });
  await subject.application.untilReady(await subject.repository.resolve('main'));
  t.diagnostic(`${COUNT - KEPT} pruned in ${Math.round(performance.now() - startedMs)} ms`);
  assert.equal(await countLabelled(), KEPT);
  const counts = await requestsByVerb(agent);
  const more = (verb: string): number => (counts[verb] ?? 0) - (before[verb] ?? 0);
  assert.equal(more('delete'), COUNT - KEPT);
  assert.ok(more('get') <= COUNT, `${more('get')} reads`);
  assert.ok((await rssMib()) < MAX_RSS_MIB);
});

test('deleting the Application deletes the objects that are left', async () => {
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.equal(await countLabelled(), 0);
});
