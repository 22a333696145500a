/** Answers of the API server age: an agent with a short `--answer-age` asks again by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentPath, syncOf, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { declareOutdated } from './policy.ts';

const { world } = useWorld({ agent: { flags: ['--answer-age', '2s'] } });

test('an object that a policy had changed before it was removed is healed by itself', async () => {
  const { inGit } = await declareOutdated(world, 'aged');
  const healed = await untilObject(world, deploymentPath('aged', 'web'), (live) =>
    JSON.stringify(live).includes(`"terminationGracePeriodSeconds":${inGit}`),
  );
  assert.ok(healed);
});

test('in mode detect a policy that is gone shows as a difference by itself', async () => {
  const { subject } = await declareOutdated(world, 'seen', { sync: { mode: 'detect' } });
  await subject.application.until('the difference is seen', (found) => syncOf(found) === 'OutOfSync');
});
