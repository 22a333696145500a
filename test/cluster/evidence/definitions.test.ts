/** Definitions that are installed or changed by others, while Applications wait for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, definition, text, type Manifest } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  outcomeOf,
  readyMessage,
  readyReason,
  untilFailed,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';

// Without the look at definitions the next attempt would come after half an hour.
const { world } = useWorld({
  agent: { flags: ['--min-backoff', '30m', '--max-backoff', '30m', '--definition-check', '1s'] },
});

function valves(group: string, fields: readonly string[]): Manifest {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]));
  const spec = { type: 'object', properties };
  return definition({ group, kind: 'Valve', schema: { type: 'object', properties: { spec } } });
}

const valve = (group: string): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: 'Valve',
  metadata: { name: 'v' },
  spec: { size: '1', grade: 'A' },
});

/** Installs or changes a definition, and waits until its objects can be listed. */
async function define(group: string, fields: readonly string[]): Promise<void> {
  await world.apply(valves(group, fields));
  const path = `/apis/${group}/v1/valves`;
  await untilTrue(async () => (await world.plane.request('GET', path)).code === 200, `${path} is served`);
}

const pathOf = (group: string, namespace: string): string => `/apis/${group}/v1/namespaces/${namespace}/valves/v`;

const INTERVAL = { interval: '1h' };

test('a manifest that its definition refuses is applied when the definition changes, and never Stalled', async () => {
  const group = 'refused.example.net';
  await define(group, ['size']);
  const subject = await declareSubject(world, 'refused', { files: { 'a.yaml': text(valve(group)) } });
  await subject.application.patch({ source: INTERVAL });
  const failed = await untilFailed(subject, 'ReconciliationFailed');
  assert.match(failed.message, /\.spec\.grade: no such field/);
  assert.equal(failed.isStalled, false);
  await define(group, ['size', 'grade']);
  await untilObject(world, pathOf(group, 'refused'), (live) => at(live, 'spec', 'grade') === 'A');
  await subject.application.untilReady();
});

test('an object of an unknown kind is applied when the definition is installed', async () => {
  const group = 'unknown.example.net';
  const files = { 'a.yaml': text(configMap('a')), 'b.yaml': text(valve(group)) };
  const subject = await declareSubject(world, 'unknown', { files });
  await subject.application.patch({ source: INTERVAL });
  const failed = await untilFailed(subject, 'BuildFailed');
  assert.match(failed.message, /does not serve the kind Valve/);
  await untilObject(world, configMapPath('unknown', 'a'), () => true);
  await define(group, ['size', 'grade']);
  await untilObject(world, pathOf(group, 'unknown'), () => true);
  await subject.application.untilReady();
});

test('in mode detect a manifest that its definition refuses is compared when the definition changes', async () => {
  const group = 'detect.example.net';
  await define(group, ['size', 'grade']);
  const subject = await declareSubject(world, 'detect', { files: { 'a.yaml': text(valve(group)) } });
  await subject.application.untilReady();
  await subject.application.patch({ source: INTERVAL, sync: { mode: 'detect' } });
  await subject.application.untilReady();
  const changed = { ...valve(group), spec: { size: '1', grade: 'A', colour: 'red' } };
  await subject.repository.commit({ 'a.yaml': text(changed) });
  await subject.application.refresh();
  await subject.application.until('it cannot be compared', (found) => /colour/.test(JSON.stringify(found['status'])));
  await define(group, ['size', 'grade', 'colour']);
  const told = await subject.application.until('it differs', (found) => readyReason(found) === 'False OutOfSync');
  assert.match(readyMessage(told), /\/spec\/colour/);
  assert.equal(outcomeOf(told), 'Succeeded');
});
