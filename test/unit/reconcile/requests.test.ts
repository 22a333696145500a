import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '../../../src/application/parse.ts';
import type { Application } from '../../../src/application/schema.ts';
import { forRevision, readAsked } from '../../../src/reconcile/requests.ts';

function applicationAt(revision: string): Application {
  const request = JSON.stringify({ id: 'one', action: 'confirm-prune' });
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop', annotations: { 'tautline.dev/request': request } },
    spec: { source: { repoURL: 'https://git.example.com/shop.git' } },
    status: { sync: { status: 'OutOfSync', revision } },
  });
  assert.ok(parsed.ok);
  return parsed.application;
}

test('a confirmation holds for the revision that the status showed', () => {
  const application = applicationAt('main@sha1:1');
  const heard = forRevision(readAsked(application), application, 'main@sha1:1');
  assert.equal(heard.confirmsPrune, true);
  assert.equal(heard.request?.refusal, undefined);
});

test('where Git has moved on, a confirmation is refused for good', () => {
  const application = applicationAt('main@sha1:1');
  const heard = forRevision(readAsked(application), application, 'main@sha1:2');
  assert.equal(heard.confirmsPrune, false);
  assert.match(heard.request?.refusal ?? '', /main@sha1:2/);
});
