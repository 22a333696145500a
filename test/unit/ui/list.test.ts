/** The list of Applications: the filter in the address, groups and order, and the rows that are in the document. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  labelKeysOf,
  matcherOf,
  NO_FILTER,
  readFilter,
  writeFilter,
  type Filter,
} from '../../../src/ui/logic/filter.ts';
import { listRows } from '../../../src/ui/logic/list-rows.ts';
import { scrollToSee, visibleRows } from '../../../src/ui/logic/virtual.ts';
import type { Listed } from '../../../src/ui/logic/words.ts';

function listed(name: string, more: Partial<Listed> & { severity?: string } = {}): Listed {
  return {
    namespace: 'apps',
    name,
    suspended: false,
    severity: 'ok',
    sync: { status: 'Synced', revision: 'main@sha1:abc' },
    health: { status: 'Healthy' },
    ready: { status: 'True', reason: 'Succeeded', message: `${name} is in sync` },
    ...more,
  } as Listed;
}

const words = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z0-9-]{1,8}$/), { maxLength: 3 });
const filters: fc.Arbitrary<Filter> = fc.record(
  {
    search: fc.string(),
    severity: words,
    sync: words,
    health: words,
    namespace: words,
    group: fc.constantFrom('state', 'namespace', 'label:app.kubernetes.io/name'),
  },
  { noNullPrototype: true },
);

test('a filter that is written into an address is read back as it was', () => {
  fc.assert(
    fc.property(filters, (filter) => {
      const query = Object.fromEntries(new URLSearchParams(writeFilter(filter)));
      assert.deepEqual(readFilter(query), filter);
    }),
  );
  assert.equal(writeFilter(NO_FILTER), '');
});

test('a search finds all its words in names, labels, repository, revision and message, in any case', () => {
  const application = listed('Web', { labels: { tier: 'front' }, repoURL: 'https://git.example.com/fleet.git' });
  const finds = (search: string): boolean => matcherOf({ ...NO_FILTER, search })(application);
  for (const search of ['web', 'APPS/web', 'tier=front', 'fleet', 'sha1:abc', 'in  sync', 'web front']) {
    assert.ok(finds(search), search);
  }
  assert.equal(finds('web back'), false);
});

test('groups by state put problems first, and each group its worst members', () => {
  const all = [listed('b'), listed('a'), listed('c', { severity: 'warning' }), listed('d', { severity: 'error' })];
  const rows = listRows(all, NO_FILTER).map((row) => (row.type === 'group' ? row.title : row.application.name));
  assert.deepEqual(rows, ['Failing', 'd', 'Need attention', 'c', 'Healthy', 'a', 'b']);
});

test('groups by a label are in the order of their worst member, with one for Applications without the label', () => {
  const all = [
    listed('a', { labels: { team: 'x' } }),
    listed('b', { labels: { team: 'y' }, severity: 'error' }),
    listed('c'),
    listed('d', { labels: { team: 'y' } }),
  ];
  const rows = listRows(all, { ...NO_FILTER, group: 'label:team' });
  assert.deepEqual(
    rows.map((row) => (row.type === 'group' ? `${row.title} ${row.size}` : row.application.name)),
    ['team: y 2', 'b', 'd', 'team: x 1', 'a', 'without team 1', 'c'],
  );
  assert.deepEqual(labelKeysOf(all), ['team']);
});

test('a filter hides all Applications that do not pass it, and groups that become empty', () => {
  const all = [listed('a'), listed('b', { namespace: 'other', severity: 'error' })];
  assert.equal(listRows(all, { ...NO_FILTER, namespace: ['other'] }).length, 2);
  assert.equal(listRows(all, { ...NO_FILTER, severity: ['suspended'] }).length, 0);
  assert.equal(listRows(all, { ...NO_FILTER, health: ['Healthy'], sync: ['OutOfSync'] }).length, 0);
});

test('the rows in the document cover what is seen, are few, and lie within the list', () => {
  fc.assert(
    fc.property(fc.integer({ min: -5_000, max: 500_000 }), fc.integer({ min: 0, max: 9_000 }), (top, count) => {
      const { first, end } = visibleRows({ top, height: 800 }, 40, count);
      assert.ok(first >= 0 && first <= end && end <= count);
      assert.ok(end - first <= 800 / 40 + 2 + 16);
      const firstSeen = Math.max(0, Math.floor(top / 40));
      const lastSeen = Math.min(count - 1, Math.floor((top + 799) / 40));
      if (firstSeen <= lastSeen) assert.ok(first <= firstSeen && end > lastSeen);
    }),
  );
});

test('scrolling to a row makes it seen as a whole, and does nothing where it is', () => {
  const view = { top: 100, height: 400 };
  assert.equal(scrollToSee(5, 40, view), 0);
  assert.equal(scrollToSee(0, 40, view), -100);
  assert.equal(scrollToSee(20, 40, view), 840 - 500);
});
