/** The judgement over a status, by statuses that are true and statuses that are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationManifest, configMap } from '../support/objects.ts';
import type { Json } from '../support/world.ts';
import { unsaidOf, untruthsOf } from './truth.ts';

const COMMIT = 'a'.repeat(40);

function liveObject(name: string, value: string, owner = 'apps/shop'): Json {
  const annotations = { 'tautline.dev/owner': `hub/${owner}` };
  const marks = { labels: { 'applyset.kubernetes.io/part-of': 'applyset-1' }, annotations };
  return configMap(name, { value }, marks) as unknown as Json;
}

interface Case {
  readonly sync?: string;
  readonly ready?: string;
  readonly observedGeneration?: number;
  readonly live: readonly Json[];
}

function applicationOf({ sync = 'Synced', ready = 'True', observedGeneration = 2 }: Omit<Case, 'live'>): Json {
  const counts = { total: 1, synced: 1 };
  const inventory = { objects: { '/ConfigMap': { pool: 'a' } } };
  const conditions = [{ type: 'Ready', status: ready, reason: 'Any' }];
  const status = {
    ...{ observedGeneration, conditions, counts, inventory },
    sync: { status: sync, revision: `main@sha1:${COMMIT}` },
  };
  return { ...applicationManifest('shop', {}, { generation: 2 }), status } as unknown as Json;
}

function untruths({ live, ...rest }: Case): string[] {
  const named = new Map(live.map((object) => [String(object['metadata']?.['name']), object]));
  const wantedAt = (commit: string) => (commit === COMMIT ? new Map([['a', 'git']]) : undefined);
  return untruthsOf({ application: applicationOf(rest), live: named, wantedAt });
}

const CASES: readonly { name: string; given: Case; count: number }[] = [
  { name: 'Synced with the object of the commit is true', given: { live: [liveObject('a', 'git')] }, count: 0 },
  { name: 'Synced without the object of the commit is untrue', given: { live: [] }, count: 1 },
  { name: 'Synced with another value is untrue', given: { live: [liveObject('a', 'other')] }, count: 1 },
  {
    name: 'Synced with an object of its own that left Git is untrue',
    given: { live: [liveObject('a', 'git'), liveObject('b', 'git')] },
    count: 1,
  },
  {
    name: 'Synced with an object that another Application owns instead is untrue',
    given: { live: [liveObject('a', 'git', 'apps/other')] },
    count: 1,
  },
  {
    name: 'OutOfSync and not Ready promises nothing',
    given: { sync: 'OutOfSync', ready: 'False', live: [] },
    count: 0,
  },
  { name: 'Ready promises the objects too', given: { sync: 'Unknown', ready: 'True', live: [] }, count: 1 },
  { name: 'a status of an older spec promises nothing', given: { observedGeneration: 1, live: [] }, count: 0 },
];

for (const { name, given, count } of CASES) {
  test(name, () => {
    assert.equal(untruths(given).length, count);
  });
}

test('at the end a status names the commit, every object and no other', () => {
  const application = applicationOf({});
  assert.deepEqual(unsaidOf(application, COMMIT, new Set(['a'])), []);
  assert.notDeepEqual(unsaidOf(application, 'b'.repeat(40), new Set(['a'])), []);
  assert.notDeepEqual(unsaidOf(application, COMMIT, new Set(['a', 'b'])), []);
  assert.notDeepEqual(unsaidOf(applicationOf({ ready: 'False' }), COMMIT, new Set(['a'])), []);
});
