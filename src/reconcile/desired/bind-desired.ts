/**
 * The bind stage of a pass: manifests bound to the kinds of the cluster. Kinds that the cluster lacks are asked for
 * again, but not all the time.
 */
import { bindManifests } from '../../bind/bind.ts';
import type { Desired, DesiredObject } from '../../bind/desired.ts';
import { reachOf, type Reach } from '../../bind/reach.ts';
import type { Kinds } from '../../cluster/kinds.ts';
import { idKey } from '../../object/identity.ts';
import { isPassing } from '../../object/problem.ts';
import type { Manifests } from '../../render/manifests.ts';
import type { Reading } from '../pass.ts';
import type { DesiredMemory } from './memory.ts';
import { isDiscoveryDue, paceAfterDiscovery, type Lack } from './discovery-pace.ts';
import { isUsable } from './render-snapshot.ts';

export interface BoundSet {
  readonly desired: Desired;
  readonly kinds: Kinds;
  /** False: a desired object may be missing from the set, so nothing may be pruned on it. */
  readonly isComplete: boolean;
}

/** Where the render is not usable, drift is healed by the last set that was. undefined: there is none. */
export async function bindDesired(reading: Reading, manifests: Manifests | undefined): Promise<BoundSet | undefined> {
  const { context, target } = reading;
  const memory = reading.memory.desired;
  const { settings } = context;
  let kinds = await target.kinds();
  if (!manifests || !isUsable(manifests)) {
    const desired = memory.bound ?? { objects: [], problems: [], digest: '' };
    const problems = manifests?.problems ?? [];
    const known = withSyncFail({ ...desired, problems }, reading);
    return memory.bound || manifests ? { desired: known, kinds, isComplete: false } : undefined;
  }
  let desired = bindOnce(reading, manifests, kinds);
  if (isLackingKinds(desired)) {
    const lack = lackOf(reading, desired);
    if (isDiscoveryDue(memory.discovery, lack)) {
      memory.discovery = paceAfterDiscovery(memory.discovery, lack, settings);
      kinds = await target.kinds({ refresh: true });
      desired = bindOnce(reading, manifests, kinds);
    }
  } else {
    memory.discovery = undefined;
  }
  memory.bound = desired;
  memory.boundBytes = manifests.sizeBytes ?? 0;
  return { desired: withSyncFail(desired, reading), kinds, isComplete: desired.problems.length === 0 };
}

/** With the hooks of a failed sync as objects like all others, if status says that the sync of this set has failed. */
function withSyncFail(desired: Desired, { application }: Pick<Reading, 'application'>): Desired {
  if (application.status.sync?.failed !== failedSetOf(desired)) return desired;
  const objects = desired.objects.map((object) =>
    object.policy?.isSyncFail ? { ...object, policy: { ...object.policy, ssa: 'Override' as const } } : object,
  );
  return { ...desired, objects };
}

/** A set of desired objects as `status.sync.failed` names it. */
export function failedSetOf({ digest }: Pick<Desired, 'digest'>): string {
  return digest.slice(0, 16);
}

/** The same manifests, kinds and options give the same set, in identity as well. */
function bindOnce(reading: Reading, manifests: Manifests, kinds: Kinds): Desired {
  const { application, owner, identity, context, memory } = reading;
  const { metadata, spec } = application;
  const reach = reachOf(identity, metadata, context.settings);
  const { destination, ignoreDifferences } = spec;
  const options = JSON.stringify([owner, destination.namespace ?? null, ignoreDifferences ?? null, reach]);
  const last = memory.desired.binding;
  if (last?.manifests === manifests && last.kinds === kinds && last.options === options) return last.desired;
  const desired = bindAll(reading, { manifests, kinds, reach });
  const ids = new Set(desired.objects.map(({ id }) => idKey(id)));
  memory.desired.binding = { manifests, kinds, options, desired, ids };
  return desired;
}

/** `idKey` of each object of a set; made once for the set that was bound last. */
export function idsOf(memory: Pick<DesiredMemory, 'binding'>, desired: Desired | undefined): ReadonlySet<string> {
  if (memory.binding && memory.binding.desired === desired) return memory.binding.ids;
  return new Set(desired?.objects.map(({ id }) => idKey(id)));
}

interface Binding {
  readonly manifests: Manifests;
  readonly kinds: Kinds;
  readonly reach: Reach;
}

function bindAll({ application, owner, memory }: Reading, { manifests, kinds, reach }: Binding): Desired {
  const { spec } = application;
  const before = memory.desired.objects;
  // Only the objects of this render are kept for the next one, so that commits do not pile up.
  const used = new Map<string, DesiredObject>();
  memory.desired.objects = used;
  return bindManifests({
    manifests,
    kinds,
    owner,
    destinationNamespace: spec.destination.namespace,
    ignoreDifferences: spec.ignoreDifferences,
    reach,
    cache: {
      get(key) {
        const known = before.get(key);
        if (known) used.set(key, known);
        return known;
      },
      set: (key, object) => used.set(key, object),
    },
  });
}

function lackOf({ context, memory }: Reading, { objects }: Desired): Lack {
  const awaited = new Set(objects.flatMap(({ awaitsCrd }) => (awaitsCrd ? [idKey(awaitsCrd)] : [])));
  const accepted = [...awaited].map((key) => `${key} ${memory.evidence.accepted.get(key) ?? ''}`);
  return { nowMs: context.clock.monotonicMs(), definitions: accepted.sort().join('\n'), isAwaited: awaited.size > 0 };
}

function isLackingKinds({ objects, problems }: Desired): boolean {
  return objects.some(({ awaitsCrd }) => awaitsCrd) || problems.some(isPassing);
}
