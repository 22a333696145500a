/** Whether what a plan adds has room in the stored Application, and the number that the refusal names. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MAX_STORED_BYTES, storedBytes } from '../../../../src/application/room.ts';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { STATUS_LIMITS } from '../../../../src/application/status-schema.ts';
import { ownerOf } from '../../../../src/object/applyset.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import type { KubeObject, Value, ValueMap } from '../../../../src/object/value.ts';
import type { Plan } from '../../../../src/plan/plan.ts';
import { emptyEndedJobsMemory, emptyInventoryMemory } from '../../../../src/reconcile/decide/memory.ts';
import { findExcess, type Recording } from '../../../../src/reconcile/decide/room.ts';
import { applicationOf, inventoryOf, storedOf } from '../../../support/applications.ts';

interface Situation {
  readonly added?: readonly ObjectId[];
  readonly inventory?: readonly ObjectId[];
  readonly metadata?: ValueMap;
  /** Records of earlier Jobs. */
  readonly ended?: readonly string[];
}

/** The message of the refusal; undefined: there is room. */
function refusalOf({ added = [], inventory = [], metadata = {}, ended = [] }: Situation): string | undefined {
  const base: KubeObject = storedOf({ metadata });
  const recording: Recording = {
    application: applicationOf(),
    base,
    owner: ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' }),
    settings: { version: '0.1.0' },
    memory: {
      inventory: emptyInventoryMemory(),
      endedJobs: { ...emptyEndedJobsMemory(), ended: new Map(ended.map((key) => [key, 'x'])) },
    },
  };
  const changes = added.map((id) => ({ change: { type: 'create', id, kind: undefined, fields: [] }, requires: [] }));
  const plan = { waves: [{ name: '', changes }] } as unknown as Plan;
  const question = { plan, inventory: inventoryOf(...inventory), isCompleted: false, revision: 'main@sha1:a' };
  return findExcess(recording, question)?.message;
}

/** Characters that cannot be compressed, the same ones for the same number. */
function nameOf(index: number, chars: number): string {
  const bytes = createHash('shake256', { outputLength: chars }).update(String(index)).digest();
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

type MakeId = (index: number) => ObjectId;

const long: MakeId = (index) => ({ group: '', kind: 'ConfigMap', namespace: 'shop', name: nameOf(index, 253) });
const short: MakeId = (index) => ({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: nameOf(index, 12) });
const wide: MakeId = (index) => ({ group: '', kind: 'ConfigMap', namespace: nameOf(index, 60), name: 'c' });
const jobs: MakeId = (index) => ({ group: 'batch', kind: 'Job', namespace: 'shop', name: `job-${index}` });

const idsOf = (make: MakeId, count: number): ObjectId[] => Array.from({ length: count }, (_, index) => make(index));

for (const [what, make, count] of [
  ['objects with long names', long, 9_000],
  ['namespaces', wide, 6_000],
] as const) {
  test(`as many ${what} fit as the refusal of more says, and not many more`, () => {
    const message = refusalOf({ added: idsOf(make, count) }) ?? '';
    const fits = Number(/about (\d+) such \w+ fit/.exec(message)?.[1]);
    assert.ok(fits > 0, message);
    assert.equal(refusalOf({ added: idsOf(make, fits) }), undefined);
    assert.notEqual(refusalOf({ added: idsOf(make, Math.ceil(fits * 1.1)) }), undefined);
  });
}

test('thousands of objects with usual names have room', () => {
  assert.equal(refusalOf({ added: idsOf(short, 20_000) }), undefined);
});

test('a plan that adds no object is never refused, however large the inventory is', () => {
  const inventory = idsOf(long, 9_000);
  assert.equal(refusalOf({ inventory, added: inventory.slice(0, 10) }), undefined);
  assert.match(refusalOf({ inventory, added: idsOf(short, 1) }) ?? '', /9001 objects \(9000 of them applied before\)/);
});

test('annotations and field managers of other clients take room from an Application', () => {
  const annotations = { 'example.com/large': 'x'.repeat(255 * 1024) };
  assert.match(refusalOf({ added: idsOf(wide, 100), metadata: { annotations } }) ?? '', /100 other namespaces/);
  const managedFields: Value = [{ manager: 'x'.repeat(1_000 * 1024) }];
  const added = idsOf(long, 2_000);
  assert.equal(refusalOf({ added }), undefined);
  assert.match(refusalOf({ added, metadata: { managedFields } }) ?? '', /2000 objects take/);
});

test('every Job gets a record, and more Jobs than there are records are refused', () => {
  const { maxFinished } = STATUS_LIMITS;
  assert.equal(refusalOf({ added: idsOf(jobs, maxFinished) }), undefined);
  assert.match(
    refusalOf({ added: idsOf(jobs, maxFinished), ended: ['batch/Job/shop/earlier'] }) ?? '',
    /5001 Jobs and bare Pods, and 5000 of them fit/,
  );
});

test('an inventory that has room leaves enough for everything else that a status tells', () => {
  const message = refusalOf({ added: idsOf(long, 9_000) }) ?? '';
  const fits = Number(/about (\d+) such/.exec(message)?.[1]);
  const inventory = storedBytes(encodeInventory(idsOf(long, fits)) as Value);
  assert.ok(inventory + 250 * 1024 < MAX_STORED_BYTES, String(inventory));
});
