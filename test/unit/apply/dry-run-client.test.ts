import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dryRunClient } from '../../../src/apply/dry-run-client.ts';
import { sendChange } from '../../../src/apply/send.ts';
import {
  changeOf,
  desiredOf,
  found,
  idOf,
  kindOf,
  liveOf,
  managedBy,
  OWNER,
  refusedWith,
  written,
} from '../../support/changes.ts';
import { scriptClient } from '../../support/scripted-client.ts';

const LIVE = liveOf();

test('a dry run sends each apply and each deletion with dryRun, and reads as usual', async () => {
  const { client, expectRequests } = scriptClient([
    { get: found(LIVE) },
    { apply: written(LIVE) },
    { remove: { ok: true, outcome: 'gone' } },
  ]);
  const dry = dryRunClient(client);
  const { id, kind, body } = desiredOf();
  assert.deepEqual(await dry.get(kind, id), found(LIVE));
  assert.deepEqual(await dry.apply({ kind, body, force: true }), written(LIVE));
  const removed = await dry.remove({ kind, id, uid: 'u1', resourceVersion: '1' });
  assert.deepEqual(removed, { ok: true, outcome: 'gone' });
  expectRequests(['get settings', 'apply settings force dryRun', 'remove settings u1 at 1 dryRun']);
});

test('a dry run sends no take-over, no move of fields and no release, and answers with the object as it is', async () => {
  const { client, expectRequests } = scriptClient([]);
  const dry = dryRunClient(client);
  const kind = kindOf(idOf('settings'));
  const moved = await dry.moveGoneVersions(kind, LIVE, 'v1beta1');
  for (const answer of [await dry.takeOver(kind, LIVE), moved, await dry.release(kind, LIVE)]) {
    assert.deepEqual(answer, written(LIVE));
  }
  expectRequests([]);
});

test('a dry run of a recreation deletes nothing', async () => {
  const { client, expectRequests } = scriptClient([
    { apply: refusedWith('InvalidManifest', { status: 422 }) },
    { get: found(LIVE) },
    { isImmutable: true },
    { get: found(LIVE) },
    { remove: { ok: true, outcome: 'held' } },
  ]);
  const change = changeOf('update', { live: LIVE, policy: { mayRecreate: true } });
  const { outcome } = await sendChange(change, { client: dryRunClient(client), owner: OWNER });
  assert.equal(outcome, 'recreating');
  expectRequests([
    'apply settings force dryRun',
    'get settings',
    'isImmutable settings',
    'get settings',
    'remove settings u1 at 1 dryRun',
  ]);
});

test('a dry run of an adoption writes only by an apply with dryRun', async () => {
  const ofHelm = liveOf({ metadata: managedBy('helm') });
  const { client, expectRequests } = scriptClient([{ get: found(ofHelm) }, { apply: written(LIVE) }]);
  const { outcome } = await sendChange(changeOf('adopt'), { client: dryRunClient(client), owner: OWNER });
  assert.equal(outcome, 'adopted');
  expectRequests(['get settings', 'apply settings force dryRun']);
});
