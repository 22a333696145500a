/** Kubernetes Events: complete, within the bounds of the API, and with unique names. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { kubernetesEvent } from '../../../src/notify/kubernetes-event.ts';
import type { PassEvent } from '../../../src/status/event.ts';

const EVENT: PassEvent = { type: 'Normal', reason: 'Applied', action: 'Apply', note: '1 created' };
const CONTEXT = { instance: 'tautline-0', nowMs: Date.UTC(2030, 0, 2, 3, 4, 5, 678) };

function about(name: string) {
  const metadata = { namespace: 'apps', name, uid: 'u1', resourceVersion: '7' };
  return { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata };
}

test('an event regards the Application in the version that was read', () => {
  const { metadata, ...event } = kubernetesEvent(EVENT, about('shop'), CONTEXT);
  assert.match(String(metadata['name']), /^shop\.[0-9a-f-]{13}$/);
  assert.deepEqual(event, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2030-01-02T03:04:05.678000Z',
    type: 'Normal',
    reason: 'Applied',
    action: 'Apply',
    note: '1 created',
    reportingController: 'tautline.dev/agent',
    reportingInstance: 'tautline-0',
    regarding: { ...about('shop').metadata, apiVersion: 'tautline.dev/v1alpha1', kind: 'Application' },
  });
});

test('two events at the same time have different names', () => {
  const names = [1, 2].map(() => kubernetesEvent(EVENT, about('shop'), CONTEXT).metadata['name']);
  assert.notEqual(names[0], names[1]);
});

test('the longest name and instance are cut to the bounds', () => {
  const event = kubernetesEvent(EVENT, about('n'.repeat(253)), { ...CONTEXT, instance: 'i'.repeat(300) });
  assert.ok(String(event.metadata['name']).length <= 253);
  assert.equal(String(event['reportingInstance']).length, 128);
});

test('an empty instance is reported as tautline', () => {
  assert.equal(kubernetesEvent(EVENT, about('shop'), { ...CONTEXT, instance: '' })['reportingInstance'], 'tautline');
});

test('a name that is cut after a dot stays a valid name', () => {
  const name = `${'n'.repeat(199)}.${'m'.repeat(50)}`;
  assert.match(
    String(kubernetesEvent(EVENT, about(name), CONTEXT).metadata['name']),
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  );
});
