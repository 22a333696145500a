/**
 * Shared by the tests of rest: the tracks that an agent leaves (writes, requests, log lines, Events), and the check
 * that it leaves none over some time with and without requested passes.
 *
 * Invariant: an object that others write all the time is compared by our fields in it, every other object by its
 * resourceVersion. Requests are counted for the whole agent, so one busy Application fails every test of its file.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../../support/agent.ts';
import { eventually, type Json, type World } from '../../support/world.ts';
import { kubectl } from '../../support/kubectl.ts';
import {
  at,
  eventsOf,
  inventoryOf,
  PART_OF,
  requestsByVerb,
  resourceVersion,
  syncOf,
  type Subject,
} from '../../support/scene.ts';

/** The time in which nothing may happen: longer than the progress check and the first pauses of the brake. */
const QUIET_MS = 2500;

/** Requests for objects. Watches, and updates that answer a refresh, are left out. */
const OBJECT_VERBS = ['get', 'list', 'create', 'apply', 'patch', 'delete'] as const;

export interface RestOptions {
  /** The number of requested refreshes, each of which forces a pass. */
  readonly refreshes?: number;
  /** Objects that others write meanwhile, as `Kind/name`. */
  readonly busy?: readonly string[];
  /** The expected status.health. Default: `Healthy`. */
  readonly health?: string;
  /** Whether list requests are allowed: Pods and Events of objects that are not Healthy are listed again in passes. */
  readonly mayListPods?: boolean;
}

/** Waits until the agent has nothing more to do, then fails if it does anything more. */
export async function expectRest(
  world: World,
  agent: RunningAgent,
  subject: Subject,
  options: RestOptions = {},
): Promise<void> {
  const { refreshes = 4, health = 'Healthy' } = options;
  await subject.application.until(
    `Synced and ${health}`,
    (found) => syncOf(found) === 'Synced' && at(found, 'status', 'health', 'status') === health,
  );
  await untilStill(world, agent, subject, options);
  const first = await tracksOf(world, agent, subject, options);
  await sleep(QUIET_MS);
  assert.deepEqual(await tracksOf(world, agent, subject, options), first, 'left alone');
  for (let n = 0; n < refreshes; n++) {
    const answered = await subject.application.refresh();
    assert.equal(syncOf(answered), 'Synced');
    assert.equal(at(answered, 'status', 'health', 'status'), health);
  }
  const { application: _before, updates, ...before } = first;
  const { application: _after, updates: written, ...after } = await tracksOf(world, agent, subject, options);
  assert.deepEqual(after, before, 'after refreshes');
  // The last answer may be stored, and seen here, before the agent has counted its write.
  assert.ok(written <= updates + refreshes, `${written - updates} writes of status answer ${refreshes} requests`);
}

/** Waits until the tracks are the same before and after 1.5 seconds. */
export async function untilStill(
  world: World,
  agent: RunningAgent,
  subject: Subject,
  options: RestOptions = {},
): Promise<void> {
  let looks: [Tracks, Tracks] | undefined;
  const isStill = await eventually(async () => {
    const before = await tracksOf(world, agent, subject, options);
    await sleep(1500);
    const after = await tracksOf(world, agent, subject, options);
    looks = [before, after];
    return JSON.stringify(before) === JSON.stringify(after) ? true : undefined;
  });
  if (!isStill) assert.deepEqual(looks?.[1], looks?.[0], 'it does not come to rest');
}

export interface Tracks {
  /** A version of each object, by `Kind namespace/name`. */
  readonly objects: Readonly<Record<string, string>>;
  readonly application: string;
  readonly requests: Readonly<Record<string, number>>;
  readonly updates: number;
  readonly lines: readonly unknown[];
  readonly events: number;
}

export async function tracksOf(
  world: World,
  agent: RunningAgent,
  subject: Subject,
  { busy = [], mayListPods = false }: RestOptions = {},
): Promise<Tracks> {
  const verbs = await requestsByVerb(agent);
  const watched = mayListPods ? OBJECT_VERBS.filter((verb) => verb !== 'list') : OBJECT_VERBS;
  const objects: Record<string, string> = {};
  for (const object of await objectsOf(world, subject)) {
    const [kind, namespace, name] = [
      object['kind'],
      at(object, 'metadata', 'namespace'),
      at(object, 'metadata', 'name'),
    ];
    const isBusy = busy.includes(`${String(kind)}/${String(name)}`);
    objects[`${String(kind)} ${String(namespace)}/${String(name)}`] = isBusy ? oursOf(object) : resourceVersion(object);
  }
  return {
    objects,
    application: resourceVersion(await subject.application.read()),
    requests: Object.fromEntries(watched.map((verb) => [verb, verbs[verb] ?? 0])),
    updates: verbs['update'] ?? 0,
    lines: [...agent.log],
    events: (await eventsOf(world, subject)).length,
  };
}

/** All objects with the Application's label, of the kinds in its inventory. */
export async function objectsOf(world: World, subject: Subject): Promise<Json[]> {
  const application = await subject.application.read();
  const id = String(at(application, 'metadata', 'labels', 'applyset.kubernetes.io/id'));
  const kinds = new Set(inventoryOf(application).map((entry) => kubectlKind(entry.split(' ')[0] ?? '')));
  if (kinds.size === 0) return [];
  const args = ['get', [...kinds].join(','), '--all-namespaces', '-l', `${PART_OF}=${id}`, '-o', 'json'];
  const listed = await kubectl(world, [...args, '--show-managed-fields']);
  return (JSON.parse(listed) as { items: Json[] }).items;
}

/** A kind of an inventory, such as `apps/Deployment`, in the form of kubectl. */
function kubectlKind(groupKind: string): string {
  const [kind, group] = groupKind.split('/').reverse();
  return group ? `${kind}.${group}` : (kind ?? '');
}

/** Uid and our own entry of managedFields with its time, which a write of the agent would change. */
function oursOf(object: Json): string {
  const entries = at(object, 'metadata', 'managedFields');
  const ours = Array.isArray(entries) ? entries.filter((entry) => at(entry, 'manager') === 'tautline') : [];
  return JSON.stringify([at(object, 'metadata', 'uid'), ours]);
}
