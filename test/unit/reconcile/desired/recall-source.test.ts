/** The source that an Application had in an earlier process, as status and disk tell it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceError } from '../../../../src/object/source-error.ts';
import { knownFromStatus, knownOfOther, recallSnapshot } from '../../../../src/reconcile/desired/recall-source.ts';
import { applicationOf, snapshotOf } from '../../../support/applications.ts';

const [older, newer] = [snapshotOf('a'), snapshotOf('b')];
const entry = { startedAt: '2026-01-01T00:00:00Z', outcome: 'Succeeded' };
const status = (revision: string) => ({
  sync: { status: 'Synced', revision },
  history: [newer, older].map((snapshot) => ({ ...entry, revision: snapshot.revision })),
});

const REVISIONS: readonly (readonly [string | undefined, string, boolean])[] = [
  [undefined, newer.revision, true],
  ['HEAD', newer.revision, true],
  ['main', newer.revision, true],
  ['next', newer.revision, false],
  ['refs/heads/main', newer.revision, false],
  ['refs/heads/main', `refs/heads/main@sha1:${newer.commit}`, true],
  [newer.commit, `sha1:${newer.commit}`, true],
  [older.commit, `sha1:${newer.commit}`, false],
  ['main', `sha1:${newer.commit}`, false],
  [undefined, `sha1:${newer.commit}`, false],
  [undefined, 'main', false],
];
for (const [wanted, revision, isKnown] of REVISIONS) {
  test(`the revision ${revision.slice(0, 30)} in status ${isKnown ? 'is' : 'is not'} that of ${wanted}`, () => {
    const spec = wanted === undefined ? {} : { source: { revision: wanted } };
    const known = knownFromStatus(applicationOf({ spec, status: status(revision) }));
    assert.equal(known?.resolved.revision, isKnown ? revision : undefined);
    if (isKnown) assert.deepEqual(known?.seen, [older.commit, newer.commit]);
  });
}

test('status without a revision tells nothing', () => {
  assert.equal(knownFromStatus(applicationOf()), undefined);
});

test('another source is known by its name in status, and one of several revisions of an address by its spec', () => {
  const [older, newer, tagged] = [snapshotOf('a'), snapshotOf('b'), `v1@sha1:${'c'.repeat(40)}`];
  const address = 'https://git.example.com/base.git';
  const sources = [
    { name: 'values', revision: newer.revision },
    { name: address, revision: tagged },
    { name: address, revision: older.revision },
  ];
  const history = [{ ...entry, revision: newer.revision, sources: [{ name: 'values', revision: older.revision }] }];
  const application = applicationOf({ status: { sync: { status: 'Synced', sources }, history } });
  const known = (name: string, revision: string) =>
    knownOfOther(application, name, { ...application.spec.source, revision });
  assert.deepEqual(known('values', 'main')?.seen, [older.commit, newer.commit]);
  assert.equal(known('values', 'next'), undefined);
  assert.equal(known('other', 'main'), undefined);
  assert.equal(known(address, 'v1')?.resolved.revision, tagged);
  assert.equal(known(address, 'main')?.resolved.revision, older.revision);
});

function recall(options: { secretRef?: { name: string }; credential: () => Promise<undefined> }) {
  const { spec } = applicationOf({ spec: { source: options.secretRef ? { secretRef: options.secretRef } : {} } });
  const source = { recall: async () => newer } as never;
  const readers = { credential: options.credential, verification: async () => undefined };
  return recallSnapshot({ spec: spec.source, ...readers, context: { source } }, newer);
}

test('a snapshot that was fetched without a credential is recalled while the Secret cannot be read', async () => {
  const missing = async () => Promise.reject(sourceError('SecretNotFound', 'missing'));
  assert.equal(await recall({ credential: async () => undefined }), newer);
  assert.equal(await recall({ secretRef: { name: 'git' }, credential: missing }), newer);
});

test('a defect is not taken for a snapshot that is missing', async () => {
  await assert.rejects(recall({ credential: () => Promise.reject(new TypeError('defect')) }), TypeError);
});
