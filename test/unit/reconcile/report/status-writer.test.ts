/** Conflicts of the agent's writes of an Application: which of them a pass survives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRUNE_FINALIZER, REQUEST_ANNOTATION } from '../../../../src/application/keys.ts';
import type { ApplicationAnswer } from '../../../../src/cluster/ports.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import type { ReconcileContext } from '../../../../src/reconcile/context.ts';
import { createRecord } from '../../../../src/reconcile/memory.ts';
import { isSameButMetadata, writeStatusValue, type Writer } from '../../../../src/reconcile/report/status-writer.ts';
import type { ApplicationStatus } from '../../../../src/application/status-schema.ts';

const STATUS = { observedGeneration: 1 };
const NEXT = { observedGeneration: 1, health: { status: 'Healthy' } } as ApplicationStatus;

function stored(version: number, metadata: ValueMap = {}, status: ValueMap = STATUS): KubeObject {
  const common = { namespace: 'apps', name: 'shop', uid: 'u', generation: 1, finalizers: [PRUNE_FINALIZER] };
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { ...common, resourceVersion: String(version), ...metadata },
    status,
  };
}

interface Tries {
  readonly writer: Writer;
  /** The resourceVersion of each write. */
  readonly versions: string[];
}

/** `meanwhile` is what another client has made of the Application before the nth write of the pass; none: nothing. */
function writing(meanwhile: (nth: number) => KubeObject | undefined): Tries {
  let now = stored(1);
  const versions: string[] = [];
  const modified: ApplicationAnswer = {
    ok: false,
    refusal: { code: 'Modified', status: 409, message: 'changed', retry: 'backoff' },
  };
  const applications = {
    read: (): Promise<ApplicationAnswer> => Promise.resolve({ ok: true, object: now }),
    putStatus(base: KubeObject, status: ValueMap): Promise<ApplicationAnswer> {
      versions.push(String(base.metadata['resourceVersion']));
      now = meanwhile(versions.length) ?? now;
      if (base.metadata['resourceVersion'] !== now.metadata['resourceVersion']) return Promise.resolve(modified);
      now = { ...now, status, metadata: { ...now.metadata, resourceVersion: '1000' } };
      return Promise.resolve({ ok: true, object: now });
    },
  };
  const context = { hub: { applications } } as unknown as ReconcileContext;
  return { writer: { record: createRecord('apps/shop', now), context, base: now }, versions };
}

test('a status is written although another client changed annotations since the pass began', async () => {
  const { writer, versions } = writing((nth) =>
    nth <= 3 ? stored(nth + 1, { annotations: { beat: String(nth) } }) : undefined,
  );
  await writeStatusValue(writer, NEXT);
  assert.deepEqual(versions, ['1', '2', '3', '4']);
  assert.deepEqual(writer.record.stored['status'], NEXT);
});

test('a status is not written over a version whose spec another client changed', async () => {
  const { writer, versions } = writing(() => stored(2, { generation: 2 }));
  await assert.rejects(writeStatusValue(writer, NEXT));
  assert.deepEqual(versions, ['1']);
});

test('a writer that is faster than every try ends the pass', async () => {
  const { writer, versions } = writing((nth) => stored(nth + 1));
  await assert.rejects(writeStatusValue(writer, NEXT));
  assert.equal(versions.length, 20);
});

const others: readonly (readonly [what: string, version: KubeObject, isSame: boolean])[] = [
  ['annotations', stored(2, { annotations: { a: 'b' } }), true],
  ['labels', stored(2, { labels: { a: 'b' } }), true],
  ['field managers', stored(2, { managedFields: [{ manager: 'x' }] }), true],
  ['a finalizer of its own', stored(2, { finalizers: ['other/one', PRUNE_FINALIZER] }), true],
  ['a request', stored(2, { annotations: { [REQUEST_ANNOTATION]: '{"id":"r","action":"refresh"}' } }), true],
  ['the spec', stored(2, { generation: 2 }), false],
  ['the status', stored(2, {}, { observedGeneration: 1, inventory: { objects: {} } }), false],
  ['the deletion', stored(2, { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  ['our finalizer', stored(2, { finalizers: [] }), false],
  ['the whole Application', stored(2, { uid: 'v' }), false],
];
for (const [what, version, isSame] of others) {
  test(`a pass ${isSame ? 'goes on' : 'starts over'} when another client changes ${what}`, () => {
    assert.equal(isSameButMetadata(stored(1), version), isSame);
  });
}
