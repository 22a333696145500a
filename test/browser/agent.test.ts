/**
 * The page of the built agent on a real API server, with real sessions: sign-in, a sync that is watched, a held prune
 * that is confirmed, drift, rights, and a restart of the agent under the open page.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Page as Tab } from 'playwright-core';
import { parse } from 'yaml';
import { startChromium } from '../support/chromium.ts';
import { configMap, text, workload } from '../support/objects.ts';
import { makeAccount } from '../support/rights.ts';
import { at, configMapPath, declareSubject, deploymentPath, putStatus, QUICK_FLAGS } from '../support/scene.ts';
import { useStarted, useWorld } from '../support/use-world.ts';
import { assertAccessible, openTab, picture, type OpenTab } from './open-tab.ts';

let keyFolder = '';
const { world, agent } = useWorld({
  agent: async (started) => {
    keyFolder = await mkdtemp(join(tmpdir(), 'tautline-key-'));
    await writeFile(join(keyFolder, 'key'), randomBytes(48), { mode: 0o600 });
    return started.agent({ flags: flags() });
  },
});
const browser = useStarted('Chromium', startChromium);
after(() => rm(keyFolder, { recursive: true, force: true }));

const flags = (): string[] => [...QUICK_FLAGS, '--session-key-file', join(keyFolder, 'key')];

async function adminToken(): Promise<string> {
  const config = parse(await readFile(world.plane.kubeconfig, 'utf8')) as { users: { user: { token: string } }[] };
  return config.users[0]?.user.token ?? '';
}

/** Opens the page and signs in with the token, by default as the administrator. */
async function signedIn(path: string, token?: string): Promise<OpenTab> {
  const opened = await openTab(browser, `${agent.apiUrl}${path}`);
  const { tab } = opened;
  await tab.getByLabel('Token').fill(token ?? (await adminToken()));
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await tab.getByRole('heading', { name: 'Sign in' }).waitFor({ state: 'detached' });
  return opened;
}

const button = (tab: Tab, name: string | RegExp) => tab.getByRole('button', { name });

test('a person signs in with a token, stays signed in when the page is loaded again, and signs out', async () => {
  const { tab, errors, ...opened } = await openTab(browser, agent.apiUrl);
  await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
  await tab.getByLabel('Token').fill('unknown');
  await button(tab, 'Sign in').click();
  await tab.getByText('The API server does not know this token.').waitFor();
  await tab.getByLabel('Token').fill(await adminToken());
  await tab.keyboard.press('Enter');
  await tab.getByText('There is no Application yet').waitFor();
  await tab.getByText('Live', { exact: true }).waitFor();
  await tab.reload();
  await tab.getByText('There is no Application yet').waitFor();
  assert.equal(await tab.evaluate('document.cookie'), '', 'no script reads the session');
  await button(tab, 'Sign out').click();
  await tab.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.deepEqual(errors, []);
  await opened[Symbol.asyncDispose]();
});

test('an account without rights is told so', async () => {
  await makeAccount(world, 'default', 'stranger');
  const made = await world.plane.kubectl(['create', 'token', 'stranger', '-n', 'default']);
  await using opened = await signedIn('/', made.stdout.trim());
  await opened.tab.getByText(/There is no Application yet|Not allowed/).waitFor();
  await opened.tab.goto(`${agent.apiUrl}/applications/apps/nosuch`);
  await opened.tab.getByText('Not allowed').waitFor();
});

test('a sync is planned, begun and watched wave by wave, without loading the page again', async () => {
  const later = { metadata: { annotations: { 'argocd.argoproj.io/sync-wave': '1' } } };
  await declareSubject(world, 'waves', {
    files: {
      'all.yaml': text(workload('Deployment', 'web'), configMap('after', { k: '1' }, later.metadata)),
    },
    spec: { sync: { mode: 'manual' } },
  });
  await using opened = await signedIn('/applications/apps/waves');
  const { tab, errors } = opened;
  await tab.getByText('Missing').first().waitFor();
  await tab.keyboard.press('s');
  const dialog = tab.getByRole('dialog', { name: 'Sync waves' });
  await dialog.getByText(/2 to create/).waitFor();
  await dialog.getByText('Deployment waves/web').waitFor();
  await assertAccessible(tab, 'the plan');
  await picture(tab, 'plan', dialog);
  await button(tab, 'Sync now').click();
  const steps = tab.getByRole('list', { name: 'Progress of the sync' });
  await steps.getByText('Wave 1').waitFor();
  await steps.getByText(/0 of 1, waiting/).waitFor();
  await steps.getByText(/Wave 0/).waitFor();
  await picture(tab, 'sync');
  assert.equal(await world.read(configMapPath('waves', 'after')), undefined);
  const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  await putStatus(world, deploymentPath('waves', 'web'), { observedGeneration: 1, ...counts });
  await tab.getByText(/Last request: sync, succeeded/).waitFor();
  await steps.waitFor({ state: 'detached' });
  await tab.getByText('Healthy', { exact: true }).first().waitFor();
  assert.deepEqual(errors, []);
});

test('a held prune is reviewed and confirmed, and only then its objects are deleted', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `m${index}`);
  const subject = await declareSubject(world, 'held', {
    files: { 'keep.yaml': text(configMap('keep')), 'all.yaml': text(...names.map((name) => configMap(name))) },
  });
  await subject.application.untilReady();
  await subject.repository.commit({ 'all.yaml': null });
  await using opened = await signedIn('/applications/apps/held');
  const { tab, errors } = opened;
  await tab.getByText('Live', { exact: true }).waitFor();
  await tab.keyboard.press('r');
  await tab.getByText('A prune waits for you.').waitFor();
  await tab.getByRole('link', { name: 'Review the prune…' }).click();
  const dialog = tab.getByRole('dialog', { name: /Delete 20 objects of held/ });
  await dialog.getByText('ConfigMap held/m19').waitFor();
  const confirm = dialog.getByRole('button', { name: 'Delete 20 objects' });
  assert.equal(await confirm.isDisabled(), true);
  await assertAccessible(tab, 'the held prune');
  await picture(tab, 'prune', dialog);
  await dialog.getByLabel(/I have read the list/).check();
  await confirm.click();
  await tab.getByText('A prune waits for you.').waitFor({ state: 'detached' });
  await tab.getByText(/Last request: confirm-prune, succeeded/).waitFor();
  await tab.getByText('All 1', { exact: true }).waitFor();
  assert.equal(await world.read(configMapPath('held', 'm0')), undefined);
  assert.ok(await world.read(configMapPath('held', 'keep')));
  assert.deepEqual(errors, []);
});

test('drift is shown field by field with its author, and its patch mends the object', async () => {
  const subject = await declareSubject(world, 'drift', {
    files: { 'a.yaml': text(configMap('a', { colour: 'green' })) },
  });
  await subject.application.untilReady();
  await subject.application.patch({ sync: { mode: 'detect' } });
  await subject.application.refresh();
  await world.send('PATCH', `${configMapPath('drift', 'a')}?fieldManager=a-person`, { data: { colour: 'red' } });
  await using opened = await signedIn('/applications/apps/drift');
  const { tab, errors } = opened;
  await tab.getByText('OutOfSync').first().waitFor();
  await tab.getByRole('link', { name: 'ConfigMap a' }).click();
  const panel = tab.getByRole('complementary', { name: 'ConfigMap drift/a' });
  await panel.getByText('/data/colour', { exact: true }).waitFor();
  await panel.getByText(/live value by a-person/).waitFor();
  await panel.getByText('red', { exact: true }).waitFor();
  await picture(tab, 'difference', panel);
  await panel.getByRole('button', { name: 'Copy as patch' }).click();
  await panel.getByText('Copied').waitFor();
  const patch = await tab.evaluate<string>('navigator.clipboard.readText()');
  const patched = await world.plane.kubectl(['-n', 'drift', 'patch', 'configmap', 'a', '--type=json', '-p', patch]);
  assert.equal(patched.code, 0, patched.stderr);
  await panel.getByText('The object is as Git has it').waitFor();
  assert.equal(at(await subject.configMap('a'), 'data', 'colour'), 'green');
  await panel.getByRole('link', { name: 'Manifest' }).click();
  await panel.getByRole('button', { name: 'Live' }).click();
  await panel.getByText(/resourceVersion/).waitFor();
  await panel.getByRole('link', { name: 'Events' }).click();
  await panel.getByText('No Event about this object').waitFor();
  await assertAccessible(tab, 'the panel');
  assert.deepEqual(errors, []);
});

test('a rollback is planned and carried out from the history, and released', async () => {
  const subject = await declareSubject(world, 'back', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  await subject.application.untilReady();
  const commit = await subject.repository.commit({ 'a.yaml': text(configMap('a', { v: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  await using opened = await signedIn('/applications/apps/back?view=history');
  const { tab, errors } = opened;
  await tab
    .getByRole('link', { name: /Roll back/ })
    .first()
    .click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByText(/1 to change/).waitFor();
  await dialog.getByLabel('Reason, for others').fill('version 2 is broken');
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await tab
    .getByText(/version 2 is broken/)
    .first()
    .waitFor();
  await button(tab, 'Release').waitFor();
  assert.equal(at(await subject.configMap('a'), 'data', 'v'), '1');
  await button(tab, 'Release').click();
  await button(tab, 'Release').waitFor({ state: 'detached' });
  await button(tab, 'Suspend').click();
  await button(tab, 'Resume').waitFor();
  assert.deepEqual(errors, []);
});

test('a restart of the agent under the open page is told, and the page is live again by itself', async () => {
  await using opened = await signedIn('/');
  const { tab } = opened;
  await tab.getByText('Live', { exact: true }).waitFor();
  const address = new URL(agent.apiUrl).host;
  await agent.stop();
  await tab.getByText(/Offline: the agent does not answer/).waitFor();
  await tab.getByRole('link', { name: 'held', exact: true }).waitFor();
  await world.agent({ flags: [...flags(), '--api-address', address] });
  await tab.getByText('Live', { exact: true }).waitFor();
  await tab.getByText(/Offline: the agent/).waitFor({ state: 'detached' });
  await tab.getByRole('link', { name: 'held', exact: true }).click();
  await tab.getByRole('link', { name: 'ConfigMap keep' }).waitFor();
});
