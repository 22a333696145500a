/**
 * Hostile Applications. The API server refuses most of them. The agent reports the rest, and those that were stored
 * under an older CRD, and goes on with other Applications, before and after a restart.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useStarted } from '../support/use-world.ts';
import { conditionOf, eventually, type Json } from '../support/world.ts';
import { startArena } from './arena.ts';
import { withoutRules } from '../support/older-crd.ts';
import { at } from '../support/scene.ts';

const arena = useStarted('the arena', startArena);

const COLLECTION = '/apis/tautline.dev/v1alpha1/namespaces/apps/applications';
const URL = 'http://127.0.0.1:1/x.git';

/** Sources that the API server refuses. */
const REFUSED: Readonly<Record<string, Record<string, unknown>>> = {
  'a command-line option as URL': { repoURL: '-oProxyCommand=touch /tmp/x' },
  'a command-line option as host': { repoURL: 'ssh://-oProxyCommand=touch/x' },
  'a file as URL': { repoURL: 'file:///etc/passwd' },
  'a command-line option as host of an SSH address': { repoURL: 'git@-oProxyCommand=touch:x/y.git' },
  'a program as URL': { repoURL: 'ext::sh -c true' },
  'credentials in the URL': { repoURL: 'https://me:word@example.invalid/x' },
  'a line break in the URL': { repoURL: 'https://example.invalid/x\r\nHost: y' },
  'a command-line option as revision': { repoURL: URL, revision: '--upload-pack=touch /tmp/x' },
  'a revision with ..': { repoURL: URL, revision: 'refs/heads/../../x' },
  'a revision of two lines': { repoURL: URL, revision: 'main\n0000' },
  'a path with ..': { repoURL: URL, path: 'a/../../b' },
  'an absolute path': { repoURL: URL, path: '/etc' },
};

/** Sources that the API server may accept, with the reason that the agent then reports. */
const ACCEPTED: Readonly<Record<string, { source: Record<string, unknown>; reason: string }>> = {
  'a path with a NUL byte': { source: { path: 'a\0/../../etc' }, reason: 'PathNotFound' },
  'a path with terminal control sequences': { source: { path: '\x1b[2J\u202ex' }, reason: 'PathNotFound' },
  'a path with backslashes': { source: { path: '..\\..\\etc' }, reason: 'PathNotFound' },
  'a path with percent-encoded dots': { source: { path: '%2e%2e/%2e%2e/etc' }, reason: 'PathNotFound' },
  'a revision that is a special property of JavaScript': {
    source: { revision: '__proto__' },
    reason: 'RevisionNotFound',
  },
  'a revision with terminal control characters': {
    source: { revision: 'x\u202ey\u009b2J' },
    reason: 'RevisionNotFound',
  },
};

function application(name: string, spec: unknown): Record<string, unknown> {
  return { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata: { name, namespace: 'apps' }, spec };
}

async function untilReason(name: string, holds: (reasons: string[]) => boolean): Promise<Json> {
  let last: Json | undefined;
  const found = await eventually(async () => {
    last = await arena.world.read(`${COLLECTION}/${name}`);
    const conditions = ['SourceReady', 'Rendered', 'Ready'].map((type) => conditionOf(last, type));
    const failing = conditions.filter((candidate) => at(candidate, 'status') === 'False');
    return holds(failing.map((candidate) => String(at(candidate, 'reason')))) ? last : undefined;
  });
  return found ?? assert.fail(`${name}: ${JSON.stringify(last?.['status'])}`);
}

test('the API server refuses hostile URLs, revisions and paths', async () => {
  for (const [title, source] of Object.entries(REFUSED)) {
    const { code, body } = await arena.world.plane.request('POST', COLLECTION, application('refused', { source }));
    assert.equal(code, 422, `${title}: ${JSON.stringify(body)}`);
  }
});

test('the agent reports hostile paths and revisions that the API server accepts, and other Applications go on', async () => {
  for (const [index, [title, { source, reason }]] of Object.entries(ACCEPTED).entries()) {
    const name = `accepted-${index}`;
    const spec = { source: { repoURL: `${arena.world.git.url}/victim.git`, ...source } };
    const { code, body } = await arena.world.plane.request('POST', COLLECTION, application(name, spec));
    if (code === 422) continue;
    assert.equal(code, 201, `${title}: ${JSON.stringify(body)}`);
    await untilReason(name, (reasons) => reasons.includes(reason));
  }
  await arena.expectNeighbourGoesOn();
});

/** Specs that can be stored under an older CRD, which has no rules. */
const STORED: readonly unknown[] = [
  ...Object.values(REFUSED).map((source) => ({ source })),
  { source: { repoURL: URL, interval: {} } },
  { source: [URL] },
  { source: { repoURL: URL }, sync: 'auto' },
  { source: { repoURL: URL }, dependsOn: { length: 1e9 } },
  { source: { repoURL: URL }, destination: { namespace: '../../kube-system' } },
  { source: { repoURL: URL }, serviceAccountName: ' ' },
  { source: { repoURL: URL }, ignoreDifferences: [{ kind: '\x1b[2J', jsonPointers: [7] }] },
];

test('each Application that was stored without rules is reported and stops no other one, before and after a restart', async () => {
  const { world } = arena;
  await withoutRules(world, async () => {
    for (const [index, spec] of STORED.entries()) {
      const { code } = await world.plane.request('POST', COLLECTION, application(`stored-${index}`, spec));
      assert.ok(code === 201 || code === 409, `the API server answered ${code} although the CRD has no rules`);
    }
  });
  const expectReported = async (): Promise<void> => {
    for (const index of STORED.keys()) await untilReason(`stored-${index}`, (reasons) => reasons.length > 0);
    await arena.expectNeighbourGoesOn();
  };
  await expectReported();
  await arena.expectCleanOutput();
  await arena.restart();
  await expectReported();
});
