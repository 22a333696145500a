/** The words and sentences for states, and what the page proposes to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationSummary } from '../../../src/server/api/schema.ts';
import {
  isUnwell,
  reasonOfObject,
  remedyOf,
  sentenceOf,
  severityOf,
  stateWordOf,
  toneOfObject,
  wordOfObject,
} from '../../../src/ui/logic/words.ts';

function summary(more: Partial<ApplicationSummary> = {}): ApplicationSummary {
  return {
    namespace: 'apps',
    name: 'shop',
    suspended: false,
    severity: 'ok',
    sync: { status: 'Synced' },
    health: { status: 'Healthy' },
    ready: { status: 'True', reason: 'Succeeded', message: '3 objects in sync' },
    ...more,
  };
}

const READY_FALSE = { status: 'False', reason: 'PruneHeld', message: '12 of 20 would go' } as const;

test('the state of an Application is its health where that is bad, and else the reason why it is not Ready', () => {
  assert.equal(stateWordOf(summary()), 'Healthy');
  assert.equal(stateWordOf(summary({ severity: 'error', health: { status: 'Degraded' } })), 'Degraded');
  assert.equal(stateWordOf(summary({ severity: 'warning', ready: READY_FALSE })), 'PruneHeld');
  assert.equal(stateWordOf(summary({ severity: 'warning', sync: { status: 'OutOfSync' } })), 'OutOfSync');
  assert.equal(stateWordOf(summary({ severity: 'suspended', suspended: true })), 'Suspended');
  assert.equal(stateWordOf(summary({ deleting: true })), 'Deleting');
  assert.equal(stateWordOf(summary({ severity: 'warning' })), 'Unknown');
});

test('the sentence of an Application with bad health names the object that is not well', () => {
  const health = { status: 'Degraded', message: 'Deployment web: ImagePullBackOff' } as const;
  assert.equal(sentenceOf(summary({ health, ready: READY_FALSE })), 'Deployment web: ImagePullBackOff');
  assert.equal(sentenceOf(summary({ ready: READY_FALSE })), '12 of 20 would go');
});

test('names and states alone have a severity, and no sentence', () => {
  const listed = { namespace: 'apps', name: 'shop', sync: 'Synced', health: 'Missing', ready: 'False' } as const;
  assert.equal(severityOf(listed), 'error');
  assert.equal(severityOf({ ...listed, health: 'Healthy', ready: 'True' }), 'ok');
  assert.equal(severityOf({ ...listed, health: 'Healthy', sync: 'OutOfSync' }), 'warning');
  assert.equal(sentenceOf(listed), '');
  assert.equal(remedyOf(listed), undefined);
});

test('each problem has one link to the view that shows its cause', () => {
  const query = (more: Partial<ApplicationSummary>): string | undefined => remedyOf(summary(more))?.query;
  assert.equal(query({}), undefined);
  assert.equal(query({ severity: 'warning', ready: READY_FALSE }), '?do=confirm-prune');
  assert.equal(query({ severity: 'warning', sync: { status: 'OutOfSync' } }), '?view=differences');
  assert.equal(query({ severity: 'error', health: { status: 'Degraded' } }), '?show=unwell');
  assert.equal(query({ severity: 'warning', health: { status: 'Unknown' } }), '?view=conditions');
});

test('the state of an object is the worse one of its sync and its health', () => {
  const health = { status: 'Progressing', message: '' } as const;
  assert.equal(wordOfObject({ sync: 'OutOfSync', health }), 'OutOfSync');
  assert.equal(toneOfObject({ sync: 'OutOfSync', health }), 'warning');
  assert.equal(wordOfObject({ sync: 'OutOfSync', health: { status: 'Missing', message: '' } }), 'Missing');
  assert.equal(wordOfObject({ sync: 'Synced', health }), 'Progressing');
  assert.equal(wordOfObject({ health: { status: 'Healthy', message: '' } }), 'Healthy');
  assert.equal(wordOfObject({ sync: 'OutOfSync', pruning: true, health }), 'Left Git');
  const degraded = { status: 'Degraded', message: 'crashes' } as const;
  assert.equal(reasonOfObject({ sync: 'OutOfSync', health: degraded, message: 'differs at /spec' }), 'crashes');
  assert.equal(reasonOfObject({ sync: 'OutOfSync', health, message: 'differs at /spec' }), 'differs at /spec');
  assert.equal(isUnwell({ sync: 'Synced', health: { status: 'Suspended', message: '' } }), false);
  assert.equal(isUnwell({ sync: 'Unknown', health: { status: 'Healthy', message: '' } }), true);
});
