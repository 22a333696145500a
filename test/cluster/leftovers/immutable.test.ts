/**
 * A change that the API server refuses of the object as Git has it is immutable: the message holds the server's reason,
 * and only a manifest that allows it leads to a recreation.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendChange } from '../../../src/apply/send.ts';
import type { ChangeResult } from '../../../src/apply/applied.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { idOf } from '../../../src/object/identity.ts';
import { DEFAULT_POLICY } from '../../../src/object/policy.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import {
  configMap,
  job,
  objectOf,
  secret,
  service,
  volumeClaim,
  workload,
  type Manifest,
} from '../../support/objects.ts';
import { pathOf } from '../diff/api.ts';
import { found, kindOf, useCluster, written } from '../edge/edge-cluster.ts';

const { plane, cluster, client } = useCluster();
const OWNER = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' });
const MARKS = {
  labels: { [PART_OF_LABEL]: OWNER.applySetId },
  annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation },
};
const RBAC = 'rbac.authorization.k8s.io';

interface Fixed {
  readonly before: Manifest;
  readonly after: Manifest;
  /** The reason of the API server. */
  readonly reason: RegExp;
  /** A merge patch by a person, which leaves a value that the server refuses beside the one of Git. */
  readonly hand?: Manifest;
  /** Whether it is never deleted to be created again. */
  readonly isKept?: boolean;
}

const claims = (storage: string): Manifest[] => [
  { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } },
];
const statefulSet = (spec: Manifest): Manifest => workload('StatefulSet', 'x', { spec: { serviceName: 'x', ...spec } });
const binding = (name: string): Manifest =>
  objectOf(`${RBAC}/v1 RoleBinding`, { name: 'x' }, { roleRef: { apiGroup: RBAC, kind: 'Role', name } });
const frozen = (k: string): Manifest => ({ ...configMap('x', { k }), immutable: true });
const probed = (app: string): Manifest => {
  const labels = { app };
  const spec = {
    containers: [{ name: 'app', image: 'example.invalid/app:1', livenessProbe: { httpGet: { port: 1 } } }],
  };
  return workload('Deployment', 'x', {
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
};

const CASES: Readonly<Record<string, Fixed>> = {
  'the selector of a Deployment': {
    before: workload('Deployment', 'x'),
    after: workload('Deployment', 'x', {
      template: { labels: { app: 'y' } },
      spec: { selector: { matchLabels: { app: 'y' } } },
    }),
    reason: /spec\.selector: invalid value: field is immutable/,
  },
  'the selector of a Deployment with a probe by a person': {
    before: probed('x'),
    after: probed('y'),
    hand: {
      spec: {
        template: {
          spec: {
            containers: [{ name: 'app', image: 'example.invalid/app:1', livenessProbe: { tcpSocket: { port: 1 } } }],
          },
        },
      },
    },
    reason: /: spec\.selector: invalid value: field is immutable; delete/,
  },
  'the template of a Job': {
    before: job('x'),
    after: job('x', { pod: { dnsPolicy: 'Default' } }),
    reason: /spec\.template: invalid value: field is immutable/,
  },
  'the service of a StatefulSet': {
    before: statefulSet({}),
    after: statefulSet({ serviceName: 'y' }),
    reason: /updates to statefulset spec for fields other than .*--cascade=orphan/,
  },
  'the claim template of a StatefulSet': {
    before: statefulSet({ volumeClaimTemplates: claims('2Gi') }),
    after: statefulSet({ volumeClaimTemplates: claims('1Gi') }),
    reason: /updates to statefulset spec for fields other than/,
  },
  'the role of a RoleBinding': { before: binding('a'), after: binding('b'), reason: /cannot change roleRef/ },
  'the data of an immutable ConfigMap': {
    before: frozen('1'),
    after: frozen('2'),
    reason: /data: Forbidden: field is immutable/,
  },
  'the type of a Secret': {
    before: secret('x', { type: 'Opaque' }),
    after: secret('x', { type: 'example.com/other' }),
    reason: /type: invalid value/,
  },
  'the address of a Service that becomes headless': {
    before: service('x', { ports: [{ port: 80 }] }),
    after: service('x', { ports: [{ port: 80 }], clusterIP: 'None' }),
    reason: /spec\.clusterIPs?\[0\]: .*may not change once set/,
  },
  'the address of a Service with a port by a person': {
    before: service('x', { ports: [{ name: 'http', port: 80 }] }),
    after: service('x', { ports: [{ name: 'http', port: 80 }], clusterIP: 'None' }),
    hand: { spec: { ports: [{ name: 'http', port: 81 }] } },
    reason: /spec\.clusterIPs?\[0\]: .*may not change once set/,
  },
  'the size of a claim': {
    before: volumeClaim('x', { resources: { requests: { storage: '2Gi' } } }),
    after: volumeClaim('x', { resources: { requests: { storage: '1Gi' } } }),
    reason: /spec.*: (field can not be less than|.*immutable after creation except)/,
    isKept: true,
  },
  'the access modes of a claim': {
    before: volumeClaim('x'),
    after: volumeClaim('x', { accessModes: ['ReadWriteMany'] }),
    reason: /immutable after creation except resources\.requests/,
    isKept: true,
  },
  'the source of a volume': {
    before: volume({ hostPath: { path: '/a' } }),
    after: volume({ nfs: { server: 's', path: '/a' } }),
    reason: /spec\.persistentvolumesource: .*immutable after creation/,
    isKept: true,
  },
  'the value of a PriorityClass': {
    before: objectOf('scheduling.k8s.io/v1 PriorityClass', { name: 'x' }, { value: 1 }),
    after: objectOf('scheduling.k8s.io/v1 PriorityClass', { name: 'x' }, { value: 2 }),
    reason: /value: Forbidden: may not be changed in an update/,
  },
  'the parameters of a StorageClass': {
    before: objectOf(
      'storage.k8s.io/v1 StorageClass',
      { name: 'x' },
      { provisioner: 'p.example', parameters: { a: '1' } },
    ),
    after: objectOf(
      'storage.k8s.io/v1 StorageClass',
      { name: 'x' },
      { provisioner: 'p.example', parameters: { a: '2' } },
    ),
    reason: /parameters: invalid value: field is immutable/,
  },
};

function volume(source: Manifest): Manifest {
  const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...source };
  return objectOf('v1 PersistentVolume', { name: 'x' }, { spec });
}

for (const [name, fixed] of Object.entries(CASES)) {
  test(`${name} is told with the reason of the API server`, async () => {
    const { outcome, refusal } = await change(fixed, false);
    assert.equal(outcome, 'failed');
    assert.equal(refusal?.code, 'Immutable', refusal?.message);
    assert.match(refusal.message, /cannot be changed in place/);
    assert.match(refusal.message, fixed.reason);
    if (fixed.isKept) assert.doesNotMatch(refusal.message, /delete|recreate/);
  });

  test(`${name} leads to a recreation only where the manifest and the kind allow it`, async () => {
    const { outcome, refusal } = await change(fixed, true);
    assert.equal(outcome, fixed.isKept ? 'failed' : 'recreating', refusal?.message);
    if (fixed.isKept) assert.match(refusal?.message ?? '', /is never deleted to be created again/);
  });
}

async function change({ before, after, hand }: Fixed, mayRecreate: boolean): Promise<ChangeResult> {
  const base = marked(before);
  const id = idOf(base);
  const kind = await kindOf(cluster, base.apiVersion, base.kind);
  const at = { ...id, namespace: kind.isNamespaced ? 'default' : '' };
  await using _ = { [Symbol.asyncDispose]: () => remove(pathOf(kind, at)) };
  written(await client.apply({ kind, body: base, force: true }));
  if (hand) {
    const { code } = await plane.request('PATCH', `${pathOf(kind, at)}?fieldManager=kubectl-edit`, hand);
    assert.equal(code, 200);
  }
  const live = found(await client.get(kind, at));
  const body = marked(after);
  const policy = { ...DEFAULT_POLICY, mayRecreate };
  const desired = { id: at, kind, body, digest: digestValue(body), file: 'x.yaml', line: 1, policy };
  return await sendChange({ type: 'update', id: at, kind, desired, live, fields: [] }, { client, owner: OWNER });
}

/** Protections of volumes and claims are finalizers that no controller removes here. */
async function remove(path: string): Promise<void> {
  await plane.request('PATCH', path, { metadata: { finalizers: null } });
  await plane.request('DELETE', path, { propagationPolicy: 'Background' });
  await plane.request('PATCH', path, { metadata: { finalizers: null } });
}

function marked(manifest: Manifest): KubeObject {
  const object = JSON.parse(JSON.stringify(manifest)) as KubeObject;
  const isNamespaced = !['PersistentVolume', 'PriorityClass', 'StorageClass'].includes(object.kind);
  return { ...object, metadata: { ...object.metadata, ...MARKS, ...(isNamespaced ? { namespace: 'default' } : {}) } };
}
