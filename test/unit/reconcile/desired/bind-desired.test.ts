import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectId } from '../../../../src/object/identity.ts';
import { bindDesired, type BoundSet } from '../../../../src/reconcile/desired/bind-desired.ts';
import { emptyMemory, type Memory } from '../../../../src/reconcile/memory.ts';
import { beginReading } from '../../../../src/reconcile/pass.ts';
import type { Manifests } from '../../../../src/render/manifests.ts';
import { applicationOf } from '../../../support/applications.ts';
import type { SetClock } from '../../../support/clock.ts';
import { idOf } from '../../../support/changes.ts';
import { kindsOf, manifestOf, manifestsOf, scriptReading, type ReadingScript } from '../../../support/reading.ts';

const [A, B] = [idOf('a', { namespace: 'apps' }), idOf('b', { namespace: 'apps' })];
const WIDGET = idOf('w', { group: 'example.com', kind: 'Widget', namespace: 'apps' });
const CRD = idOf('widgets.example.com', {
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  namespace: '',
});
const PROBLEM = { code: 'YamlSyntax', message: 'it is not YAML' } as const;

/** A definition of the kind of `WIDGET`. */
const DEFINITION = manifestOf(CRD, {
  spec: {
    group: 'example.com',
    names: { kind: 'Widget', plural: 'widgets' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true }],
  },
});

interface Scene {
  readonly bind: (manifests: Manifests | undefined) => Promise<BoundSet | undefined>;
  readonly memory: Memory;
  readonly clock: SetClock;
  readonly requests: string[];
}

/** The Application `apps/shop`, which may hold objects of its own namespace. */
function scene(script: ReadingScript = { discoveries: [kindsOf(A)] }): Scene {
  const { context, clock, requests } = scriptReading(script);
  const memory = emptyMemory();
  const { signal } = new AbortController();
  const reading = beginReading({ application: applicationOf(), memory, context, signal });
  return { bind: (manifests) => bindDesired(reading, manifests), memory, clock, requests };
}

const idsOf = (bound: BoundSet | undefined): ObjectId[] | undefined => bound?.desired.objects.map(({ id }) => id);
const codesOf = (bound: BoundSet | undefined): string[] | undefined => bound?.desired.problems.map(({ code }) => code);

test('a render without problems is a complete set, and is remembered', async () => {
  const { bind, memory, requests } = scene();
  const bound = await bind(manifestsOf([manifestOf(A), manifestOf(B)]));
  assert.deepEqual(idsOf(bound), [A, B]);
  assert.equal(bound?.isComplete, true);
  assert.equal(memory.desired.bound, bound.desired);
  assert.deepEqual(requests, []);
});

test('a problem of render or bind makes the set incomplete, and the other objects are bound', async () => {
  const { bind } = scene();
  const rendered = await bind(manifestsOf([manifestOf(A)], { problems: [PROBLEM] }));
  assert.deepEqual([idsOf(rendered), codesOf(rendered), rendered?.isComplete], [[A], ['YamlSyntax'], false]);
  const foreign = await bind(manifestsOf([manifestOf(A), manifestOf(idOf('c', { namespace: 'other' }))]));
  assert.deepEqual([idsOf(foreign), codesOf(foreign), foreign?.isComplete], [[A], ['NamespaceNotAllowed'], false]);
});

test('the last usable set stands in for a render that failed as a whole', async () => {
  const { bind, memory } = scene();
  await bind(manifestsOf([manifestOf(A)]));
  const before = memory.desired.bound;
  const unusable = await bind(manifestsOf([], { problems: [PROBLEM] }));
  assert.deepEqual([idsOf(unusable), codesOf(unusable), unusable?.isComplete], [[A], ['YamlSyntax'], false]);
  const missing = await bind(undefined);
  assert.deepEqual([idsOf(missing), codesOf(missing), missing?.isComplete], [[A], [], false]);
  assert.equal(memory.desired.bound, before);
});

test('without a usable set only the problems of the render are known', async () => {
  const { bind } = scene();
  assert.equal(await bind(undefined), undefined);
  const unusable = await bind(manifestsOf([], { problems: [PROBLEM] }));
  assert.deepEqual([idsOf(unusable), codesOf(unusable), unusable?.isComplete], [[], ['YamlSyntax'], false]);
});

test('a render that is empty without problems replaces the last set', async () => {
  const { bind } = scene();
  await bind(manifestsOf([manifestOf(A)]));
  const empty = await bind(manifestsOf([]));
  assert.deepEqual([idsOf(empty), empty?.isComplete], [[], true]);
});

test('discovery is asked again for a kind that it lacks, and not all the time', async () => {
  const { bind, clock, requests } = scene({ discoveries: [kindsOf(A), kindsOf(A), kindsOf(A, WIDGET)] });
  const manifests = manifestsOf([manifestOf(A), manifestOf(WIDGET)]);
  assert.deepEqual(codesOf(await bind(manifests)), ['KindUnknown']);
  assert.deepEqual(requests, ['refresh']);
  clock.nowMs = 999;
  assert.deepEqual(codesOf(await bind(manifests)), ['KindUnknown']);
  assert.deepEqual(requests, ['refresh']);
  clock.nowMs = 1_000;
  const bound = await bind(manifests);
  assert.deepEqual(requests, ['refresh', 'refresh']);
  assert.deepEqual(idsOf(bound), [A, WIDGET]);
  assert.equal(bound?.isComplete, true);
  assert.equal(bound.kinds.served.has('example.com/v1/Widget'), true);
});

test('discovery is asked sooner for a kind that a definition of the same render brings', async () => {
  const lacking = kindsOf(CRD, A);
  const discoveries = [lacking, lacking, kindsOf(CRD, A, WIDGET)];
  const { bind, clock, requests } = scene({ discoveries, allowCrossNamespace: true });
  const manifests = manifestsOf([DEFINITION, manifestOf(WIDGET)]);
  const awaitedIn = (bound: BoundSet | undefined): boolean[] | undefined =>
    bound?.desired.objects.map(({ awaitsCrd }) => awaitsCrd !== undefined);
  assert.deepEqual(awaitedIn(await bind(manifests)), [false, true]);
  assert.deepEqual(requests, ['refresh']);
  clock.nowMs = 99;
  await bind(manifests);
  assert.deepEqual(requests, ['refresh']);
  clock.nowMs = 100;
  assert.deepEqual(awaitedIn(await bind(manifests)), [false, false]);
  assert.deepEqual(requests, ['refresh', 'refresh']);
});

test('discovery is not asked again for another problem', async () => {
  const { bind, requests } = scene();
  await bind(manifestsOf([manifestOf(A)], { problems: [PROBLEM] }));
  assert.deepEqual(requests, []);
});

test('an unchanged manifest is bound once, and only objects of the last render are kept', async () => {
  const { bind, memory } = scene();
  const first = await bind(manifestsOf([manifestOf(A), manifestOf(B)]));
  assert.equal(memory.desired.objects.size, 2);
  const second = await bind(manifestsOf([manifestOf(B), manifestOf(idOf('c', { namespace: 'apps' }))]));
  assert.equal(second?.desired.objects[0], first?.desired.objects[1]);
  assert.equal(memory.desired.objects.size, 2);
  await bind(manifestsOf([]));
  assert.equal(memory.desired.objects.size, 0);
});
