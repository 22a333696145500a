import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentIdentity, identityKey } from '../../../src/cluster/identity.ts';
import { StageError } from '../../../src/object/stage-error.ts';
import { idKey } from '../../../src/object/identity.ts';
import {
  createRecord,
  dropMemory,
  emptyMemory,
  isNewer,
  scratchOf,
  type Memory,
} from '../../../src/reconcile/memory.ts';
import { inventoryOf, snapshotOf, sourceOf, storedOf } from '../../support/applications.ts';
import { changeOf, desiredOf, idOf } from '../../support/changes.ts';
import { kindsOf, manifestsOf } from '../../support/reading.ts';

const KEY = idKey(idOf('a'));

const HEAL = { manifestDigest: 'm', heals: 1, lastHealMs: 1, other: 'another writer', isRecreating: false };

/** A memory in which every field differs from the empty one. */
function filledMemory(): Memory {
  const change = changeOf('none');
  return {
    desired: {
      source: sourceOf({ snapshot: snapshotOf('1') }),
      pinned: sourceOf({ snapshot: snapshotOf('2') }),
      others: new Map([['$values', sourceOf({ snapshot: snapshotOf('3') })]]),
      rendered: { key: 'tree:', path: '', inputs: '', manifests: manifestsOf([]), answers: new Map() },
      keys: { secret: 'keys', digest: 'd', readMs: 1 },
      opened: { keysDigest: 'd', files: new Map() },
      refused: {
        key: 'tree:',
        error: new StageError({ stage: 'render', code: 'Killed', retry: 'backoff', message: 'it took too long' }),
        untilMs: 1,
      },
      bound: { objects: [], problems: [], digest: 'set' },
      boundBytes: 1,
      binding: {
        ...{ manifests: manifestsOf([]), kinds: kindsOf(), options: '' },
        ...{ desired: { objects: [], problems: [], digest: 'set' }, ids: new Set([KEY]) },
      },
      objects: new Map([['key', desiredOf()]]),
      discovery: { nextMs: 1, pauseMs: 1, definitions: 'd' },
    },
    inventory: {
      ids: inventoryOf(idOf('a')),
      written: new Set([KEY]),
      recalled: new Set([KEY]),
      stored: 'stored',
      encoded: { keys: new Set(['a']), value: { gzip: '' } },
      sizeBefore: 1,
    },
    evidence: {
      baselines: new Map([[KEY, { manifestDigest: 'm', projectionDigest: 'p', uid: 'u', ownedDigest: 'o' }]]),
      accepted: new Map([[KEY, 'digest']]),
      applied: { digest: 'digest', objects: new Map([[KEY, undefined]]) },
      recalledDigest: 'digest',
      settled: new Map([[KEY, { manifestDigest: 'm', resourceVersion: '1', change }]]),
      foreseen: new Map([[KEY, { manifestDigest: 'm', resourceVersion: '1', change }]]),
      doubted: new Set([KEY]),
      doubtAtMs: 1,
      unserved: { sinceMs: 1, isSettled: false },
    },
    endedJobs: {
      ended: new Map([[KEY, 'digest']]),
      started: new Map([[KEY, 'digest']]),
      seenRunning: new Map([[KEY, true]]),
    },
    heals: { records: new Map([[KEY, HEAL]]) },
    healthChecks: {
      digest: 'd',
      invalid: [{ index: 0, field: 'current', message: 'an error' }],
      results: new Map([[KEY, { resourceVersion: '1', health: { status: 'Healthy', message: '' } }]]),
    },
    place: { isNamespaceKnown: true },
    refused: { lines: new Map([[KEY, 1]]) },
    clocks: {
      attempt: { revision: 'r', startedAt: '2026-01-01T00:00:00Z', startedMs: 1 },
      unwell: { revision: 'r', sinceMs: 1 },
    },
    deletion: { sinceMs: 1 },
    causes: { byNamespace: new Map([['shop', { askedMs: 1, mark: 'm', causes: [] }]]) },
    rest: {
      found: {
        mark: {
          ...{ mode: 'auto', prune: true, desired: { objects: [], problems: [], digest: 'set' }, kinds: kindsOf() },
          ...{ inventory: inventoryOf(idOf('a')), inventorySize: 1, liveVersion: 1, claimsVersion: 1, generation: 1 },
          ...{ acceptedDigest: 'digest', finished: '{}' },
        },
        findings: {
          ...{ changes: [change], gate: undefined, left: [], health: new Map(), worst: undefined },
          plan: { waves: [], prunes: [], releases: [], waitingFor: [], held: undefined, left: [] },
        },
        composed: undefined,
      },
    },
    run: { account: identityKey(agentIdentity), endedEarly: 'Unavailable' },
  };
}

type Group = Record<string, unknown>;

const groupsOf = (memory: Memory): [keyof Memory, Group][] =>
  Object.entries(memory) as unknown as [keyof Memory, Group][];
const NAMES = groupsOf(emptyMemory()).map(([name]) => name);

/** Writes to every field of a memory as passes do: it replaces the value, or changes the map or set. */
function overwrite(memory: Memory): void {
  for (const [, group] of groupsOf(memory)) {
    for (const [field, value] of Object.entries(group)) {
      if (value instanceof Map) value.set('written', 'by the test');
      else if (value instanceof Set) value.add('written by the test');
      group[field] = 'written by the test';
    }
  }
}

test('the filled memory of this file has a value in every field of every group', () => {
  const filled = filledMemory();
  assert.deepEqual(Object.keys(filled).sort(), NAMES.toSorted());
  for (const [name, group] of groupsOf(emptyMemory())) {
    const values = filled[name] as unknown as Group;
    assert.deepEqual(Object.keys(values).sort(), Object.keys(group).sort(), name);
    for (const [field, value] of Object.entries(group)) {
      assert.notDeepEqual(values[field], value, `${name}.${field} is empty: give it a value here`);
    }
  }
});

test('a scratch is equal to the memory, and writes to one of them never show in the other', () => {
  for (const create of [emptyMemory, filledMemory]) {
    const memory = create();
    const scratch = scratchOf(memory);
    assert.deepEqual(scratch, create());
    overwrite(scratch);
    assert.deepEqual(memory, create());
    const other = scratchOf(memory);
    overwrite(memory);
    assert.deepEqual(other, create());
  }
});

test('dropping a memory empties every group in place, except the ones that are kept', () => {
  fc.assert(
    fc.property(fc.subarray(NAMES), (kept) => {
      const memory = filledMemory();
      const before = { ...memory };
      dropMemory(memory, kept);
      for (const name of NAMES) {
        assert.equal(memory[name], before[name], `${name} is another object now`);
        assert.deepEqual(memory[name], (kept.includes(name) ? filledMemory() : emptyMemory())[name], name);
      }
    }),
  );
});

test('two empty memories share nothing', () => {
  const one = emptyMemory();
  const other = emptyMemory();
  overwrite(one);
  assert.deepEqual(other, emptyMemory());
});

test('a new record has an empty memory, no signals and nothing to show', () => {
  const stored = storedOf();
  assert.deepEqual(createRecord('apps/shop', stored), {
    key: 'apps/shop',
    stored,
    memory: emptyMemory(),
    signals: {
      hookHeardMs: undefined,
      dataChangedMs: -Infinity,
      hooksDoubtedMs: undefined,
      pollsAsked: 0,
      askedMs: -Infinity,
      isForgetAsked: false,
      entrusted: new Map(),
    },
    view: undefined,
    trial: undefined,
    awaitedGroups: new Set(),
  });
});

const VERSIONS: readonly (readonly [string | undefined, string | undefined, boolean])[] = [
  ['10', '9', true],
  ['9', '10', false],
  ['9', '9', false],
  ['9007199254740993', '9007199254740992', true],
  ['1', undefined, true],
  [undefined, '1', false],
  ['x', '1', false],
  ['', undefined, false],
];
for (const [candidate, known, expected] of VERSIONS) {
  test(`resourceVersion ${candidate} is ${expected ? '' : 'not '}newer than ${known}`, () => {
    const at = (resourceVersion: string | undefined) => {
      const { resourceVersion: _, ...metadata } = storedOf().metadata;
      return { ...storedOf(), metadata: { ...metadata, ...(resourceVersion !== undefined && { resourceVersion }) } };
    };
    assert.equal(isNewer(at(candidate), at(known)), expected);
  });
}
