/** Objects that carry the label of Tautline, but belong to no Application, take no memory of the agent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import { declareSubject, PART_OF, QUICK_FLAGS } from '../../support/scene.ts';
import { useScene } from './scene.ts';

/** The objects together are larger than this. */
const HEAP_FLAGS = ['--heap-mib', '96'];

const scene = useScene(HEAP_FLAGS);

const OBJECTS = 220;
const CONTENT = 'x'.repeat(500 * 1024);

test('many large objects with the label do not end the agent, also after a restart', async () => {
  const { world, agent } = scene;
  const subject = await declareSubject(world, 'labelled', { files: { 'a.yaml': text(configMap('a')) } });
  await subject.application.untilReady();
  const path = '/api/v1/namespaces/labelled/configmaps';
  for (let index = 0; index < OBJECTS; index++) {
    const metadata = { name: `x${index}`, labels: { [PART_OF]: 'anything' } };
    await world.send('POST', path, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { x: CONTENT } });
  }
  await scene.expectBystanderGoesOn();
  assert.equal(agent.process.exitCode, null, agent.stderr());
  await agent.stop();
  const successor = await world.agent({ flags: [...QUICK_FLAGS, ...HEAP_FLAGS] });
  await scene.expectBystanderGoesOn();
  const commit = await subject.repository.commit({ 'a.yaml': text(configMap('a', { round: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  assert.equal(successor.process.exitCode, null, successor.stderr());
});
