import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assessHealth } from '../../../../src/health/health.ts';
import { CATALOG, rulesOf } from '../../../../src/health/kinds/catalog.ts';
import { idOf } from '../../../../src/object/identity.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import { live } from '../live-object.ts';
import { casesOf } from './case.ts';
import { TABLE_1 } from './tables-1.ts';
import { TABLE_2 } from './tables-2.ts';
import { TABLE_3 } from './tables-3.ts';

const cases = [TABLE_1, TABLE_2, TABLE_3].flatMap(casesOf);

function kindOf({ id }: LiveObject): string {
  return `${id.group}/${id.kind}`;
}

test('custom resources have the health that their controllers document', () => {
  const wrong = cases.flatMap(({ title, object, expected }) => {
    const { status, message } = assessHealth(object);
    return status === expected ? [] : [`${title} is ${status} (${message})`];
  });
  assert.deepEqual(wrong, []);
});

test('the tables hold at least 600 objects of 150 kinds', () => {
  assert.ok(cases.length >= 600, String(cases.length));
  const kinds = new Set(cases.map(({ object }) => kindOf(object)));
  assert.ok(kinds.size >= 150, String(kinds.size));
});

test('every kind that can be Healthy only by a status has an object in the tables that is Healthy', () => {
  const healthy = new Set(cases.flatMap(({ object, expected }) => (expected === 'Healthy' ? [kindOf(object)] : [])));
  const never = new Set(cases.map(({ object }) => kindOf(object)).filter((kind) => !healthy.has(kind)));
  assert.deepEqual([...never], []);
});

test('an object that is not Healthy has a message that says why', () => {
  const silent = cases.filter(({ object }) => {
    const { status, message } = assessHealth(object);
    return status !== 'Healthy' && message === '';
  });
  assert.deepEqual(
    silent.map(({ title }) => title),
    [],
  );
});

test('an object whose controller has not seen its latest change is never Healthy', () => {
  for (const { title, object } of cases) {
    const status = object.body['status'] as ValueMap;
    const isText = object.id.kind === 'Rollout';
    const lagging = change(object, {
      metadata: { ...object.body.metadata, generation: 9 },
      status: { ...status, observedGeneration: isText ? '8' : 8 },
    });
    assert.notEqual(assessHealth(lagging).status, 'Healthy', title);
  }
});

test('an object that is being deleted is Progressing whatever its status says', () => {
  for (const { title, object } of cases) {
    const deleted = { ...object, deletionTimestamp: '2026-01-01T00:00:00Z' };
    assert.equal(assessHealth(deleted).status, 'Progressing', title);
  }
});

test('a condition whose reason and message are missing still has a message', () => {
  const object = live('cert-manager.io/v1', 'Issuer', { status: { conditions: [{ type: 'Ready', status: 'False' }] } });
  assert.deepEqual(assessHealth(object), { status: 'Degraded', message: 'Its condition Ready is False.' });
});

test('a message is that of the condition, or names the field with the message beside it', () => {
  const status = { conditions: [{ type: 'Ready', status: 'False', reason: 'NoKey', message: 'the key is missing' }] };
  assert.equal(assessHealth(live('cert-manager.io/v1', 'Issuer', { status })).message, 'NoKey: the key is missing');
  const backup = live('velero.io/v1', 'BackupStorageLocation', {
    status: { phase: 'Unavailable', message: 'no bucket' },
  });
  assert.equal(assessHealth(backup).message, 'status.phase is Unavailable: no bucket');
  const pooler = live('postgresql.cnpg.io/v1', 'Pooler', { spec: { instances: 3 }, status: { instances: 2 } });
  assert.equal(assessHealth(pooler).message, 'status.instances is 2 of 3');
  const silent = live('cert-manager.io/v1', 'Issuer', {});
  assert.equal(assessHealth(silent).message, 'Its controller has not reported that it is ready.');
});

test('the rules of a kind come before those of its group, and those of a longer pattern before those of a shorter one', () => {
  assert.equal(rulesOf({ group: 'pkg.crossplane.io', kind: 'Provider' })?.kind, 'Provider');
  assert.equal(rulesOf({ group: 'rds.aws.crossplane.io', kind: 'DBInstance' })?.group, '*.crossplane.io');
  assert.equal(rulesOf({ group: 'aws.upbound.io', kind: 'ProviderConfig' })?.kind, 'ProviderConfig');
  assert.equal(rulesOf({ group: 'upbound.io', kind: 'Thing' }), undefined);
  assert.equal(rulesOf({ group: '', kind: 'ConfigMap' }), undefined);
});

test('no kind has two sets of rules', () => {
  const keys = CATALOG.map(({ group, kind }) => `${group}/${kind}`);
  assert.equal(new Set(keys).size, keys.length);
});

test('every set of rules gives an answer for every status', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CATALOG), fc.object({ maxDepth: 3 }), ({ group, kind }, status) => {
      const body = {
        apiVersion: `${group.replace('*', 'a')}/v1`,
        kind,
        metadata: { name: 'web' },
        status: JSON.parse(JSON.stringify(status)) as ValueMap,
      };
      const object: LiveObject = { id: idOf(body), apiVersion: body.apiVersion, uid: 'u', resourceVersion: '1', body };
      const health = assessHealth(object);
      assert.ok(health.status === 'Healthy' || health.message !== '');
      assert.ok(health.message.length <= 300);
    }),
  );
});

function change(object: LiveObject, parts: Partial<KubeObject>): LiveObject {
  return { ...object, body: { ...object.body, ...parts } as KubeObject };
}
