/** Events of unwell objects: what is asked, how often, and what is never quoted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterClient, ListAnswer, Selection } from '../../../../src/cluster/ports.ts';
import type { Health } from '../../../../src/health/health.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { explainByEvents, type UnwellObject } from '../../../../src/reconcile/report/explain-by-events.ts';
import { desiredOf, idOf, liveOf, refusedWith } from '../../../support/changes.ts';
import { scriptPass } from '../../../support/pass.ts';
import { kindsOf } from '../../../support/reading.ts';

const EVENT: ObjectId = { group: '', kind: 'Event', namespace: 'shop', name: 'e' };
const CLAIM: ObjectId = { group: '', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data' };
const WAITING: Health = { status: 'Progressing', message: 'It is Pending.' };

function unwellOf(id: ObjectId, resourceVersion = '1'): UnwellObject {
  return { object: desiredOf({ id }), live: liveOf({ id, resourceVersion }), pods: [] };
}

function eventOf({ kind, name, namespace }: ObjectId): ListAnswer {
  const live = liveOf({ id: { ...EVENT, namespace } });
  const involvedObject = { kind, name, uid: 'u1' };
  return {
    ok: true,
    objects: [{ ...live, body: { ...live.body, involvedObject, reason: 'ProvisioningFailed', message: 'no class' } }],
  };
}

function scene(answer: (selection: Selection) => ListAnswer, kinds = kindsOf(EVENT)) {
  const selections: Selection[] = [];
  const client: Partial<ClusterClient> = {
    async listBySelector(_kind, selection) {
      selections.push(selection);
      return answer(selection);
    },
  };
  const { pass, clock } = scriptPass({ client });
  const explain = async (unwell: readonly UnwellObject[]): Promise<ReadonlyMap<string, Health>> => {
    const health = new Map(unwell.map(({ object }) => [idKey(object.id), WAITING]));
    await explainByEvents(pass, { kinds, unwell, health });
    return health;
  };
  return { explain, selections, clock };
}

const messageOf = (health: ReadonlyMap<string, Health>, id: ObjectId): string | undefined =>
  health.get(idKey(id))?.message;

test('nothing is asked while all objects are well', async () => {
  const { explain, selections } = scene(() => eventOf(CLAIM));
  await explain([]);
  assert.deepEqual(selections, []);
});

test('one list of warnings explains all unwell objects of a namespace', async () => {
  const { explain, selections } = scene(() => eventOf(CLAIM));
  const health = await explain([unwellOf(CLAIM), unwellOf(idOf('a'))]);
  assert.deepEqual(selections, [{ namespace: 'shop', fieldSelector: 'type=Warning', limit: 500 }]);
  assert.equal(messageOf(health, CLAIM), 'ProvisioningFailed: no class; It is Pending.');
  assert.equal(messageOf(health, idOf('a')), WAITING.message);
});

test('a namespace is asked again after a while, or once its objects have changed, and not at every pass', async () => {
  const { explain, selections, clock } = scene(() => eventOf(CLAIM));
  await explain([unwellOf(CLAIM)]);
  const again = await explain([unwellOf(CLAIM)]);
  assert.match(messageOf(again, CLAIM) ?? '', /^ProvisioningFailed/);
  await explain([unwellOf(CLAIM, '2')]);
  assert.equal(selections.length, 1, 'it was asked a moment ago');
  clock.nowMs += 6_000;
  await explain([unwellOf(CLAIM)]);
  assert.equal(selections.length, 1, 'nothing has changed');
  await explain([unwellOf(CLAIM, '2')]);
  assert.equal(selections.length, 2);
  clock.nowMs += 31_000;
  await explain([unwellOf(CLAIM, '2')]);
  assert.equal(selections.length, 3);
});

test('a pass asks for a few namespaces, and later passes for the others', async () => {
  const { explain, selections } = scene(() => ({ ok: true, objects: [] }));
  const unwell = Array.from({ length: 10 }, (_, n) => unwellOf({ ...CLAIM, namespace: `shop-${n}` }));
  for (const expected of [4, 8, 10, 10]) {
    await explain(unwell);
    assert.equal(selections.length, expected);
  }
});

test('where Events may not be listed, health is told without them, and is not asked for in every pass', async () => {
  const { explain, selections } = scene(() => refusedWith('Forbidden'));
  for (let pass = 0; pass < 3; pass++)
    assert.equal(messageOf(await explain([unwellOf(CLAIM)]), CLAIM), WAITING.message);
  assert.equal(selections.length, 1);
});

test('Events of Secrets, of sealed objects and of objects without a namespace are neither asked for nor quoted', async () => {
  const { explain, selections } = scene(() => eventOf(CLAIM));
  const sealed = unwellOf(CLAIM);
  await explain([
    unwellOf({ ...CLAIM, kind: 'Secret' }),
    { ...sealed, object: { ...sealed.object, isSealed: true } },
    unwellOf({ ...CLAIM, namespace: '' }),
  ]);
  assert.deepEqual(selections, []);
});
