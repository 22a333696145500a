/** The words of status, history and Events about an empty render, objects that are not well, and drift. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredStatus } from '../../../src/application/schema.ts';
import { statusSchema, type HistoryEntry } from '../../../src/application/status-schema.ts';
import type { ChangeResult, Outcome } from '../../../src/apply/applied.ts';
import type { FieldDifference } from '../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import { composeStatus } from '../../../src/status/compose.ts';
import { eventOf, healthEventOf, type PassEvent } from '../../../src/status/event.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { COMMIT, passReport, REVISION } from './pass-report.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');
const WEB: ObjectId = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };

const compose = (previous: StoredStatus, report: PassReport) => composeStatus(previous, report, NOW);

test('a folder that renders no object is EmptyRender, whether or not objects are applied, and its health is Unknown', () => {
  const whyEmpty = 'no manifests in shop; there are some in shop/base\n  Folders below it are not read.';
  const table: readonly (readonly [readonly ObjectId[], string])[] = [
    [[], whyEmpty],
    [[WEB], whyEmpty.replace('base\n', 'base; the applied object is kept\n')],
  ];
  for (const [inventory, message] of table) {
    const { status } = compose({}, passReport({ isEmptyRender: true, whyEmpty, inventory }));
    const find = (type: string) => status.conditions?.find((condition) => condition.type === type);
    assert.deepEqual([find('Ready')?.status, find('Ready')?.reason], ['False', 'EmptyRender']);
    assert.equal(find('Ready')?.message, message);
    assert.deepEqual([find('Rendered')?.status, find('Rendered')?.reason], ['False', 'EmptyRender']);
    assert.equal(find('Stalled')?.status, 'True');
    assert.deepEqual([status.sync?.status, status.health?.status], ['OutOfSync', 'Unknown']);
  }
});

test('Healthy repeats status.health, and the message of Ready never sounds well beside an object that is not', () => {
  for (const status of ['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'] as const) {
    const message = status === 'Healthy' ? '' : 'Job.batch shop/migrate: it failed';
    const { conditions } = compose({}, passReport({ worst: { status, message } })).status;
    const find = (type: string) => conditions?.find((condition) => condition.type === type);
    const expected = status === 'Healthy' ? 'True' : status === 'Unknown' ? 'Unknown' : 'False';
    assert.deepEqual([find('Healthy')?.status, find('Healthy')?.reason], [expected, status]);
    const isSettled = status === 'Healthy' || status === 'Suspended';
    assert.equal(find('Ready')?.message.includes(`${status}: Job.batch shop/migrate: it failed`), !isSettled);
  }
});

test('each change of health gives one Event that names the object, and none is given twice', () => {
  const broken = { status: 'Degraded', message: 'Job.batch shop/migrate: it failed' } as const;
  const healthy = { status: 'Healthy' } as const;
  const failedCheck: PassEvent = { type: 'Warning', reason: 'HealthCheckFailed', action: 'Reconcile', note: '' };
  const event = (before: StoredStatus['health'], after: StoredStatus['health'], pass?: PassEvent) => {
    const told = healthEventOf({ health: before }, { health: after }, pass);
    return told && [told.type, told.reason, told.note];
  };
  assert.deepEqual(event(healthy, broken), ['Warning', 'Degraded', broken.message]);
  assert.equal(event(broken, broken), undefined);
  assert.deepEqual(event(broken, healthy), ['Normal', 'Healthy', 'Every object is Healthy.']);
  assert.deepEqual(event(undefined, broken), ['Warning', 'Degraded', broken.message]);
  assert.equal(event(undefined, { status: 'Progressing' }), undefined);
  assert.equal(event(healthy, broken, failedCheck), undefined, 'the failed health check tells it');
});

const entryOf = (more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  revision: `main@sha1:${'b'.repeat(40)}`,
  outcome: 'Succeeded',
  startedAt: '2026-03-01T09:00:00Z',
  digest: 'digest',
  ...more,
});

test('a commit that leaves the desired objects as they are adds no entry to the history', () => {
  const entry = entryOf();
  const history = (last: HistoryEntry, more: Partial<PassReport> = {}) =>
    compose({ history: [last] }, passReport(more)).status.history?.map(({ revision, outcome }) => [outcome, revision]);
  assert.deepEqual(history(entry), [['Succeeded', entry.revision]]);
  assert.deepEqual(history(entry, { desiredDigest: 'other' })?.[0], ['Succeeded', REVISION]);
  assert.deepEqual(history(entryOf({ outcome: 'Failed' }))?.[0], ['Succeeded', REVISION], 'a mended commit is told');
  const { digest: _, ...old } = entry;
  assert.deepEqual(history(old)?.[0], ['Succeeded', REVISION], 'an entry of an older agent has no digest');
});

test('a new revision of another source is a new entry, and status names the revisions of all sources', () => {
  const sourcesAt = (revision: string) => [{ name: 'values', revision }];
  const entry = entryOf({ revision: REVISION, sources: sourcesAt('main@sha1:1'), digest: 'old' });
  const after = (revision: string) =>
    compose({ history: [entry] }, passReport({ desiredDigest: 'new', sources: sourcesAt(revision) })).status;
  assert.equal(after('main@sha1:1').history?.length, 1);
  assert.deepEqual(
    after('main@sha1:2').history?.map(({ sources }) => sources),
    [sourcesAt('main@sha1:2'), sourcesAt('main@sha1:1')],
  );
  assert.deepEqual(after('main@sha1:2').sync?.sources, sourcesAt('main@sha1:2'));
});

test('commits on top of a broken one push no revision out of the history', () => {
  let status: StoredStatus = { history: [entryOf()] };
  for (const digit of ['1', '2', '3']) {
    const commit = digit.repeat(40);
    const { desiredDigest: _, ...report } = passReport({ commit, revision: `main@sha1:${commit}` });
    status = compose(status, { ...report, problems: [{ code: 'YamlSyntax', message: 'broken' }] })
      .status as StoredStatus;
  }
  assert.deepEqual(
    status.history?.map(({ outcome, commit }) => [outcome, commit]),
    [
      ['Failed', '1'.repeat(12)],
      ['Succeeded', undefined],
    ],
  );
});

test('an entry of the history holds subject, author and date of its commit', () => {
  const about = { subject: 'Bump nginx', author: 'Ann', date: '2026-02-28T12:00:00Z' };
  const { status } = compose({}, passReport({ about }));
  const [entry] = status.history ?? [];
  assert.deepEqual(
    [entry?.commit, entry?.subject, entry?.author, entry?.committedAt, entry?.digest],
    [COMMIT.slice(0, 12), about.subject, about.author, about.date, 'digest'],
  );
  assert.ok(statusSchema.safeParse(status).success);
});

function resultOf(outcome: Outcome, fields: readonly FieldDifference[], id = WEB): ChangeResult {
  return { change: { id, type: 'update', kind: undefined, fields }, outcome };
}

function noteOf(results: readonly ChangeResult[], digest = 'digest'): string | undefined {
  const report = passReport({ applied: new Map(results.map((result) => [idKey(result.change.id), result])) });
  const before: StoredStatus = { sync: { status: 'Synced', digest } };
  const told = eventOf({ before, report, verdict: compose(before, report).verdict });
  return told && `${told.reason}: ${told.note.replace(/; main@.*$/, '')}`;
}

test('healed drift is told with object, field, both values and manager', () => {
  const replicas = { path: '/spec/replicas', live: 5, desired: 2, manager: 'kubectl' };
  assert.equal(
    noteOf([resultOf('configured', [replicas])]),
    'DriftCorrected: Deployment.apps shop/web: /spec/replicas 5 → 2 (kubectl)',
  );
  assert.equal(noteOf([resultOf('created', [])]), 'DriftCorrected: Deployment.apps shop/web: was missing');
  assert.match(noteOf([resultOf('configured', [replicas])], 'older') ?? '', /^Applied: 1 configured/);
});

test('the note about drift shows no masked or confidential value, and is bounded', () => {
  const secret = { path: '/data/password', live: '********', desired: '********', manager: 'kubectl-edit' };
  const env = { path: '/spec/template/spec/containers/0/env/0/value', live: 'hunter2', desired: 'x', manager: 'm' };
  const added = { path: '/metadata/labels/a', desired: 'b' };
  const note = noteOf([resultOf('configured', [secret, env, added])]) ?? '';
  assert.match(note, /\/data\/password changed \(kubectl-edit\)/);
  assert.match(note, /env\/0\/value changed \(m\), \/metadata\/labels\/a absent → b$/);
  assert.doesNotMatch(note, /hunter2/);
  const many = Array.from({ length: 40 }, (_, at) => resultOf('configured', [added], { ...WEB, name: `web-${at}` }));
  assert.match(noteOf(many) ?? '', /; 35 more$/);
});
