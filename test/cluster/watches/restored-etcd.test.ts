/** Watches after etcd was restored from a backup. */
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { NAMESPACE, useScene } from './scene.ts';
import { untilTrue } from '../../support/world.ts';

const scene = useScene();

async function whileStopped(doThat: () => Promise<void>): Promise<void> {
  await scene.plane.kill('kube-apiserver', 'SIGKILL');
  await scene.plane.kill('etcd', 'SIGKILL');
  await doThat();
  await scene.plane.restart('etcd');
  await scene.plane.restart('kube-apiserver');
}

/** Makes three objects and a backup, changes them afterwards, and restores the backup, which loses the changes. */
async function loseTheFuture(round: string, whileAway = (): void => {}): Promise<void> {
  const { etcdData } = scene;
  const backup = `${etcdData}-backup-${round}`;
  for (const name of ['same', 'changed', 'deleted']) await scene.create(`${name}-${round}`);
  await scene.keepWatched(NAMESPACE);
  await whileStopped(() => cp(etcdData, backup, { recursive: true }));
  await scene.change(`changed-${round}`, '1');
  await scene.remove(`deleted-${round}`);
  await scene.create(`lost-${round}`);
  for (let n = 0; n < 50; n++) await scene.change(`changed-${round}`, String(n + 2));
  await untilTrue(() => scene.valueOf(`changed-${round}`) === '51', 'the changes are seen');
  await untilTrue(() => scene.look(`deleted-${round}`).state !== 'present', 'the deletion is seen');
  scene.changes.splice(0);
  await whileStopped(async () => {
    whileAway();
    await rm(etcdData, { recursive: true });
    await cp(backup, etcdData, { recursive: true });
  });
}

async function expectThePast(round: string): Promise<void> {
  await untilTrue(() => scene.valueOf(`changed-${round}`) === '0', 'the old value is seen, of an older version');
  assert.equal(scene.look(`same-${round}`).state, 'present');
  assert.equal(scene.valueOf(`deleted-${round}`), '0');
  assert.equal(scene.look(`lost-${round}`).state, 'unseen');
  assert.ok(scene.changes.includes(`deleted ConfigMap ${NAMESPACE}/lost-${round}`));
  assert.ok(scene.changes.includes(`modified ConfigMap ${NAMESPACE}/changed-${round}`));
  assert.ok(scene.changes.includes(`added ConfigMap ${NAMESPACE}/deleted-${round}`));
  await scene.change(`changed-${round}`, 'after');
  await untilTrue(() => scene.valueOf(`changed-${round}`) === 'after', 'the watch reports later changes');
}

test('an etcd restored from a backup is noticed, although a watch at a lost revision would stay open and silent', async () => {
  await loseTheFuture('a');
  await expectThePast('a');
});

test('a restored etcd is noticed also when it has written more revisions since than were lost', async () => {
  const rule = { path: /configmaps/, fault: { type: 'answer', status: 503 } } as const;
  await loseTheFuture('b', () => void scene.proxy.rules.push(rule));
  for (let n = 0; n < 100; n++) await scene.change('same-b', String(n));
  scene.proxy.rules.splice(0);
  await expectThePast('b');
  await untilTrue(() => scene.valueOf('same-b') === '99', 'the new present is seen');
});
