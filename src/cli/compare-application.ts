/**
 * Compares the desired objects of an Application with the cluster, with the rights of a person and with the same bind
 * and diff as the agent.
 *
 * Invariant: nothing is written. A difference that only the API server can decide is decided by one dry run per object.
 * An object whose dry run fails is `unknown`, never equal.
 */
import { isRunOf } from '../application/ended-jobs.ts';
import { decodeInventory } from '../application/inventory.ts';
import type { Application } from '../application/schema.ts';
import { bindManifests } from '../bind/bind.ts';
import { createKindFinder, type Kinds } from '../cluster/kinds.ts';
import type { WriteAnswer } from '../cluster/ports.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import type { Change } from '../diff/changes.ts';
import { diffObjects } from '../diff/diff.ts';
import { judgeDryRun } from '../diff/evidence.ts';
import { OWNER_ANNOTATION, ownerOf, parseOwner } from '../object/applyset.ts';
import { annotationsOf, idKey, type ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import { StageError } from '../object/stage-error.ts';
import { askDryRun, type UnsureChange } from '../observe/ask-dry-run.ts';
import { readByName } from '../observe/read-by-name.ts';
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
    ignoreDifferences: spec.ignoreDifferences,
    // The agent checks the reach and reports a violation in the status.
    reach: { namespace: metadata.namespace, mayCross: true },
  });
  if (desired.problems.length > 0) return { ok: false, problems: desired.problems };
  const inventory = new Map(decoded.ids.map((id) => [idKey(id), id]));
  const live = await readByName({
    client: cluster.client,
    desired: desired.objects,
    inventory,
    kinds,
    concurrency: CONCURRENCY,
  });
  const changes = diffObjects({
    desired,
    live,
    inventory,
    owner,
    kinds,
    memory: {
      baselines: new Map(),
      isAccepted: () => true,
      runOf: ({ id, digest }) =>
        isRunOf(status.finished?.[idKey(id)] ?? status.started?.[idKey(id)], digest) ? 'ended' : undefined,
    },
  });
  return {
    ok: true,
    changes: await askDryRun(changes, { client: cluster.client, concurrency: CONCURRENCY, judge }),
  };
}

function judge(change: UnsureChange, answer: WriteAnswer): Change {
  if (answer.ok) return { ...judgeDryRun(change, answer.object), warnings: answer.warnings };
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
  const findKind = createKindFinder(kinds);
  for (const id of ids.slice(0, CONCURRENCY)) {
    const kind = findKind(id);
    const answer = typeof kind === 'object' ? await client.get(kind, id) : undefined;
    const mark = answer?.ok && answer.object ? annotationsOf(answer.object.body)[OWNER_ANNOTATION] : undefined;
    const owner = mark === undefined ? undefined : parseOwner(mark);
    if (owner) return owner.hubId;
  }
  return undefined;
}

function unreadable(message: string): StageError {
  return new StageError({ stage: 'diff', code: 'InventoryUnreadable', retry: 'never', message });
}
