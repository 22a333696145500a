/**
 * README.md from a fresh clone to the first Application, line by line, on a real control plane. The chart is installed
 * by `helm install`. No image can be pulled in a test, so the Pod is simulated, and the agent runs from the source tree
 * with the token of the chart's ServiceAccount and the chart's flags for rights.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readExamples } from '../journey/demo-examples.ts';
import { readPage, section } from './page.ts';
import { startReader } from './reader.ts';

test('the commands of the README install the chart and bring an Application to Ready with the rights that it names', async () => {
  const page = readPage('README.md');
  const clone = await mkdtemp(join(tmpdir(), 'tautline-clone-'));
  await using reader = await startReader();
  try {
    await symlink(join(import.meta.dirname, '../../charts'), join(clone, 'charts'));
    const repository = await reader.repository('team/shop');
    const shop = Object.entries(await readExamples()).filter(([path]) => path.startsWith('shop/'));
    // The files of examples/shop without the Namespace, which an account of one namespace cannot create.
    const files = shop.map(([path, text]) => [path.slice('shop/'.length), text.replace(/^ +- namespace\.yaml\n/m, '')]);
    await repository.commit(Object.fromEntries(files) as Record<string, string>);
    await reader.follow(section(page, '## Install it'), { directory: clone });
    await using agent = await reader.startAgent();
    const output = await reader.follow(section(page, '## Your first Application'), { directory: clone });
    assert.match(output, /shop +Synced/);
    await reader.sh('kubectl -n shop rollout status deployment/web --timeout=2m');
    assert.equal(await agent.stop(), 0, agent.stderr());
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
});
