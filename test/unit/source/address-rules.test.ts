/** Which addresses the agent connects to for a repository: rules about networks, hosts and paths. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseAddressRules, type AddressRule } from '../../../src/application/address-rule.ts';
import { SETTINGS } from '../../../src/config/config.ts';
import { StageError } from '../../../src/object/stage-error.ts';
import { createAddressGuard } from '../../../src/source/transport/address-rules.ts';
import { startHarness } from './source-harness.ts';

function rules(text: string): AddressRule[] {
  return text.split(',').flatMap((entry) => (entry === '' ? [] : (parseAddressRules(entry) ?? assert.fail(entry))));
}

interface Setting {
  readonly allow?: string;
  readonly deny?: string;
  readonly isByProxy?: boolean;
}

/** Whether a request to the address may be sent, after its name was resolved by the real resolver. */
async function mayReach(url: string, { allow = '', deny = SETTINGS.sourceDeny.default, isByProxy = false }: Setting) {
  const guard = createAddressGuard({ allow: rules(allow), deny: rules(deny) });
  try {
    const checked = guard.check(url, url, isByProxy);
    const host = new URL(url).hostname;
    if (isByProxy || !/[a-z]/i.test(host) || host.startsWith('[')) return true;
    return await new Promise<boolean>((resolve) => {
      guard.lookupFor(checked)(host, { all: true }, (error) => resolve(error === null));
    });
  } catch (error) {
    assert.ok(error instanceof StageError && error.code === 'AddressDenied', String(error));
    return false;
  }
}

const LOCAL = [
  'http://127.0.0.1/a',
  'http://127.9.9.9:8080/a',
  'http://2130706433/a',
  'http://0x7f.1/a',
  'http://0/a',
  'http://0.0.0.0:6443/a',
  'http://localhost/a',
  'http://LOCALHOST./a',
  'http://[::1]/a',
  'http://[::]/a',
  'http://[::ffff:127.0.0.1]/a',
  'http://[::ffff:7f00:1]/a',
  'http://[64:ff9b::127.0.0.1]/a',
  'http://169.254.169.254/latest/meta-data',
  'http://[::ffff:169.254.169.254]/a',
  'http://[fe80::1]/a',
  'http://[fd00:ec2::254]/a',
];

for (const url of LOCAL) {
  test(`by default ${url} is denied`, async () => assert.equal(await mayReach(url, {}), false));
}

const CASES: readonly (readonly [string, Setting, boolean])[] = [
  ['http://192.0.2.1/a', {}, true],
  ['http://127.0.0.1/a', { deny: '' }, true],
  ['http://127.0.0.1/a', { deny: 'link-local' }, true],
  ['http://localhost/a', { deny: 'link-local' }, true],
  ['http://169.254.169.254/a', { deny: 'link-local' }, false],
  // Only an allowed network lifts a denied one: a name says nothing about where it leads.
  ['http://localhost/a', { allow: 'localhost' }, false],
  ['http://localhost/a', { allow: '127.0.0.0/8,::1' }, true],
  ['http://127.0.0.1/a', { allow: '127.0.0.1' }, true],
  ['http://127.0.0.2/a', { allow: '127.0.0.1' }, false],
  ['http://192.0.2.1/a', { allow: '127.0.0.1' }, false],
  ['http://localhost/a', { allow: '192.0.2.0/24' }, false],
  ['http://localhost/a', { allow: 'git.example.com', deny: '' }, false],
  ['http://localhost/a', { allow: 'localhost', deny: '' }, true],
  ['http://10.1.2.3/a', { deny: '10.0.0.0/8' }, false],
  ['http://[2001:db8::1]/a', { deny: '2001:db8::/32' }, false],
  ['http://localhost:81/a', { allow: 'localhost:80', deny: '' }, false],
  ['http://localhost/a', { allow: 'localhost:80', deny: '' }, true],
  ['http://localhost/team/shop', { allow: 'localhost/team', deny: '' }, true],
  ['http://localhost/team', { allow: 'localhost/Team/', deny: '' }, true],
  ['http://localhost/teams/shop', { allow: 'localhost/team', deny: '' }, false],
  ['http://localhost/secret/x', { deny: 'localhost/secret' }, false],
  ['http://localhost//%53ecret/x', { deny: 'localhost/secret' }, false],
  ['http://localhost/a/%2e%2e/secret/x', { deny: 'localhost/secret' }, false],
  ['http://localhost/a%2f..%2fsecret/x', { deny: 'localhost/secret' }, false],
  ['https://git.example.com/a', { allow: '*.example.com', isByProxy: true }, true],
  ['https://example.com/a', { allow: '*.example.com', isByProxy: true }, false],
  ['https://badexample.com/a', { allow: '*.example.com', isByProxy: true }, false],
  ['https://git.example.com/a', { deny: '*.example.com', isByProxy: true }, false],
  // A proxy resolves names by itself, so that a network cannot be checked.
  ['https://git.example.com/a', { allow: '192.0.2.0/24', isByProxy: true }, false],
  ['http://169.254.169.254/a', { isByProxy: true }, false],
];

for (const [url, setting, isAllowed] of CASES) {
  test(`${url} is ${isAllowed ? 'allowed' : 'denied'} with ${JSON.stringify(setting)}`, async () => {
    assert.equal(await mayReach(url, setting), isAllowed);
  });
}

test('a rule that is none is not read', () => {
  for (const text of ['', 'a b', 'http://a', '10.0.0.0/33', '::1/129', 'a:99999', '*', '-a', 'user@host']) {
    assert.equal(parseAddressRules(text), undefined, text);
  }
});

async function startShop(t: TestContext, deny: string) {
  const harness = await startHarness(t, { addresses: { allow: [], deny: rules(deny) } });
  return { ...harness, repoUrl: `${harness.server.url}/shop.git` };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof StageError ? error.code : assert.fail(String(error));
}

test('a redirect to a denied path of the same host is not followed', async (t) => {
  const { source, server, repoUrl } = await startShop(t, '127.0.0.1/internal');
  const asked: string[] = [];
  server.onRequest = ({ path }) => {
    asked.push(path);
    return { status: 302, headers: { location: '/internal/info/refs?service=git-upload-pack' } };
  };
  assert.equal(await codeOf(source.poll({ repoUrl })), 'AddressDenied');
  assert.equal(asked.length, 1);
});

test('a name that leads to a denied address fails when the connection is opened, and no request is sent', async (t) => {
  const { source, server, repoUrl } = await startShop(t, 'loopback');
  let asked = 0;
  server.onRequest = () => {
    asked++;
    return undefined;
  };
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]']) {
    assert.equal(await codeOf(source.poll({ repoUrl: repoUrl.replace('127.0.0.1', host) })), 'AddressDenied', host);
  }
  assert.equal(asked, 0);
});
