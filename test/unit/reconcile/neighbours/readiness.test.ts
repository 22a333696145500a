import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseApplication } from '../../../../src/application/parse.ts';
import { stringAt, type KubeObject, type ValueMap } from '../../../../src/object/value.ts';
import {
  dependenciesOf,
  findCycle,
  readinessOf,
  reasonNotReady,
  type Dependency,
} from '../../../../src/reconcile/neighbours/readiness.ts';
import { applicationOf, storedOf } from '../../../support/applications.ts';

interface Readiness {
  readonly ready?: string;
  readonly reason?: string;
  readonly observed?: number;
  readonly applied?: string;
  readonly spec?: ValueMap;
  readonly metadata?: ValueMap;
}

/** The Application `apps/base`; by default it is Ready and has applied `main@sha1:1`. */
function baseOf({ ready = 'True', reason = '', observed = 1, applied = 'main@sha1:1', ...more }: Readiness = {}) {
  const condition = { type: 'Ready', status: ready, reason, message: '', observedGeneration: observed };
  return storedOf({
    name: 'base',
    status: { conditions: [condition], sync: { lastAppliedRevision: applied } },
    ...more,
  });
}

const DEPENDENCIES: readonly (readonly [ValueMap, readonly string[]])[] = [
  [{}, []],
  [{ dependsOn: [{ name: 'base' }] }, ['apps/base']],
  [{ dependsOn: [{ name: 'base', namespace: 'infra' }, { name: 'db' }] }, ['infra/base', 'apps/db']],
  [{ dependsOn: [{ namespace: 'infra' }, 'base', null, { name: 7 }] }, []],
  [{ dependsOn: 'base' }, []],
];
for (const [spec, expected] of DEPENDENCIES) {
  test(`the spec ${JSON.stringify(spec)} depends on ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(dependenciesOf(storedOf({ spec })), expected);
  });
}

const DEPENDENT = applicationOf({ spec: { dependsOn: [{ name: 'base' }] } });

/** The stored Application as a neighbour, which follows the branch of the revision that it has applied. */
function dependencyOf(stored: KubeObject): Dependency {
  const parsed = parseApplication(stored);
  const [followedRef] = (stringAt(stored, 'status', 'sync', 'lastAppliedRevision') ?? '').split('@');
  return { stored, application: parsed.ok ? parsed.application : undefined, followedRef };
}

const state = {
  application: DEPENDENT,
  revision: 'main@sha1:1',
  isNewer: (applied: string) => applied === 'main@sha1:2',
};

const OTHER_SOURCE = { source: { repoURL: 'https://git.example.com/base.git' } };

const REASONS: readonly (readonly [string, KubeObject | undefined, string | undefined])[] = [
  ['does not exist', undefined, 'does not exist'],
  ['is Ready at the revision', baseOf(), undefined],
  ['is not Ready', baseOf({ ready: 'False', reason: 'Progressing' }), 'is not Ready (Progressing)'],
  ['is not Ready without a reason', baseOf({ ready: 'Unknown' }), 'is not Ready'],
  ['has no status', storedOf({ name: 'base' }), 'has not looked at its spec yet'],
  ['is Ready for an older spec', baseOf({ metadata: { generation: 2 } }), 'has not looked at its spec yet'],
  ['is being deleted', baseOf({ ready: 'False', metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), undefined],
  ['is Ready at another revision', baseOf({ applied: 'main@sha1:0' }), 'is Ready, but not at main@sha1:1 yet'],
  ['is Ready at a newer revision', baseOf({ applied: 'main@sha1:2' }), undefined],
  ['has another source', baseOf({ applied: 'main@sha1:0', spec: OTHER_SOURCE }), undefined],
  [
    'follows another branch of the repository',
    baseOf({ applied: 'next@sha1:0', spec: { source: { revision: 'next' } } }),
    undefined,
  ],
  [
    'writes the address of the repository in another way and names the branch',
    baseOf({
      applied: 'main@sha1:0',
      spec: { source: { repoURL: 'https://GIT.example.com/shop/', revision: 'main' } },
    }),
    'is Ready, but not at main@sha1:1 yet',
  ],
  ['waits for a person', baseOf({ applied: 'main@sha1:0', spec: { sync: { mode: 'manual' } } }), undefined],
  ['only reports', baseOf({ applied: 'main@sha1:0', spec: { sync: { mode: 'detect' } } }), undefined],
];
for (const [what, base, expected] of REASONS) {
  test(`a dependency that ${what} ${expected === undefined ? 'is not waited for' : 'is waited for'}`, () => {
    assert.equal(reasonNotReady(base && dependencyOf(base), state), expected);
  });
}

test('the generation of the whole status counts where the condition Ready has none', () => {
  const conditions = [{ type: 'Ready', status: 'True', reason: 'x', message: '' }];
  const observing = (observedGeneration: number) =>
    storedOf({ name: 'base', spec: OTHER_SOURCE, status: { conditions, observedGeneration } });
  assert.equal(reasonNotReady(dependencyOf(observing(1)), state), undefined);
  assert.equal(reasonNotReady(dependencyOf(observing(0)), state), 'has not looked at its spec yet');
});

test('the readiness is equal as long as its dependents see no difference', () => {
  const before = readinessOf(baseOf());
  assert.equal(readinessOf(baseOf({ metadata: { resourceVersion: '9', labels: { a: 'b' } } })), before);
  assert.equal(readinessOf(baseOf({ reason: 'ReconciliationSucceeded' })), before);
  const changes: readonly Readiness[] = [
    { ready: 'False' },
    { observed: 0 },
    { applied: 'main@sha1:2' },
    { metadata: { generation: 2 } },
    { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
    { spec: { dependsOn: [{ name: 'db' }] } },
  ];
  for (const change of changes) assert.notEqual(readinessOf(baseOf(change)), before, JSON.stringify(change));
});

type Graph = ReadonlyMap<string, readonly string[]>;

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const anyGraph: fc.Arbitrary<Graph> = fc
  .tuple(...NAMES.map(() => fc.subarray([...NAMES, 'missing'], { maxLength: 3 })))
  .map((lists) => new Map(NAMES.map((name, index) => [`apps/${name}`, lists[index] ?? []])));

/** The length of the shortest way from a key back to itself, among all ways that pass no key twice. */
function shortestCycle(graph: Graph, start: string, at = start, passed: readonly string[] = []): number | undefined {
  const lengths = (graph.get(at) ?? []).flatMap((name) => {
    const next = `apps/${name}`;
    if (next === start) return 1;
    if (passed.includes(next)) return [];
    const rest = shortestCycle(graph, start, next, [...passed, next]);
    return rest === undefined ? [] : 1 + rest;
  });
  return lengths.length > 0 ? Math.min(...lengths) : undefined;
}

test('findCycle finds a shortest way back to an Application exactly where there is one', () => {
  fc.assert(
    fc.property(anyGraph, fc.constantFrom(...NAMES), (graph, name) => {
      const start = `apps/${name}`;
      const looked: string[] = [];
      const cycle = findCycle(start, (key) => {
        looked.push(key);
        const others = graph.get(key);
        return (
          others && storedOf({ name: key.slice(5), spec: { dependsOn: others.map((other) => ({ name: other })) } })
        );
      });
      assert.equal(cycle && cycle.length - 1, shortestCycle(graph, start));
      assert.deepEqual(new Set(looked).size, looked.length, 'an Application is looked at twice');
      if (!cycle) return;
      assert.equal(cycle[0], start);
      assert.equal(cycle.at(-1), start);
      for (const [index, key] of cycle.slice(1).entries()) {
        assert.ok(graph.get(cycle[index] ?? '')?.includes(key.slice(5)), `${cycle[index]} does not depend on ${key}`);
      }
    }),
    { numRuns: 500 },
  );
});
