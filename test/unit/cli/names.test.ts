/** Names on the command line, before any request: Applications, namespaces, objects and commits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceProblem, readApplicationName, readApplicationNames } from '../../../src/cli/application-name.ts';
import { confirmationOf, listHeld } from '../../../src/cli/confirm.ts';
import { nodeProblem } from '../../../src/cli/node-version.ts';
import { completeObject } from '../../../src/cli/object-name.ts';
import { validSpec } from '../application/spec-cases.ts';

test('an Application may be named as kubectl prints and takes it', () => {
  for (const form of ['shop', 'application/shop', 'applications/shop', 'tla/shop', 'application.tautline.dev/shop']) {
    assert.deepEqual(readApplicationName(form), { ok: true, name: 'shop' }, form);
  }
  assert.deepEqual(readApplicationNames(['shop', 'tla/shop', 'web']), { ok: true, names: ['shop', 'web'] });
});

test('a name that cannot be that of an Application gets a sentence', () => {
  for (const wrong of ['', 'Shop', 'deployment/shop', 'a/b/c', 'shop ', '../x', 'tla/', 'a'.repeat(300), '\u001b[2J']) {
    const read = readApplicationName(wrong);
    assert.ok(!read.ok && /Application/.test(read.problem), wrong);
    assert.doesNotMatch(read.problem, /\u001b/);
  }
  for (const wrong of ['Bad NS', '', 'a/b', 'a'.repeat(64)]) assert.match(namespaceProblem(wrong) ?? '', /namespace/);
  assert.equal(namespaceProblem('team-a'), undefined);
});

const application = {
  apiVersion: 'tautline.dev/v1alpha1',
  kind: 'Application',
  metadata: { namespace: 'apps', name: 'shop' },
  spec: validSpec(),
  status: {
    inventory: { objects: { 'apps/Deployment': { shop: 'web api', test: 'web' }, ConfigMap: { shop: 'settings' } } },
  },
};

test('an object may be named by kind and name if it is the only one', () => {
  const found = (text: string): string => {
    const result = completeObject(text, application);
    return result.ok ? result.object : result.problem;
  };
  assert.equal(found('deployment/api'), 'apps/Deployment/shop/api');
  assert.equal(found('Deployments.apps/api'), 'apps/Deployment/shop/api');
  assert.equal(found('configmap/settings'), '/ConfigMap/shop/settings');
  assert.equal(found('apps/Deployment/shop/other'), 'apps/Deployment/shop/other');
  assert.match(found('deployment/web'), /several objects \(Deployment\.apps shop\/web, Deployment\.apps test\/web\)/);
  assert.match(found('secret/settings'), /it has no object secret\/settings/);
  assert.match(found('web'), /must be Kind\/name/);
});

const HELD = { digest: 'd'.repeat(43), objects: 3, revision: `main@sha1:${'a'.repeat(40)}` };

test('the objects of a held prune are listed by name, with the number of those that status does not name', () => {
  const resources = ['a', 'b'].map((name) => ({
    ...{ group: '', kind: 'ConfigMap', namespace: 'shop', name, sync: 'OutOfSync', health: 'Healthy' },
    message: 'left Git; waits for a confirmation',
  })) as Parameters<typeof listHeld>[0]['resources'];
  assert.equal(
    listHeld({ ...(resources ? { resources } : {}) }, HELD),
    `At ${HELD.revision} these objects left Git, and would be deleted:\n` +
      '  - ConfigMap shop/a\n  - ConfigMap shop/b\n  … and 1 object more\n',
  );
});

test('a confirmation names the digest that was shown, and in mode manual the commit', () => {
  assert.deepEqual(confirmationOf(HELD, false), { action: 'confirm-prune', digest: HELD.digest });
  assert.deepEqual(confirmationOf(HELD, true), {
    action: 'confirm-prune',
    digest: HELD.digest,
    revision: 'a'.repeat(40),
  });
});

test('a version of Node that is too old gets a sentence, and no stack', () => {
  for (const old of ['20.19.0', '24.11.9', '18.0.0'])
    assert.match(nodeProblem(old) ?? '', /needs Node 24\.12 or newer/);
  for (const known of ['24.12.0', '24.21.0', '26.0.0']) assert.equal(nodeProblem(known), undefined);
});
