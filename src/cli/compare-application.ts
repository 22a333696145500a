/**
 * Compares the desired objects of an Application with the cluster, with the rights of a person and with the same bind
 * and diff as the agent.
 *
 * Invariant: nothing is written. A difference that only the API server can decide is decided by one dry run per object.
 * An object whose dry run fails is `unknown`, never equal.
 */
import { decodeInventory } from '../application/inventory.ts';
import type { Application } from '../application/schema.ts';
import { bindManifests } from '../bind/bind.ts';
import type { LiveEntry } from '../cluster/live.ts';
import type { Kinds } from '../cluster/kinds.ts';
import type { WriteAnswer } from '../cluster/ports.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import type { Change } from '../diff/changes.ts';
import { diffObjects } from '../diff/diff.ts';
import { judgeDryRun } from '../diff/evidence.ts';
import { OWNER_ANNOTATION, ownerOf, parseOwner } from '../object/applyset.ts';
import { annotationsOf, idKey, type ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import { StageError } from '../object/stage-error.ts';
import { forEachOf } from '../reconcile/lanes.ts';
import { entryOfRead, servedKind } from '../reconcile/observe.ts';
import { settleUnsure, type UnsureChange } from '../reconcile/settle-unsure.ts';
import type { Manifests } from '../render/manifests.ts';

export type Comparison =
  | { readonly ok: true; readonly changes: readonly Change[] }
  /** The desired objects are not completely known, so surplus objects cannot be found either. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Number of concurrent requests. */
const CONCURRENCY = 16;

export async function compareApplication(
  cluster: UserCluster,
  application: Application,
  manifests: Manifests,
): Promise<Comparison> {
  const { metadata, spec, status } = application;
  const decoded = decodeInventory(status.inventory);
  if (!decoded.ok) throw unreadable(`status.inventory cannot be read: ${decoded.problem}`);
  const kinds = await cluster.kinds();
  const hubId =
    (await cluster.clusterId()) ?? (await hubIdFromObjects(cluster, { ids: decoded.ids, kinds })) ?? cluster.server;
  const owner = ownerOf({ hubId, namespace: metadata.namespace, name: metadata.name });
  const desired = bindManifests({
    manifests,
    kinds,
    owner,
    destinationNamespace: spec.destination.namespace,
    applicationNamespace: metadata.namespace,
    ignoreDifferences: spec.ignoreDifferences,
    // The agent checks this and reports a violation in the status.
    allowCrossNamespace: true,
  });
  if (desired.problems.length > 0) return { ok: false, problems: desired.problems };
  const inventory = new Map(decoded.ids.map((id) => [idKey(id), id]));
  const live = await readLive(cluster, { desired: desired.objects, inventory, kinds });
  const changes = diffObjects({
    desired,
    live,
    inventory,
    owner,
    kinds,
    memory: {
      baselines: new Map(),
      isAccepted: () => true,
      isFinished: (id, digest) => status.finished?.[idKey(id)] === digest,
    },
  });
  return {
    ok: true,
    changes: await settleUnsure(changes, { client: cluster.client, concurrency: CONCURRENCY, judge }),
  };
}

interface Wanted {
  readonly desired: readonly { readonly id: ObjectId; readonly kind: Change['kind']; readonly awaitsCrd?: ObjectId }[];
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly kinds: Kinds;
}

async function readLive(
  { client }: UserCluster,
  { desired, inventory, kinds }: Wanted,
): Promise<Map<string, LiveEntry>> {
  const targets = new Map<string, Wanted['desired'][number]>();
  for (const [key, id] of inventory) targets.set(key, { id, kind: servedKind(kinds, id) });
  for (const target of desired) if (!target.awaitsCrd) targets.set(idKey(target.id), target);
  const live = new Map<string, LiveEntry>();
  await forEachOf([...targets], CONCURRENCY, async ([key, { id, kind }]) => {
    if (!kind) {
      live.set(key, { state: 'unknown', reason: `the API server does not serve the kind ${id.kind} at the moment` });
      return;
    }
    live.set(key, entryOfRead(await client.get(kind, id)));
  });
  return live;
}

function judge(change: UnsureChange, answer: WriteAnswer): Change {
  if (answer.ok) return judgeDryRun(change, answer.object);
  return {
    ...change,
    type: 'unknown',
    reason: `the dry run that decides about a difference failed: ${answer.refusal.message}`,
  };
}

/** The agent's id of the cluster, read from an object of the Application: for people who may not read kube-system. */
async function hubIdFromObjects(
  { client }: UserCluster,
  { ids, kinds }: { readonly ids: readonly ObjectId[]; readonly kinds: Kinds },
): Promise<string | undefined> {
  for (const id of ids.slice(0, CONCURRENCY)) {
    const kind = servedKind(kinds, id);
    const answer = kind && (await client.get(kind, id));
    const mark = answer?.ok && answer.object ? annotationsOf(answer.object.body)[OWNER_ANNOTATION] : undefined;
    const owner = mark === undefined ? undefined : parseOwner(mark);
    if (owner) return owner.hubId;
  }
  return undefined;
}

function unreadable(message: string): StageError {
  return new StageError({ stage: 'diff', code: 'InventoryUnreadable', retry: 'never', message });
}
