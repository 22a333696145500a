/** Parsing of stored Applications: defaults, problems that name their field, and no exceptions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseApplication, sourcePath } from '../../../src/application/parse.ts';
import type { KubeObject, Value, ValueMap } from '../../../src/object/value.ts';
import { ACCEPTED_SPECS, REFUSED_SPECS, validSpec } from './spec-cases.ts';

function application(parts: { spec?: Value; status?: Value; metadata?: ValueMap }): KubeObject {
  const { metadata = { namespace: 'team', name: 'shop', uid: 'u1', resourceVersion: '7', generation: 3 } } = parts;
  const object: KubeObject = { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata };
  if (parts.spec !== undefined) object['spec'] = parts.spec;
  if (parts.status !== undefined) object['status'] = parts.status;
  return object;
}

test('the shortest Application gets all defaults', () => {
  const parsed = parseApplication(application({ spec: validSpec() }));
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.application.spec, {
    source: { repoURL: 'https://git.example.com/shop.git', revision: 'HEAD', path: '.', interval: '1m' },
    render: {},
    destination: { namespace: 'shop', createNamespace: false },
    sync: {
      mode: 'auto',
      prune: true,
      allowLiveAnnotations: false,
      timeout: '5m',
      ssaConflicts: 'force',
      onFailure: 'none',
    },
    health: { wait: false },
    suspend: false,
  });
  assert.equal(parsed.application.metadata.generation, 3);
});

test('an Application without a destination has no destination namespace', () => {
  const parsed = parseApplication(application({ spec: { source: validSpec().source } }));
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.application.spec.destination, { createNamespace: false });
});

for (const { name, spec, message } of REFUSED_SPECS) {
  test(`a spec with ${name} is refused`, () => {
    const parsed = parseApplication(application({ spec }));
    assert.ok(!parsed.ok);
    assert.match(parsed.problems[0] ?? '', /^spec\./);
    if (message !== undefined) assert.ok(parsed.problems.includes(message), parsed.problems.join('; '));
  });
}

for (const { name, spec } of ACCEPTED_SPECS) {
  test(`a spec with ${name} is accepted`, () => {
    const parsed = parseApplication(application({ spec }));
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('; '));
  });
}

test('a problem names the field and the allowed values', () => {
  const problemsOf = (spec: Value): string[] => {
    const parsed = parseApplication(application({ spec }));
    return parsed.ok ? [] : parsed.problems;
  };
  assert.deepEqual(problemsOf({}), ['spec.source is required']);
  assert.deepEqual(problemsOf({ ...validSpec(), sync: { mode: 'x' } }), [
    'spec.sync.mode must be one of auto, manual, detect',
  ]);
  assert.deepEqual(problemsOf({ ...validSpec(), suspend: 'yes' }), ['spec.suspend must be of type boolean']);
  assert.deepEqual(
    problemsOf({ ...validSpec(), destination: { namespace: '' } })[0],
    'spec.destination.namespace must not be empty',
  );
});

test('a password in a refused address is not repeated in the problem', () => {
  const spec = { ...validSpec(), source: { repoURL: 'https://me:hunter2@git.example.com/x' } };
  assert.ok(!JSON.stringify(parseApplication(application({ spec }))).includes('hunter2'));
});

test('a malformed part of status is left out and the rest is kept', () => {
  const status = { observedGeneration: 'three', sync: { status: 'Synced', revision: 'main@sha1:1' }, health: [] };
  const parsed = parseApplication(application({ spec: validSpec(), status }));
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.application.status, { sync: { status: 'Synced', revision: 'main@sha1:1' } });
});

test('a malformed inventory is kept as it is, so that it does not count as empty', () => {
  const parsed = parseApplication(application({ spec: validSpec(), status: { inventory: { objects: 7 } } }));
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.application.status.inventory, { objects: 7 });
});

test('an Application with a malformed spec keeps its name, finalizers and inventory', () => {
  const metadata = { namespace: 'team', name: 'shop', finalizers: ['f', 3], deletionTimestamp: '2026-01-02T03:04:05Z' };
  const parsed = parseApplication(application({ spec: 'gone', status: { inventory: { objects: {} } }, metadata }));
  assert.ok(!parsed.ok);
  assert.equal(parsed.metadata.name, 'shop');
  assert.deepEqual(parsed.metadata.finalizers, ['f']);
  assert.equal(parsed.metadata.deletionTimestamp, '2026-01-02T03:04:05Z');
  assert.deepEqual(parsed.status.inventory, { objects: {} });
});

test('an object of another kind or version is refused', () => {
  const parsed = parseApplication({ ...application({ spec: validSpec() }), apiVersion: 'argoproj.io/v1alpha1' });
  assert.ok(!parsed.ok);
  assert.match(parsed.problems[0] ?? '', /expected Application of tautline\.dev\/v1alpha1/);
});

test('no stored value makes the parser throw', () => {
  const json = fc.jsonValue() as fc.Arbitrary<Value>;
  const part = fc.dictionary(
    fc.constantFrom('source', 'destination', 'sync', 'suspend', '__proto__', 'conditions'),
    json,
  );
  fc.assert(
    fc.property(
      fc.oneof(json, part),
      fc.oneof(json, part),
      fc.dictionary(fc.string(), json),
      (spec, status, metadata) => {
        parseApplication(application({ spec, status, metadata }));
      },
    ),
  );
});

test('sourcePath removes dots and empty segments', () => {
  assert.equal(sourcePath('.'), '');
  assert.equal(sourcePath(''), '');
  assert.equal(sourcePath('./apps//shop/'), 'apps/shop');
});
