/** A request is carried out once and answered, even if the agent is killed in between. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, configMapPath, declareSubject, inventoryOf, outcomeOf, syncOf } from '../../support/scene.ts';
import { builtFile } from '../../support/built-program.ts';

const FAULTY_AGENT = builtFile('agent-with-faults.js');

const { world } = useWorld();

for (const point of ['marks-written', 'inventory-written', 'wave-applied']) {
  test(`a sync in mode manual is answered by the next agent after a kill at ${point}`, async () => {
    const subject = await declareSubject(world, point, {
      files: { 'a.yaml': text(configMap('a', { k: '1' })) },
      spec: { sync: { mode: 'manual' } },
    });
    const { application } = subject;
    const faulty = await world.agent({ entry: FAULTY_AGENT, flags: ['--kill-at', point] });
    await application.until('compared', (a) => syncOf(a) === 'OutOfSync');
    const id = await application.request({ action: 'sync' });
    await faulty.ended;
    const between = (await application.read()) ?? assert.fail();
    if (at(between, 'status', 'lastRequest')) assert.equal(outcomeOf(between), 'InProgress');
    const agent = await world.agent();
    const answered = await application.answerTo(id);
    assert.equal(outcomeOf(answered), 'Succeeded');
    assert.deepEqual(inventoryOf(answered), [`ConfigMap ${point}/a`]);
    await world.send('DELETE', configMapPath(point, 'a'));
    await application.until('reported', (a) => syncOf(a) === 'OutOfSync');
    assert.equal(await subject.configMap('a'), undefined, 'an answered request is not carried out again');
    await agent.kill();
  });
}
