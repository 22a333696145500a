import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import type { ApplicationAnswer, ApplicationClient } from '../../../../src/cluster/ports.ts';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import {
  createDestination,
  markParent,
  type Marking,
  type Placing,
} from '../../../../src/reconcile/effect/prepare-place.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { StatusConflict } from '../../../../src/reconcile/pass.ts';
import { applicationOf, storedOf } from '../../../support/applications.ts';
import { ABSENT, desiredOf, found, idOf, liveOf, OWNER, refusedWith, written } from '../../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../../support/scripted-client.ts';

const IDS: readonly ObjectId[] = [
  idOf('b', { namespace: 'shop' }),
  idOf('a', { namespace: 'apps' }),
  idOf('web', { group: 'apps', kind: 'Deployment', namespace: 'shop' }),
  idOf('api', { group: 'apps', kind: 'Deployment', namespace: 'back' }),
  idOf('shop', { kind: 'Namespace', namespace: '' }),
];

const MARKS: ValueMap = {
  finalizers: ['finalizers.tautline.dev/prune'],
  labels: { 'applyset.kubernetes.io/id': OWNER.applySetId },
  annotations: {
    'applyset.kubernetes.io/tooling': 'tautline/1.2.3',
    'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Deployment.apps,Namespace',
    'applyset.kubernetes.io/additional-namespaces': 'back,shop',
  },
};

/** Marks `apps/shop` as the parent of the objects, and returns the metadata that was sent, if any. */
async function mark(stored: KubeObject, ids: readonly ObjectId[] = IDS, answer?: ApplicationAnswer) {
  const sent: unknown[] = [];
  const applyMetadata: ApplicationClient['applyMetadata'] = async (application, metadata) => {
    sent.push(metadata);
    return (
      answer ?? { ok: true, object: { ...application, metadata: { ...application.metadata, resourceVersion: '2' } } }
    );
  };
  // Another client has changed the spec meanwhile.
  const read: ApplicationClient['read'] = async (application) => ({
    ok: true,
    object: { ...application, metadata: { ...application.metadata, generation: 99 } },
  });
  const pass: Marking = {
    application: applicationOf(),
    owner: OWNER,
    base: stored,
    record: { stored },
    context: { hub: { applications: { applyMetadata, read } }, settings: { version: '1.2.3' } },
  };
  await markParent(pass, ids);
  return { sent, pass };
}

test('finalizer, ApplySet id, kinds and namespaces are written on the Application', async () => {
  const { sent, pass } = await mark(storedOf());
  assert.deepEqual(sent, [MARKS]);
  assert.equal(pass.base.metadata['resourceVersion'], '2');
  assert.equal(pass.record.stored, pass.base);
});

test('the marks of an Application without objects name no kind and no namespace', async () => {
  const { sent } = await mark(storedOf(), []);
  const { annotations } = sent[0] as { annotations: Record<string, string> };
  assert.equal(annotations['applyset.kubernetes.io/contains-group-kinds'], '');
  assert.equal(annotations['applyset.kubernetes.io/additional-namespaces'], '');
});

test('marks that are stored already are not written again, whatever else the metadata holds', async () => {
  const more = {
    labels: { ...(MARKS['labels'] as ValueMap), team: 'a' },
    finalizers: ['x', 'finalizers.tautline.dev/prune'],
  };
  assert.deepEqual((await mark(storedOf({ metadata: { ...MARKS, ...more } }))).sent, []);
});

for (const missing of Object.keys(MARKS)) {
  test(`marks are written again where ${missing} are not as they should be`, async () => {
    const { sent } = await mark(storedOf({ metadata: { ...MARKS, [missing]: missing === 'finalizers' ? ['x'] : {} } }));
    assert.deepEqual(sent, [MARKS]);
  });
}

for (const annotation of Object.keys(MARKS['annotations'] as ValueMap)) {
  test(`marks are written again where the annotation ${annotation} is of other objects`, async () => {
    const annotations = { ...(MARKS['annotations'] as ValueMap), [annotation]: 'Secret' };
    assert.deepEqual((await mark(storedOf({ metadata: { ...MARKS, annotations } }))).sent, [MARKS]);
  });
}

test('a newer stored form is not replaced by the answer', async () => {
  const newer = storedOf({ metadata: { resourceVersion: '3' } });
  const pass = (await mark(newer)).pass;
  assert.equal(pass.base.metadata['resourceVersion'], '2');
  assert.equal(pass.record.stored, newer);
});

test('a conflict ends the pass, and any other refusal names the Application', async () => {
  for (const code of ['Modified', 'NotFound'] as const) {
    await assert.rejects(mark(storedOf(), IDS, refusedWith(code)), StatusConflict);
  }
  await assert.rejects(mark(storedOf(), IDS, refusedWith('Forbidden', { retry: 'backoff' })), (error) => {
    assert.ok(error instanceof StageError);
    assert.deepEqual([error.stage, error.code, error.retry], ['status', 'Forbidden', 'backoff']);
    assert.match(error.message, /^the Application itself could not be written: the server answered Forbidden$/);
    return true;
  });
});

const NAMESPACE = idOf('shop', { kind: 'Namespace', namespace: '' });
const CREATING = applicationOf({ spec: { destination: { namespace: 'shop', createNamespace: true } } });

interface Destination {
  readonly application?: Placing['application'];
  readonly identity?: Placing['identity'];
  readonly allowCrossNamespace?: boolean;
  readonly desired?: readonly DesiredObject[];
  readonly isNamespaceKnown?: boolean;
}

/** Creates the destination of `apps/shop`, and tells whether the namespace is known then. */
async function create(script: readonly ScriptedAnswer[], requests: readonly string[], options: Destination = {}) {
  const { application = CREATING, identity = agentIdentity, allowCrossNamespace = true, desired = [] } = options;
  const { client, expectRequests } = scriptClient(script);
  const { place } = emptyMemory();
  place.isNamespaceKnown = options.isNamespaceKnown ?? false;
  const context = { settings: { allowCrossNamespace } };
  await createDestination(
    { application, identity, memory: { place }, target: { as: () => client }, context },
    { objects: desired },
  ).finally(() => expectRequests(requests));
  return place.isNamespaceKnown;
}

test('a namespace that is missing is created, and then known', async () => {
  const live = liveOf({ id: NAMESPACE });
  assert.equal(
    await create([{ get: ABSENT }, { apply: written(live, true) }], ['get shop', 'apply shop as tautline-namespace']),
    true,
  );
  assert.equal(await create([{ get: found(live) }], ['get shop']), true);
});

const UNNEEDED: readonly (readonly [string, Destination])[] = [
  ['the spec does not ask for it', { application: applicationOf({ spec: { destination: { namespace: 'shop' } } }) }],
  ['the spec names none', { application: applicationOf({ spec: { destination: { createNamespace: true } } }) }],
  ['it is known to exist', { isNamespaceKnown: true }],
  ['the manifests contain it', { desired: [desiredOf({ id: NAMESPACE })] }],
];
for (const [why, options] of UNNEEDED) {
  test(`a namespace is not looked for where ${why}`, async () => {
    assert.equal(await create([], [], options), options.isNamespaceKnown ?? false);
  });
}

test('manifests of other objects do not stand in for the namespace', async () => {
  const desired = [
    { ...NAMESPACE, name: 'other' },
    { ...NAMESPACE, group: 'example.com' },
    { ...NAMESPACE, kind: 'Role' },
  ].map((id) => desiredOf({ id }));
  assert.equal(await create([{ get: found(liveOf({ id: NAMESPACE })) }], ['get shop'], { desired }), true);
});

test('a namespace that is out of reach is not created', async () => {
  const options = { allowCrossNamespace: false };
  await assert.rejects(create([], [], options), (error) => {
    assert.ok(error instanceof StageError);
    assert.deepEqual([error.stage, error.code, error.retry], ['apply', 'NamespaceNotAllowed', 'never']);
    assert.match(error.message, /^namespace shop: it is outside the namespace of the Application/);
    return true;
  });
  const known = [{ get: found(liveOf({ id: NAMESPACE })) }];
  const identity = serviceAccountIdentity('apps', 'deployer');
  assert.equal(await create(known, ['get shop'], { ...options, identity }), true);
});

test('a namespace that cannot be created fails with the refusal, and is looked for again', async () => {
  const refusal = refusedWith('Forbidden', { retry: 'backoff' });
  await assert.rejects(create([{ get: refusal }], ['get shop']), (error) => {
    assert.ok(error instanceof StageError);
    assert.deepEqual([error.stage, error.code, error.retry], ['apply', 'Forbidden', 'backoff']);
    assert.equal(error.message, 'namespace shop: the server answered Forbidden');
    return true;
  });
});
