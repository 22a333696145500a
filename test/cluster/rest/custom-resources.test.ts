/**
 * Custom resources whose controller writes status, annotations, finalizers and defaults all the time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf } from '../../support/world.ts';
import { expectRest, tracksOf } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import { ANY_FIELDS, definition, text, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, passesOf, PROGRESS_FLAGS, requestsByVerb, untilObject } from '../../support/scene.ts';

const { world, agent } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });

const SCHEMA: Manifest = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        mode: { type: 'string', default: 'slow' },
        parts: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } },
          },
        },
        extra: ANY_FIELDS,
      },
    },
    status: ANY_FIELDS,
  },
};

function definitionOf(kind: string, hasStatus = true): Manifest {
  return definition({ group: 'rest.example.com', kind, schema: SCHEMA, hasStatus });
}

function resource(kind: string, name: string, more: Manifest = {}): Manifest {
  return {
    apiVersion: 'rest.example.com/v1',
    kind,
    metadata: { name },
    spec: { size: 1, parts: [{ name: 'a' }, { name: 'b' }] },
    ...more,
  };
}

/** Calls `write` every 200 ms, as a busy controller would, until it is disposed of. */
function beat(write: (n: number) => Promise<unknown>): AsyncDisposable {
  let isOver = false;
  const run = async (): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      await write(n);
      await sleep(200);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await running;
    },
  };
}

const pathOf = (namespace: string, plural: string, name: string): string =>
  `/apis/rest.example.com/v1/namespaces/${namespace}/${plural}/${name}`;

/** Reads, changes and writes an object. A conflict is ignored, since the next beat writes again. */
async function rewrite(
  path: string,
  suffix: string,
  change: (object: Record<string, unknown>) => unknown,
): Promise<void> {
  const { body } = await world.plane.request('GET', path);
  const { code } = await world.plane.request('PUT', `${path}${suffix}`, change(body as Record<string, unknown>));
  assert.ok(code === 200 || code === 409, `${path}: ${code}`);
}

for (const [plural, kind, hasStatus] of [
  ['widgets', 'Widget', true],
  ['gadgets', 'Gadget', false],
] as const) {
  const how = hasStatus ? 'by its subresource' : 'without a subresource';
  test(`a status that is written every 200 ms ${how} leads to no write of the agent`, async () => {
    const namespace = `beat-${plural}`;
    const files = { 'all.yaml': text(definitionOf(kind, hasStatus), resource(kind, 'a')) };
    const subject = await declareSubject(world, namespace, { files });
    const path = pathOf(namespace, plural, 'a');
    await untilObject(world, path, () => true);
    await using _heart = beat((n) =>
      rewrite(path, hasStatus ? '/status' : '', (object) => ({
        ...object,
        // Without a subresource each write is a new generation, so no controller can report the observed one.
        status: { beats: n, ...(hasStatus ? { observedGeneration: at(object, 'metadata', 'generation') } : {}) },
      })),
    );
    const busy = [`${kind}/a`];
    await expectRest(world, agent, subject, { busy });
    await edit(world, `${plural}.rest.example.com/a`, { namespace, patch: { spec: { size: 7 } } });
    await untilObject(world, path, (found) => at(found, 'spec', 'size') === 1);
    await expectRest(world, agent, subject, { busy, refreshes: 1 });
  });
}

test('annotations, finalizers, labels and defaults that a controller adds are left alone', async () => {
  const files = { 'all.yaml': text(definitionOf('Thing'), resource('Thing', 'a')) };
  const subject = await declareSubject(world, 'adds', { files });
  const path = pathOf('adds', 'things', 'a');
  await untilObject(world, path, () => true);
  const added = { 'rest.example.com/seen': 'yes' };
  await rewrite(path, '', (object) => ({
    ...object,
    metadata: {
      ...(object['metadata'] as Manifest),
      finalizers: ['rest.example.com/guard'],
      annotations: { ...(at(object, 'metadata', 'annotations') as Manifest), ...added },
      labels: { ...(at(object, 'metadata', 'labels') as Manifest), ...added },
    },
    spec: { ...(object['spec'] as Manifest), mode: 'fast', extra: { filled: 'in' } },
  }));
  await expectRest(world, agent, subject);
  const found = await world.read(path);
  assert.equal(at(found, 'spec', 'mode'), 'fast');
  assert.deepEqual(at(found, 'spec', 'extra'), { filled: 'in' });
  assert.deepEqual(at(found, 'metadata', 'finalizers'), ['rest.example.com/guard']);
  assert.equal(at(found, 'metadata', 'labels', 'rest.example.com/seen'), 'yes');
  // The whole update did not change the owner of our fields: one that leaves Git is still removed.
  await subject.repository.commit({
    'all.yaml': text(definitionOf('Thing'), resource('Thing', 'a', { spec: { parts: [{ name: 'a' }] } })),
  });
  await subject.application.refresh();
  await untilObject(world, path, (object) => at(object, 'spec', 'size') === undefined);
  await expectRest(world, agent, subject, { refreshes: 1 });
  await rewrite(path, '', (object) => ({
    ...object,
    metadata: { ...(object['metadata'] as Manifest), finalizers: [] },
  }));
});

test('a controller that resets a value and writes the status causes few heals and few writes of status', async () => {
  const files = { 'all.yaml': text(definitionOf('Fight'), resource('Fight', 'a')) };
  const subject = await declareSubject(world, 'fights', { files });
  const path = pathOf('fights', 'fights', 'a');
  await untilObject(world, path, () => true);
  await subject.application.untilReady();
  const heart = beat(async (n) => {
    await rewrite(path, '', (object) => ({ ...object, spec: { ...(object['spec'] as Manifest), size: 9 } }));
    await rewrite(path, '/status', (object) => ({ ...object, status: { beats: n } }));
  });
  {
    await using _heart = heart;
    await subject.application.until('contested', (found) => conditionOf(found, 'Contested') !== undefined);
    const before = await tracksOf(world, agent, subject);
    const passes = await passesOf(agent, 'fights');
    await sleep(12_000);
    const after = await tracksOf(world, agent, subject);
    assert.ok((await passesOf(agent, 'fights')) > passes + 10, 'the writes of the controller start passes');
    // Within 12 s there is the heal after 6 s and, at most, the one after 2 s. Each writes the status before and after.
    assert.ok(after.updates - before.updates <= 6, `${after.updates - before.updates} writes of status`);
    assert.ok(sum(after.requests) - sum(before.requests) <= 6, JSON.stringify([before.requests, after.requests]));
    assert.ok(after.lines.length - before.lines.length <= 4, JSON.stringify(after.lines.slice(before.lines.length)));
  }
  // Once the controller stops, the last heal stays.
  await untilObject(world, path, (found) => at(found, 'spec', 'size') === 1);
  await subject.application.untilReady();
  assert.ok((await requestsByVerb(agent))['apply']);
});

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
