/** Applications for unit tests: as the API server stores them, parsed, and as neighbours of each other. */
import assert from 'node:assert/strict';
import { parseApplication } from '../../src/application/parse.ts';
import type { Application } from '../../src/application/schema.ts';
import { idKey, type ObjectId } from '../../src/object/identity.ts';
import { mapAt, type KubeObject, type ValueMap } from '../../src/object/value.ts';
import { NOTHING_FOLLOWED, type DesiredMemory, type SourceMemory } from '../../src/reconcile/desired/memory.ts';
import { createRecord, type ApplicationRecord } from '../../src/reconcile/memory.ts';
import type { Statement } from '../../src/reconcile/neighbours/announcements.ts';
import { createRegistry, type Neighbours, type Registry } from '../../src/reconcile/neighbours/neighbours.ts';
import { START_PACE } from '../../src/source/poll-pace.ts';
import type { Snapshot } from '../../src/source/snapshot.ts';
import type { Clock } from '../../src/telemetry/ports.ts';
import { createClock } from './clock.ts';

export const REPOSITORY = 'https://git.example.com/shop.git';

export interface StoredOptions {
  /** Default `shop`; the namespace is `apps`. */
  readonly name?: string;
  /** Merged into the spec; `source` is merged into a source of `REPOSITORY`. */
  readonly spec?: ValueMap;
  readonly status?: ValueMap;
  /** Merged into the metadata. */
  readonly metadata?: ValueMap;
}

/** The Application `apps/shop` at generation 1, which has no status yet. */
export function storedOf({ name = 'shop', spec = {}, status, metadata }: StoredOptions = {}): KubeObject {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name, uid: `uid-${name}`, resourceVersion: '1', generation: 1, ...metadata },
    spec: { ...spec, source: { repoURL: REPOSITORY, ...mapAt(spec, 'source') } },
    ...(status && { status }),
  };
}

export function applicationOf(options: StoredOptions = {}): Application {
  const parsed = parseApplication(storedOf(options));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('; '));
  return parsed.application;
}

/** A snapshot of a branch at the commit of 40 times the given hex digit. */
export function snapshotOf(digit: string, branch = 'main'): Snapshot {
  const commit = digit.repeat(40);
  return {
    id: `repository/${commit}`,
    repoUrl: REPOSITORY,
    revision: `${branch}@sha1:${commit}`,
    commit,
    tree: { gitDir: '/nowhere', treeOid: `tree-${digit}` },
  };
}

/** A source that was polled once without an error. */
export function sourceOf(more: Partial<SourceMemory> = {}): NonNullable<DesiredMemory['source']> {
  const polled = {
    answered: undefined,
    snapshot: undefined,
    pollsAsked: 0,
    polledMs: 0,
    nextPollMs: 0,
    told: undefined,
  };
  const followed = { isOfEarlierSpec: false, following: NOTHING_FOLLOWED };
  return { key: '', ...polled, ...followed, pace: START_PACE, failures: 0, error: undefined, ...more };
}

/** By `idKey`. */
export function inventoryOf(...ids: readonly ObjectId[]): Map<string, ObjectId> {
  return new Map(ids.map((id) => [idKey(id), id]));
}

/** The announcement of a complete set at the commit of `snapshotOf('1')`, by the first spec and a poll at time 0. */
export function statementOf(ids: readonly ObjectId[] = [], more: Partial<Statement> = {}): Statement {
  const poll = { begunMs: 0, endedMs: 0 };
  return { commit: '1'.repeat(40), generation: 1, ids: new Set(ids.map(idKey)), isComplete: true, poll, ...more };
}

/** The registry of the agent with Applications of the test; no pass runs. */
export interface Neighbourhood {
  readonly registry: Registry;
  readonly neighbours: Neighbours;
  /** Keys that were woken, in order. */
  readonly woken: string[];
  /** Adds an Application as the controller does. */
  readonly add: (options?: StoredOptions) => ApplicationRecord;
  /** How often other Applications have asked this one for a poll. */
  readonly pollsAskedOf: (name: string) => number;
}

export function createNeighbourhood(clock: Clock = createClock()): Neighbourhood {
  const woken: string[] = [];
  const registry = createRegistry({ clock, wake: (key) => woken.push(key) });
  return {
    registry,
    neighbours: registry.neighbours,
    woken,
    add(options = {}) {
      const record = createRecord(`apps/${options.name ?? 'shop'}`, storedOf(options));
      registry.note(record);
      return record;
    },
    pollsAskedOf: (name) => registry.get(`apps/${name}`)?.signals.pollsAsked ?? 0,
  };
}
