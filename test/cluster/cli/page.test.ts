/** `tautline page` shows and does what the kubeconfig may, to the browser that was opened by the printed address. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { builtFile } from '../../support/built-program.ts';
import { createBrowser, type HeadlessBrowser } from '../../support/browser-without-screen.ts';
import { nodeEnvironment } from '../../support/node-environment.ts';
import { configMap, text } from '../../support/objects.ts';
import { rule } from '../../support/rights.ts';
import { at } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';
import { createPerson, tautline } from './scene.ts';

const { world } = useWorld({ agent: true });

const RULES = [
  rule('tautline.dev', 'applications', ['get', 'list', 'watch', 'patch']),
  rule('', 'configmaps', ['get', 'list']),
];

interface Started {
  readonly url: string;
  readonly origin: string;
  readonly child: ChildProcess;
  readonly stderr: () => string;
}

async function startPage(
  t: TestContext,
  kubeconfig: string,
  { args = [], environment = {} }: { args?: readonly string[]; environment?: Record<string, string> } = {},
): Promise<Started> {
  const env = { ...nodeEnvironment(), KUBECONFIG: kubeconfig, HOME: '/nonexistent', ...environment };
  const child = spawn(process.execPath, [builtFile('cli.js'), 'page', ...args], { env });
  t.after(() => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const found = async (): Promise<string> => {
    while (!stdout.includes('Ctrl-C')) await new Promise((resolve) => child.stdout.once('data', resolve));
    return /http:\S+/.exec(stdout)?.[0] ?? '';
  };
  const url = await Promise.race([found(), ended.then(() => assert.fail(`it has ended: ${stderr}`))]);
  return { url, origin: new URL(url).origin, child, stderr: () => stderr };
}

async function read(browser: HeadlessBrowser, url: string): Promise<Record<string, unknown>> {
  const { status, body } = await browser.send(url);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Record<string, unknown>;
}

test('the page shows Applications, objects and Events, and acts, with the rights of the person', async (t) => {
  const repository = await world.repository('web');
  await repository.commit({ 'all.yaml': text(configMap('a', { k: 'from Git' })) });
  const source = { repoURL: repository.url };
  const application = await world.declare('web', { source, sync: { mode: 'manual' } });
  await application.ask({ action: 'sync' });
  await world.apply(configMap('a', { k: 'by hand' }, { namespace: 'apps' }), 'someone');
  await application.refresh();
  await world.declare('elsewhere', { source, sync: { mode: 'manual' } }, 'other');
  await using person = await createPerson(world, 'reader', { rules: RULES });
  const { url, origin, child, stderr } = await startPage(t, person.kubeconfig);
  assert.match(stderr(), /only those of apps are shown/);
  const browser = createBrowser('');
  const opened = await browser.send(url, { from: 'null' });
  assert.deepEqual([opened.status, opened.headers.location], [303, '/']);
  assert.match(String(opened.headers['set-cookie']), /HttpOnly; SameSite=Strict$/);

  const page = await browser.send(`${origin}/`, { from: 'null' });
  assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8']);
  const session = await read(browser, `${origin}/api/v1/session`);
  assert.deepEqual(
    [session['signedIn'], session['user'], session['ways']],
    [true, 'system:serviceaccount:people:reader', ['kubeconfig']],
  );
  const list = await read(browser, `${origin}/api/v1/applications`);
  assert.deepEqual(
    (list['applications'] as { name: string }[]).map(({ name }) => name),
    ['web'],
  );
  const one = `${origin}/api/v1/applications/apps/web`;
  const detail = await read(browser, one);
  assert.equal(at(detail as never, 'objects', 0, 'sync'), 'OutOfSync');
  const tree = await read(browser, `${one}/tree`);
  assert.equal((tree['nodes'] as unknown[]).length, 1);
  const object = await read(browser, `${one}/object?kind=ConfigMap&namespace=apps&name=a`);
  assert.match(JSON.stringify(object['live']), /by hand/);
  assert.match(String(object['difference']), /tautline diff web -n apps/);
  const events = await browser.send(`${one}/events?kind=ConfigMap&namespace=apps&name=a`);
  assert.equal(events.status, 403, 'the person may not list Events');
  const plan = await browser.send(`${one}/plan`);
  assert.deepEqual([plan.status, /tautline diff/.test(plan.body)], [404, true]);

  const headers = { 'content-type': 'application/json', origin };
  const suspended = await browser.send(`${one}/suspend`, { method: 'POST', headers, body: '{}' });
  assert.equal(suspended.status, 200, suspended.body);
  await untilTrue(async () => (await read(browser, one))['suspended'] === true, 'the page tells the change');
  await application.remove();
  await untilTrue(async () => (await read(browser, `${origin}/api/v1/applications`))['total'] === 0, 'it is gone');

  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  assert.equal(await ended, 0);
});

test('no request is answered without the printed address, by another name, or for a page of another site', async (t) => {
  const { url, origin } = await startPage(t, world.plane.kubeconfig);
  const second = tautline(world, 'page', '--port', new URL(origin).port);
  const stranger = createBrowser('');
  const list = `${origin}/api/v1/applications`;
  const refused = await stranger.send(list);
  assert.deepEqual([refused.status, /has printed/.test(refused.body)], [401, true]);
  assert.equal((await stranger.send(`${origin}/open`)).status, 403);
  assert.equal((await stranger.send(`${origin}/open?key=x`)).status, 403);
  assert.equal((await stranger.send(url, { headers: { host: 'rebound.example.com' } })).status, 421);
  assert.equal((await stranger.send(list)).status, 401);
  const owner = createBrowser('');
  await owner.send(url);
  assert.equal((await owner.send(list)).status, 200);
  assert.equal((await owner.send(list, { headers: { host: 'rebound.example.com' } })).status, 421);
  const headers = { 'content-type': 'application/json', origin: 'https://evil.example' };
  const act = `${origin}/api/v1/applications/apps/web/suspend`;
  assert.equal((await owner.send(act, { method: 'POST', headers, body: '{}' })).status, 403);
  const { code, stderr } = await second;
  assert.deepEqual([code, /EADDRINUSE\): choose another one with --port/.test(stderr)], [1, true], stderr);
});

test('--open hands the address to the browser in a file that no other user can read', async (t) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-browser-'));
  const [program, seen] = [join(folder.path, 'browser'), join(folder.path, 'seen')];
  await writeFile(program, `#!/bin/sh\nprintf '%s' "$1" > ${seen}.new && mv ${seen}.new ${seen}\n`);
  await chmod(program, 0o755);
  const { url } = await startPage(t, world.plane.kubeconfig, { args: ['--open'], environment: { BROWSER: program } });
  let argument = '';
  await untilTrue(
    async () => (argument = await readFile(seen, 'utf8').catch(() => '')) !== '',
    'the browser is called',
  );
  assert.match(argument, /^file:/);
  assert.ok(!argument.includes('key='));
  assert.ok((await readFile(new URL(argument), 'utf8')).includes(url));
});
