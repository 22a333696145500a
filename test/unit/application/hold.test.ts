/** The revisions of a hold: which are equal, and what the history says about a commit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeHold, isSameSet, revisionsAt, revisionSetOf } from '../../../src/application/hold.ts';
import { commitOfRevision, shortRevision } from '../../../src/application/resolved-revision.ts';
import type { HistoryEntry, Hold } from '../../../src/application/status-schema.ts';

const OLD = '1'.repeat(40);
const NEW = '2'.repeat(40);
const values = (commit: string) => [{ name: 'values', revision: `main@sha1:${commit}` }];
const entry = (more: Partial<HistoryEntry> & Pick<HistoryEntry, 'revision'>): HistoryEntry => ({
  startedAt: '2026-03-01T00:00:00Z',
  outcome: 'Succeeded',
  ...more,
});

test('a commit is read from every form of a resolved revision', () => {
  const digest = 'a'.repeat(64);
  assert.equal(commitOfRevision(`main@sha1:${OLD}`), OLD);
  assert.equal(commitOfRevision(`sha1:${OLD}`), OLD);
  assert.equal(commitOfRevision(`6.5.4@sha256:${digest}`), digest);
  assert.equal(commitOfRevision('main'), undefined);
  assert.equal(shortRevision(`main@sha1:${OLD}`), `main@sha1:${OLD.slice(0, 12)}`);
  assert.equal(shortRevision('no revision'), 'no revision');
});

test('two sets are the same by their commits, not by their names, and a source that one lacks does not count', () => {
  const one = { revision: `main@sha1:${OLD}`, sources: values(OLD) };
  assert.ok(isSameSet(one, { revision: `sha1:${OLD}` }));
  assert.ok(isSameSet(one, { revision: `sha1:${OLD}`, sources: values(OLD) }));
  assert.ok(!isSameSet(one, { revision: `sha1:${NEW}`, sources: values(OLD) }));
  assert.ok(!isSameSet(one, { revision: `sha1:${OLD}`, sources: values(NEW) }));
  assert.ok(isSameSet(one, { revision: `sha1:${OLD}`, sources: [{ name: 'more', revision: `main@sha1:${NEW}` }] }));
});

test('the history gives a commit its name and the other sources of that time; a success counts before a failure', () => {
  const names = new Set(['values']);
  const history = [
    entry({ revision: `main@sha1:${OLD}`, outcome: 'Failed', sources: values(NEW) }),
    entry({ revision: `main@sha1:${OLD}`, sources: [...values(OLD), { name: 'https://x', revision: 'y' }] }),
  ];
  assert.deepEqual(revisionsAt(OLD, history, names), { revision: `main@sha1:${OLD}`, sources: values(OLD) });
  assert.deepEqual(revisionsAt(NEW, history, names), { revision: `sha1:${NEW}` });
  assert.deepEqual(revisionSetOf('a', values(OLD), new Set()), { revision: 'a' });
});

test('the text of a hold names both revisions, the reason and the ways to end it', () => {
  const hold: Hold = {
    revision: `main@sha1:${OLD}`,
    over: { revision: `main@sha1:${NEW}` },
    reason: 'Requested',
    message: 'checkout fails',
    by: 'ada',
    since: '2026-03-01T00:00:00Z',
  };
  const name = { namespace: 'apps', name: 'shop' };
  assert.equal(
    describeHold(hold, name),
    'main@sha1:111111111111 is in force; main@sha1:222222222222 was rolled back on request of ada (checkout fails); ' +
      'a newer commit ends the hold, or: tautline release shop -n apps',
  );
  assert.match(describeHold({ ...hold, reason: 'RolledBack', by: undefined }, name), /rolled back after it failed/);
});
