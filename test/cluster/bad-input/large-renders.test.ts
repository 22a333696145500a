/** Renders that are larger than the memory of the agent are refused, each for its own Application. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../support/scene.ts';
import { conditionOf, eventually, type Json } from '../../support/world.ts';
import { useScene } from './scene.ts';

const MiB = 1024 * 1024;

const scene = useScene(['--heap-mib', '128', '--max-namespace-rendered-mib', '8']);

/** Compresses to a few kilobytes. */
function largeConfigMap(name: string, mib: number): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {x: "${'x'.repeat(mib * MiB)}"}\n`;
}

/** Declares four Applications of one repository and namespace, and returns their names. */
async function declareLarge(namespace: string, files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { world } = scene;
  const repository = await world.repository(namespace);
  const names = ['p0', 'p1', 'p2', 'p3'];
  const content = names.flatMap((name) =>
    Object.entries(files).map(([file, text]) => [`${name}/${file}`, text.replace('name: ', `name: ${name}-`)]),
  );
  await repository.commit(Object.fromEntries(content) as Record<string, string>);
  for (const name of names) {
    await world.declare(name, { source: { repoURL: repository.url, path: name } }, namespace);
  }
  return names;
}

/** The reasons of the condition Rendered of these Applications, once each has one. */
async function renderedReasons(namespace: string, names: readonly string[]): Promise<readonly string[]> {
  const reasons = await eventually(async () => {
    const found = await Promise.all(
      names.map(async (name): Promise<Json | undefined> => {
        const path = `/apis/tautline.dev/v1alpha1/namespaces/${namespace}/applications/${name}`;
        return conditionOf(await scene.world.read(path), 'Rendered');
      }),
    );
    return found.every((condition) => at(condition, 'status') !== undefined && at(condition, 'status') !== 'Unknown')
      ? found.map((condition) => String(at(condition, 'reason')))
      : undefined;
  });
  return reasons ?? assert.fail('not every Application was rendered');
}

async function expectUnharmed(): Promise<void> {
  await scene.expectBystanderGoesOn();
  assert.equal(scene.agent.process.exitCode, null, scene.agent.stderr());
}

test('objects of 7 MiB in several folders do not end the agent: each Application says TooLarge', async () => {
  const files = Object.fromEntries(Array.from({ length: 2 }, (_, i) => [`f${i}.yaml`, largeConfigMap(`c${i}`, 7)]));
  const names = await declareLarge('seven', files);
  const reasons = await renderedReasons('seven', names);
  assert.deepEqual([...new Set(reasons)], ['TooLarge']);
  await expectUnharmed();
});

test('Applications that are small enough alone do not use up the memory together: later ones say TooLarge', async () => {
  const names = await declareLarge('together', { 'a.yaml': largeConfigMap('a', 2), 'b.yaml': largeConfigMap('b', 1) });
  const reasons = await renderedReasons('together', names);
  assert.equal(reasons.filter((reason) => reason === 'TooLarge').length, 2, reasons.join());
  await expectUnharmed();
});
