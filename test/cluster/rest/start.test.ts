/** The start with many Applications: they are streamed, or listed in pages, never in one answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFaultProxy } from '../../fault/proxy.ts';
import type { RunningAgent } from '../../support/agent.ts';
import { prepare, useStarted, useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { applicationManifest } from '../../support/objects.ts';
import { applicationPath, makeNamespace } from '../../support/scene.ts';

const APPLICATIONS = 1200;
const PAGE = 250;
const LIST = /applications\?(?!.*watch=1)/;

/** Too small for an agent that keeps whole Applications in memory. */
const FLAGS = ['--heap-mib', '64'];

const { world } = useWorld();
const proxy = useStarted('the proxy', () => {
  const { url, caFile, adminToken } = world.plane;
  return startFaultProxy({ target: url, caFile, token: adminToken });
});
prepare(async () => {
  await makeNamespace(world, 'apps');
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < APPLICATIONS) await world.send('POST', applicationPath(), suspended(`tiny-${next++}`));
  };
  await Promise.all(Array.from({ length: 8 }, lane));
});

function suspended(name: string): unknown {
  return applicationManifest(name, { source: { repoURL: 'http://127.0.0.1:1/none.git' }, suspend: true });
}

/** The names of all Applications in the list of the status API, from page to page. */
async function listedNames(agent: RunningAgent): Promise<string[]> {
  const names: string[] = [];
  for (let token: string | undefined = ''; token !== undefined;) {
    const query = new URLSearchParams({ limit: '1000', ...(token === '' ? {} : { continue: token }) });
    const page = (await (await agent.readApi(`/applications?${query}`)).json()) as {
      readonly applications: readonly { readonly name: string }[];
      readonly continue?: string;
    };
    names.push(...page.applications.map(({ name }) => name));
    token = page.continue;
  }
  return names;
}

/** Waits until the agent knows each Application once; fails unless it is ready. */
async function untilAllKnown(agent: RunningAgent): Promise<void> {
  const all = await eventually(async () => {
    const names = await listedNames(agent);
    return names.length === APPLICATIONS ? names : undefined;
  });
  assert.equal(new Set(all).size, APPLICATIONS);
  assert.equal((await fetch(`${agent.probesUrl}/readyz`)).status, 200);
  assert.equal(agent.process.exitCode, null);
}

test('twelve hundred Applications are streamed, and no list asks for all of them at once', async () => {
  const agent = await world.agent({ kubeconfig: proxy.kubeconfig, flags: FLAGS });
  await untilAllKnown(agent);
  const streams = proxy.requests.filter(({ path }) => /applications\?watch=1.*sendInitialEvents/.test(path));
  assert.equal(streams.length, 1);
  assert.deepEqual(
    proxy.requests.filter(({ path }) => LIST.test(path) && !path.includes('limit=')).map(({ path }) => path),
    [],
  );
  await agent.stop();
});

test('on a server that cannot stream, Applications are listed in pages, and an expired page starts the list over', async () => {
  const seen = proxy.requests.length;
  proxy.rules.push(
    { path: /applications\?watch=1.*sendInitialEvents/, fault: { type: 'answer', status: 422 } },
    { path: /applications\?.*continue=/, nth: 3, fault: { type: 'answer', status: 410 } },
  );
  const agent = await world.agent({ kubeconfig: proxy.kubeconfig, flags: FLAGS });
  await untilAllKnown(agent);
  proxy.rules.length = 0;
  const pages = proxy.requests.slice(seen).filter(({ path }) => LIST.test(path) && path.includes('limit='));
  const whole = Math.ceil(APPLICATIONS / PAGE);
  assert.ok(pages.every(({ path }) => path.includes(`limit=${PAGE}`)));
  const firsts = pages.flatMap(({ path }, index) => (path.includes('continue=') ? [] : [index]));
  // Three pages and an expired one, then all pages from the first.
  assert.deepEqual(firsts, [0, 4]);
  assert.equal(pages.length, 4 + whole);
  await agent.stop();
});
