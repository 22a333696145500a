/** Requests that are refused, each with an answer that names the cause. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import { answerOf, at, declareSubject, outcomeOf } from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const files = { 'a.yaml': text(configMap('a', { k: '1' })) };

test('mode detect refuses a sync and answers a refresh', async () => {
  const { application } = await declareSubject(world, 'detect', { files, spec: { sync: { mode: 'detect' } } });
  const refused = await application.ask({ action: 'sync' });
  assert.equal(outcomeOf(refused), 'Refused');
  assert.match(answerOf(refused), /mode is detect/);
  assert.equal(outcomeOf(await application.ask({ action: 'refresh' })), 'Succeeded');
});

test("mode auto refuses a sync to another commit than its branch's, but allows it as a dry run", async () => {
  const subject = await declareSubject(world, 'auto', { files });
  const { application, repository } = subject;
  await application.untilReady();
  const first = await repository.resolve('main');
  const second = await repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  const refused = await application.ask({ action: 'sync', revision: first });
  assert.equal(outcomeOf(refused), 'Refused');
  assert.match(answerOf(refused), /mode is auto/);
  assert.equal(outcomeOf(await application.ask({ action: 'sync', revision: second })), 'Succeeded');
  const tried = await application.ask({ action: 'sync', revision: first, dryRun: true });
  assert.equal(outcomeOf(tried), 'Succeeded');
  assert.match(answerOf(tried), /\/data\/k from "2" to "1"/);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
});

test('a suspended Application refuses a sync and names spec.suspend', async () => {
  const suspended = await declareSubject(world, 'asleep', { files, spec: { suspend: true } });
  const refused = await suspended.application.ask({ action: 'sync' });
  assert.equal(outcomeOf(refused), 'Refused');
  assert.match(answerOf(refused), /spec\.suspend/);
});
