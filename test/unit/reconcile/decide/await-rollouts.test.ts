/** Generated ConfigMaps and Secrets that left Git, and the workloads that use their successors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { awaitRollouts } from '../../../../src/reconcile/decide/await-rollouts.ts';
import { changeOf, idOf, leftChange, liveOf } from '../../../support/changes.ts';

const OLD = idOf('settings-h5dk2mgtf9');
const NEW = idOf('settings-tt6bfc2g4m');
const WEB = idOf('web', { group: 'apps', kind: 'Deployment' });

const ROLLED_OUT: ValueMap = { observedGeneration: 2, updatedReplicas: 1, replicas: 1, availableReplicas: 1 };
const ROLLING: ValueMap = { ...ROLLED_OUT, updatedReplicas: 0 };

const liveIn = (status: ValueMap, id: ObjectId = WEB): LiveObject =>
  liveOf({ id, metadata: { generation: 2 }, status });

interface WorkloadOptions {
  readonly id?: ObjectId;
  readonly type?: ChangeType;
  readonly live?: LiveObject;
  readonly pod?: ValueMap;
}

/** A change of a workload whose Pods use NEW. */
function workloadChange({ id = WEB, type = 'none', live, pod }: WorkloadOptions = {}): Change {
  const change = changeOf(type, { id, live: live ?? liveIn(ROLLING, id) });
  const spec = pod ?? { containers: [{ name: 'app', envFrom: [{ configMapRef: { name: NEW.name } }] }] };
  return {
    ...change,
    desired: { ...change.desired!, body: { ...change.desired!.body, spec: { template: { spec } } } },
  };
}

const successor = (id: ObjectId = NEW): Change => changeOf('none', { id, live: liveOf({ id }) });
const left = (id: ObjectId = OLD): Change => leftChange('prune', id);
const OLD_SECRET = idOf(OLD.name, { kind: 'Secret' });
const NEW_SECRET = idOf(NEW.name, { kind: 'Secret' });

const CASES: readonly (readonly [what: string, changes: readonly Change[], kept: readonly ObjectId[]])[] = [
  ['whose successor a workload takes that rolls out', [left(), successor(), workloadChange()], [OLD]],
  [
    'whose successor a workload takes that is about to be written',
    [left(), successor(), workloadChange({ type: 'unsure', live: liveIn(ROLLED_OUT) })],
    [OLD],
  ],
  [
    'whose successor is mounted by a StatefulSet of another API group',
    [
      left(),
      successor(),
      workloadChange({ id: { ...WEB, group: 'apps.example.com', kind: 'StatefulSet' }, type: 'update' }),
    ],
    [OLD],
  ],
  [
    'that is a Secret, in a projected volume',
    [
      left(OLD_SECRET),
      successor(NEW_SECRET),
      workloadChange({ pod: { volumes: [{ projected: { sources: [{ secret: { name: NEW.name } }] } }] } }),
    ],
    [OLD_SECRET],
  ],
  [
    'of two commits',
    [left(), left(idOf('settings-bcdfghkm22')), successor(), workloadChange()],
    [OLD, idOf('settings-bcdfghkm22')],
  ],
  ['whose workload is rolled out', [left(), successor(), workloadChange({ live: liveIn(ROLLED_OUT) })], []],
  ['without a successor', [left(), workloadChange()], []],
  ['whose successor no workload takes', [left(), successor(), workloadChange({ pod: { containers: [] } })], []],
  ['whose successor is of another kind', [left(OLD_SECRET), successor(), workloadChange()], []],
  [
    'whose successor is taken in another namespace',
    [left(), successor(), workloadChange({ id: { ...WEB, namespace: 'other' } })],
    [],
  ],
  [
    'that only a Job takes',
    [left(), successor(), workloadChange({ id: idOf('j', { group: 'batch', kind: 'Job' }) })],
    [],
  ],
  ['whose name has no content hash', [left(idOf('settings')), successor(), workloadChange()], []],
];
for (const [what, changes, kept] of CASES) {
  test(`a generated object ${what} is ${kept.length > 0 ? 'kept' : 'not kept'}`, () => {
    assert.deepEqual([...awaitRollouts(changes).keys()], kept.map(idKey));
  });
}

test('the reason names the workload', () => {
  const waits = awaitRollouts([left(), successor(), workloadChange()]);
  assert.equal(waits.get(idKey(OLD)), 'kept until Deployment.apps shop/web is rolled out');
});
