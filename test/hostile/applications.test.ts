/**
 * Applications that are made to do harm: refused by the API server, or, where an older definition let them be stored,
 * told and left alone, while the others go on, before and after a restart.
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

/** What the API server refuses. */
const REFUSED: Readonly<Record<string, Record<string, unknown>>> = {
  'an option as address': { repoURL: '-oProxyCommand=touch /tmp/x' },
  'an option as host': { repoURL: 'ssh://-oProxyCommand=touch/x' },
  'a file as address': { repoURL: 'file:///etc/passwd' },
  'ssh as address': { repoURL: 'git@example.invalid:x/y.git' },
  'a program as address': { repoURL: 'ext::sh -c true' },
  'credentials in the address': { repoURL: 'https://me:word@example.invalid/x' },
  'a line break in the address': { repoURL: 'https://example.invalid/x\r\nHost: y' },
  'an option as revision': { repoURL: URL, revision: '--upload-pack=touch /tmp/x' },
  'a revision that climbs': { repoURL: URL, revision: 'refs/heads/../../x' },
  'a revision of two lines': { repoURL: URL, revision: 'main\n0000' },
  'a path that climbs': { repoURL: URL, path: 'a/../../b' },
  'a path of the machine': { repoURL: URL, path: '/etc' },
};

/** What only the agent can judge. */
const ACCEPTED: Readonly<Record<string, { source: Record<string, unknown>; reason: string }>> = {
  'a path with a byte of nought': { source: { path: 'a\0/../../etc' }, reason: 'PathNotFound' },
  'a path of a terminal': { source: { path: '\x1b[2J\u202ex' }, reason: 'PathNotFound' },
  'a path with backslashes': { source: { path: '..\\..\\etc' }, reason: 'PathNotFound' },
  'a path in percent': { source: { path: '%2e%2e/%2e%2e/etc' }, reason: 'PathNotFound' },
  'a revision that is special to JavaScript': { source: { revision: '__proto__' }, reason: 'RevisionNotFound' },
  'a revision of a terminal': { source: { revision: 'x\u202ey\u009b2J' }, reason: 'RevisionNotFound' },
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

test('the API server refuses addresses, revisions and paths that mean something else', async () => {
  for (const [what, source] of Object.entries(REFUSED)) {
    const { code, body } = await arena.world.plane.request('POST', COLLECTION, application('refused', { source }));
    assert.equal(code, 422, `${what}: ${JSON.stringify(body)}`);
  }
});

test('what only the agent can judge is told, and nothing is read outside of the repository', async () => {
  for (const [index, [what, { source, reason }]] of Object.entries(ACCEPTED).entries()) {
    const name = `accepted-${index}`;
    const spec = { source: { repoURL: `${arena.world.git.url}/victim.git`, ...source } };
    const { code, body } = await arena.world.plane.request('POST', COLLECTION, application(name, spec));
    if (code === 422) continue;
    assert.equal(code, 201, `${what}: ${JSON.stringify(body)}`);
    await untilReason(name, (reasons) => reasons.includes(reason));
  }
  await arena.expectNeighbourGoesOn();
});

/** As an older definition may have let them be stored. */
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

test('what was stored before there were rules is told one by one, and stops nobody, before and after a restart', async () => {
  const { world } = arena;
  await withoutRules(world, async () => {
    for (const [index, spec] of STORED.entries()) {
      const { code } = await world.plane.request('POST', COLLECTION, application(`stored-${index}`, spec));
      assert.ok(code === 201 || code === 409, `the rules are off: ${code}`);
    }
  });
  const expectTold = async (): Promise<void> => {
    for (const index of STORED.keys()) await untilReason(`stored-${index}`, (reasons) => reasons.length > 0);
    await arena.expectNeighbourGoesOn();
  };
  await expectTold();
  await arena.expectCleanWords();
  await arena.restart();
  await expectTold();
});
