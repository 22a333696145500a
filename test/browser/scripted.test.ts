/**
 * The page in a real browser over the real routes of the status API, with Applications from memory: a thousand of them,
 * one of thousands of objects, and texts that try to be markup.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page as Tab } from 'playwright-core';
import { startChromium } from '../support/chromium.ts';
import { useStarted } from '../support/use-world.ts';
import { assertAccessible, openTab, PHONE, picture } from './open-tab.ts';
import { fleet, large, object, scripted } from './scripted-applications.ts';
import { startScriptedPage } from './scripted-page.ts';

const site = useStarted('the page', () => startScriptedPage());
const browser = useStarted('Chromium', startChromium);

const open = (path: string) => openTab(browser, `${site.url}${path}`);
const row = (tab: Tab, name: string) => tab.getByRole('link', { name, exact: true });
const focused = (tab: Tab): Promise<string> => tab.locator(':focus').innerText();

const SHOP = scripted({
  namespace: 'shop',
  name: 'web',
  labels: { team: 'shop' },
  sync: 'OutOfSync',
  health: 'Degraded',
  healthMessage: 'Deployment web: Pod web-7f9c6d: ImagePullBackOff nginx:1.30',
  ready: 'False',
  reason: 'Unhealthy',
  message: '2 of 3 objects are well',
  objects: [
    object('shop', { kind: 'ConfigMap', name: 'settings' }),
    object('shop', {
      group: 'apps',
      kind: 'Deployment',
      name: 'web',
      sync: 'OutOfSync',
      health: { status: 'Degraded', message: 'Pod web-7f9c6d: ImagePullBackOff nginx:1.30' },
      more: {
        message: 'differs at /spec/replicas',
        fields: [
          { path: '/spec/replicas', live: 5, desired: 2, manager: 'kubectl', managedAt: '2026-11-30T10:42:00Z' },
        ],
        patch: { operations: [{ op: 'replace', path: '/spec/replicas', value: 2 }], isMasked: false },
        file: 'web.yaml',
        line: 7,
      },
    }),
    object('shop', {
      kind: 'ConfigMap',
      name: 'old',
      sync: 'OutOfSync',
      more: { isPruning: true, message: 'left Git' },
    }),
  ],
  problems: [
    {
      code: 'YamlSyntax',
      message: 'line 7 is indented deeper than line 6, which already has a value',
      file: 'shop/web/service.yaml',
      line: 7,
      excerpt: 'kind: Service\nmetadata:\n  name: web\n    labels: {}',
      hint: 'Give both lines the same indentation.',
    },
  ],
});

test('a thousand Applications are shown with their problems first, and only the seen rows are in the document', async () => {
  site.applications = [...fleet(), SHOP, large()];
  await using opened = await open('/');
  const { tab, errors } = opened;
  await row(tab, 'web').waitFor();
  const rows = await tab.getByRole('listitem').count();
  assert.ok(rows < 60, `${rows} rows are in the document`);
  assert.match(await tab.title(), /^\(\d+\) Applications/);
  assert.match(await tab.getByRole('listitem').nth(1).innerText(), /Degraded/);
  await tab.keyboard.press('j');
  await tab.keyboard.press('End');
  await tab.locator('[data-row="1006"] :focus').waitFor();
  assert.deepEqual(errors, []);
});

test('search, filter and group stand in the address, and a link shows the same', async () => {
  site.applications = [...fleet(), SHOP];
  await using opened = await open('/');
  const { tab } = opened;
  await row(tab, 'web').waitFor();
  await tab.keyboard.press('/');
  await tab.keyboard.type('team=pay prod');
  await tab.getByLabel('Group by').selectOption('namespace');
  await tab.getByRole('button', { name: /Failing/ }).click();
  await tab.waitForURL(/severity=error/);
  await tab.getByRole('button', { name: /Failing/ }).click();
  await tab.getByText(/of 1,001/).waitFor();
  assert.match(tab.url(), /\?search=team%3Dpay\+prod&group=namespace$/);
  await using again = await open(tab.url().slice(site.url.length));
  await again.tab.getByRole('heading', { name: /pay-prod/ }).waitFor();
  assert.equal(await again.tab.getByLabel('Search Applications').inputValue(), 'team=pay prod');
  await again.tab.getByRole('button', { name: 'Clear the filter' }).click();
  await again.tab.getByText(/of 1,001/).waitFor({ state: 'detached' });
  assert.match(again.tab.url(), /\?group=namespace$/);
});

test('an Application of five thousand objects shows what is not well first, and scrolls to its last object', async () => {
  site.applications = [large()];
  await using opened = await open('/applications/bulk/large');
  const { tab, errors } = opened;
  await row(tab, 'Service a').waitFor();
  assert.equal(await tab.getByRole('row').count(), 4);
  await tab.getByRole('button', { name: /^All/ }).click();
  await tab.getByRole('button', { name: /^ConfigMap/ }).press('ArrowRight');
  await row(tab, 'ConfigMap item-0001').waitFor();
  await tab.keyboard.press('End');
  await row(tab, 'Service b').waitFor();
  await tab.keyboard.press('PageUp');
  await row(tab, 'ConfigMap item-4999').waitFor();
  assert.ok((await tab.getByRole('row').count()) < 80);
  assert.deepEqual(errors, []);
});

test('a person finds, opens and leaves an object by the keyboard alone', async () => {
  site.applications = [SHOP, ...fleet(30)];
  await using opened = await open('/');
  const { tab, errors } = opened;
  await tab.getByRole('heading', { name: 'Failing 1', exact: true }).waitFor();
  await tab.keyboard.press('j');
  assert.match(await focused(tab), /Failing/);
  await tab.keyboard.press('j');
  assert.equal(await focused(tab), 'web');
  await tab.keyboard.press('Enter');
  await row(tab, 'Deployment web').waitFor();
  await tab.keyboard.press('j');
  for (let steps = 0; steps < 4 && !/Deployment/.test(await focused(tab)); steps++) await tab.keyboard.press('j');
  await tab.keyboard.press('Enter');
  await tab.getByRole('complementary', { name: 'Deployment shop/web' }).waitFor();
  await tab.waitForFunction("document.activeElement?.tagName === 'H2'");
  await tab.keyboard.press('Escape');
  await tab.getByRole('complementary').waitFor({ state: 'detached' });
  assert.match(await focused(tab), /Deployment/);
  await tab.keyboard.press('d');
  await tab.waitForURL(/view=differences/);
  await tab.keyboard.press('?');
  await tab.getByRole('dialog', { name: 'Keys' }).waitFor();
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('u');
  await row(tab, 'web').waitFor();
  assert.deepEqual(errors, []);
});

test('names and messages full of markup and marks of text direction are shown as text', async () => {
  const evil = '<img src=x onerror="document.title=1"> \u202egnp.exe \u0007 {{7*7}} </script>';
  site.applications = [
    scripted({
      namespace: 'apps',
      name: 'evil',
      labels: { 'a/b': 'c' },
      health: 'Degraded',
      healthMessage: evil,
      ready: 'False',
      reason: 'Unhealthy',
      message: evil,
      objects: [
        object('apps', {
          kind: 'ConfigMap',
          name: 'x\u202ey',
          sync: 'OutOfSync',
          more: { message: evil, fields: [{ path: `/data/${evil}`, live: evil, desired: `${evil}2` }] },
        }),
      ],
      problems: [{ code: 'YamlSyntax', message: evil, file: evil, line: 1, excerpt: evil, hint: evil }],
    }),
  ];
  await using opened = await open('/');
  const { tab, errors } = opened;
  await row(tab, 'evil').waitFor();
  for (const view of ['', '?view=differences', '?view=problems', '?view=history']) {
    await tab.goto(`${site.url}/applications/apps/evil${view}`);
    await tab.getByText('\\u202egnp.exe').first().waitFor();
    const text = await tab.locator('body').innerText();
    assert.doesNotMatch(text, /[\u202e\u0007]/);
    assert.equal(await tab.locator('img').count(), 0);
  }
  assert.notEqual(await tab.title(), '1');
  assert.deepEqual(errors, []);
});

test('the difference of an object can be copied as an ignore rule and as a patch', async () => {
  site.applications = [SHOP];
  await using opened = await open('/applications/shop/web?view=differences');
  const { tab } = opened;
  const copied = (): Promise<string> => tab.evaluate('navigator.clipboard.readText()');
  await tab.getByRole('button', { name: 'Ignore rule' }).first().click();
  await tab.getByText('Copied').first().waitFor();
  assert.match(await copied(), /kind: Deployment[\s\S]*jsonPointers:\n {4}- \/spec\/replicas/);
  const deletion = tab.locator('.difference').first();
  assert.match(await deletion.innerText(), /ConfigMap shop\/old/);
});

test('the page says when it is offline, and is live by itself when the agent is back', async () => {
  site.applications = [SHOP];
  await using opened = await open('/');
  const { tab } = opened;
  await row(tab, 'web').waitFor();
  await tab.getByText('Live', { exact: true }).waitFor();
  const goOnline = await site.goOffline();
  await tab.getByText(/Offline: the agent does not answer/).waitFor();
  assert.equal(await row(tab, 'web').count(), 1);
  site.applications = [SHOP, ...fleet(1)];
  await goOnline();
  await tab.getByText('Live', { exact: true }).waitFor();
  await row(tab, 'web-0000').waitFor();
});

test('an Application that vanishes under the open page is told to be gone', async () => {
  site.applications = [SHOP, ...fleet(2)];
  await using opened = await open('/applications/shop/web');
  const { tab } = opened;
  await row(tab, 'Deployment web').waitFor();
  await tab.getByText('Live', { exact: true }).waitFor();
  site.applications = fleet(2);
  await tab.getByText('There is no Application web').waitFor();
});

test('the stream is closed while the tab is hidden, and opened when it is seen again', async () => {
  site.applications = [SHOP];
  await using opened = await open('/');
  const { tab } = opened;
  await tab.getByText('Live', { exact: true }).waitFor();
  const hide = (isHidden: boolean): Promise<unknown> =>
    tab.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
       document.dispatchEvent(new Event('visibilitychange'))`,
    );
  await hide(true);
  site.applications = [SHOP, ...fleet(1)];
  const reread = tab.waitForRequest(/\/api\/v1\/stream/);
  await hide(false);
  await reread;
  await row(tab, 'web-0000').waitFor();
});

test('an empty fleet says how to begin, a missing token asks to sign in, and a missing right is told', async () => {
  site.applications = [];
  await using empty = await open('/');
  await empty.tab.getByText('There is no Application yet').waitFor();
  await assertAccessible(empty.tab, 'empty');
  site.user = undefined;
  await using signedOut = await open('/applications/shop/web');
  await signedOut.tab.getByRole('heading', { name: 'Sign in' }).waitFor();
  const provider = signedOut.tab.getByRole('link', { name: 'Sign in with Example ID' });
  assert.match((await provider.getAttribute('href')) ?? '', /oidc\?return=%2Fapplications%2Fshop%2Fweb$/);
  await assertAccessible(signedOut.tab, 'signed out');
  site.user = 'admin';
  await using lost = await open('/applications/shop/nosuch');
  await lost.tab.getByText('There is no Application nosuch').waitFor();
  await using nowhere = await open('/sign-in');
  await nowhere.tab.getByText('You are signed in as admin.').waitFor();
});

const VIEWS: readonly (readonly [name: string, path: string, text: string])[] = [
  ['applications', '/', 'Failing'],
  ['objects', '/applications/shop/web', 'Deployment'],
  ['object', '/applications/shop/web?object=apps/Deployment/shop/web', 'Copy as ignore rule'],
  ['differences', '/applications/shop/web?view=differences', '/spec/replicas'],
  ['problems', '/applications/shop/web?view=problems', 'YamlSyntax'],
  ['history', '/applications/shop/web?view=history', 'Bea Lindqvist'],
  ['conditions', '/applications/shop/web?view=conditions', 'Ready: False'],
];

for (const [name, path, text] of VIEWS) {
  test(`axe finds nothing in the view of ${name}, light on a wide window and dark on a phone`, async () => {
    site.applications = [SHOP, ...fleet(300)];
    await using opened = await open(path);
    const { tab, errors } = opened;
    await tab.getByText(text).first().waitFor();
    await tab.getByText('Live', { exact: true }).waitFor();
    await picture(tab, name);
    await assertAccessible(tab, name);
    await tab.emulateMedia({ colorScheme: 'dark' });
    await picture(tab, `${name}-dark`);
    await tab.setViewportSize(PHONE);
    await assertAccessible(tab, `${name} on a phone`);
    assert.equal(await tab.evaluate('document.documentElement.scrollWidth'), PHONE.width, 'nothing is cut off');
    assert.deepEqual(errors, []);
  });
}
