/**
 * A deleted Application is finished: its objects are pruned or let go, as spec.deletionPolicy says, then its finalizer
 * is removed. The same plan and the same guards as in every other prune; nothing here deletes by itself.
 *
 * Invariant: the finalizer goes only when every object of the inventory is confirmed gone or let go.
 */
import { decodeInventory } from '../application/inventory.ts';
import { CRD_NAME, PRUNE_FINALIZER, REQUEST_ANNOTATION } from '../application/keys.ts';
import { parseApplication } from '../application/parse.ts';
import { parseRequest } from '../application/request.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../application/schema.ts';
import type { Applied } from '../apply/applied.ts';
import { applyPlan } from '../apply/apply.ts';
import { agentIdentity, type Identity } from '../cluster/identity.ts';
import { kindKey, type Kinds } from '../cluster/kinds.ts';
import type { Live } from '../cluster/live.ts';
import type { Change } from '../diff/changes.ts';
import { ownerOf } from '../object/applyset.ts';
import { formatId, idKey, type ObjectId } from '../object/identity.ts';
import { isReconcileDisabled, removalsOf } from '../object/policy.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import { planChanges } from '../plan/plan.ts';
import { composeDeleting } from '../status/compose-bare.ts';
import type { ReconcileContext } from './context.ts';
import { isOutOfReach, reachOf } from './act-as.ts';
import { observe } from './observe.ts';
import type { Again } from './queue.ts';
import { settleKinds } from './settle-kinds.ts';
import type { ApplicationState } from './state.ts';
import { identityToFinish, isTenantGone, tellTenantGone } from './tenant-gone.ts';
import { adoptAnswer, writeStatusValue, type Writer } from './status-writer.ts';

export interface Deleted {
  readonly metadata: ApplicationMetadata;
  readonly status: StoredStatus;
  /** undefined: it cannot be read. */
  readonly spec: ApplicationSpec | undefined;
}

interface Finalising extends Writer {
  readonly deleted: Deleted;
  readonly identity: Identity;
  readonly signal: AbortSignal;
}

export async function finalise(
  deleted: Deleted,
  state: ApplicationState,
  context: ReconcileContext,
  signal: AbortSignal,
): Promise<Again> {
  const { metadata, status } = deleted;
  if (!metadata.finalizers.includes(PRUNE_FINALIZER)) return { type: 'none' };
  const identity = identityToFinish(deleted, state, context);
  if (!identity) {
    context.log.warn('objects are let go: spec.serviceAccountName is no account', { application: state.key });
    return removeFinalizer({ state, context, base: state.stored });
  }
  const work: Finalising = { deleted, identity, state, context, base: state.stored, signal };
  const stored = decodeInventory(status.inventory);
  const known = state.memory.inventory;
  if (!stored.ok && !known) {
    const message = `nothing is deleted, since status.inventory cannot be read (${stored.problem}); remove the finalizer ${PRUNE_FINALIZER} to let all objects go`;
    await writeStatusValue(
      work,
      composeDeleting({ metadata, status, inventory: undefined, message, isStalled: true }, context.clock.now()),
    );
    return { type: 'none' };
  }
  // Somebody may have cut or spoilt what is stored since it was read: the longer list is the safe one to prove.
  const both = new Map([...(known ?? []), ...(stored.ok ? stored.ids : []).map((id) => [idKey(id), id] as const)]);
  const ids = [...both.values()];
  const settled = await settleKinds(state, context, ids);
  if (ids.length > 0 && (await isTenantGone(work, settled.kinds))) {
    tellTenantGone(work, ids);
    return removeFinalizer(work);
  }
  const policy = await policyFor(work, settled.kinds);
  if (policy.type === 'LetGo') return removeFinalizer(work);
  if (policy.type === 'Wait') return waitFor(work, ids, policy.reason);
  const reason = policy.type === 'Prune' ? reasonToAwaitPeers(work) : undefined;
  if (reason !== undefined) return waitFor(work, ids, reason);
  const left = await letGoOrPrune(work, { ids, ...settled, policy: policy.type });
  state.memory.inventory = new Map(left.map((id) => [idKey(id), id]));
  if (left.length === 0) return removeFinalizer(work);
  return { type: 'after', delayMs: context.settings.progressCheckMs };
}

type Policy =
  | { readonly type: 'Prune' | 'Orphan' }
  | { readonly type: 'LetGo' }
  | { readonly type: 'Wait'; readonly reason: string };

/**
 * Prune and Orphan as the spec says. A suspended or unreadable Application is let go with its marks removed; while the
 * CRD itself is being deleted, nobody asked for the objects' deletion, and nothing is touched. Whoever cannot see
 * whether that is so deletes nothing.
 */
async function policyFor({ deleted, context }: Finalising, kinds: Kinds): Promise<Policy> {
  if (!deleted.spec || deleted.spec.suspend) return { type: 'Orphan' };
  if (deleted.spec.deletionPolicy === 'Orphan') return { type: 'Orphan' };
  const crdKind = kinds.served.get(kindKey('apiextensions.k8s.io/v1', 'CustomResourceDefinition'));
  if (!crdKind) return { type: 'Wait', reason: 'the API server does not serve CustomResourceDefinitions just now' };
  const id = { group: crdKind.group, kind: crdKind.kind, namespace: '', name: CRD_NAME };
  const answer = await context.cluster.as(agentIdentity).get(crdKind, id);
  if (!answer.ok) {
    const reason = `nothing is deleted before ${formatId(id)} can be read: ${answer.refusal.message}`;
    return { type: 'Wait', reason };
  }
  const isGoing = !answer.object || answer.object.deletionTimestamp !== undefined;
  return isGoing ? { type: 'LetGo' } : { type: 'Prune' };
}

/**
 * Other Applications of the same repository that have not said yet what they desire, for as long as a hand-over may
 * take: an Application that is renamed in one commit, or while the agent is away, keeps its objects alive.
 */
function reasonToAwaitPeers({ deleted, state, context }: Finalising): string | undefined {
  const { memory } = state;
  memory.finalisingSinceMs ??= context.clock.monotonicMs();
  if (context.clock.monotonicMs() - memory.finalisingSinceMs >= context.settings.handOverWaitMs) return undefined;
  const repoURL = deleted.spec?.source.repoURL;
  const unread = livingPeers(state, context).find(({ stored, memory: { read, source } }) => {
    if (read !== undefined || source?.error !== undefined) return false;
    if (stringAt(stored, 'spec', 'source', 'repoURL') !== repoURL) return false;
    const parsed = parseApplication(stored);
    return parsed.ok && !parsed.application.spec.suspend;
  });
  if (!unread) return undefined;
  context.wake(unread.key);
  return `Application ${unread.key} of the same repository has still to say what it desires`;
}

/** Read as they are stored: there may be thousands, and as many deletions. */
function livingPeers(state: ApplicationState, { peers }: ReconcileContext): ApplicationState[] {
  return [...peers()].filter(
    (peer) => peer !== state && stringAt(peer.stored.metadata, 'deletionTimestamp') === undefined,
  );
}

/** What another Application waits for or desires goes over to it alive. */
function isWantedBy(peers: readonly ApplicationState[], id: ObjectId, { claims, cluster }: ReconcileContext): boolean {
  if (claims.wantedBy(cluster.clusterId, id).length > 0) return true;
  return peers.some(
    ({ stored, memory }) =>
      memory.read?.ids.has(idKey(id)) === true && stringAt(stored, 'spec', 'sync', 'mode') !== 'detect',
  );
}

async function waitFor(work: Finalising, left: readonly ObjectId[], reason: string): Promise<Again> {
  const { metadata, status } = work.deleted;
  const parts = { metadata, status, inventory: left, message: reason, isStalled: false };
  await writeStatusValue(work, composeDeleting(parts, work.context.clock.now()));
  return { type: 'backoff', atMostMs: work.context.settings.progressCheckMs };
}

interface Remainder {
  readonly ids: readonly ObjectId[];
  readonly kinds: Kinds;
  readonly isUnservedGone: boolean;
  readonly policy: 'Prune' | 'Orphan';
}

async function letGoOrPrune(work: Finalising, { ids, kinds, isUnservedGone, policy }: Remainder): Promise<ObjectId[]> {
  const { state, context, deleted, identity, signal } = work;
  const { namespace, name } = deleted.metadata;
  const reach = reachOf(identity, deleted.metadata, context.settings);
  const inventory = new Map(ids.map((id) => [idKey(id), id]));
  const { kindOf, live } = await observe({
    cluster: context.cluster,
    identity,
    reach,
    kinds,
    isUnservedGone,
    holder: state.key,
    desired: [],
    inventory,
    proveAbsence: false,
    concurrency: context.settings.applyConcurrency,
  });
  const asking = policy === 'Prune' && !isConfirmed(deleted) ? askingOf(ids, live) : [];
  if (asking[0]) {
    const more = asking.length > 1 ? ` and ${asking.length - 1} more` : '';
    await waitFor(
      work,
      ids,
      `${formatId(asking[0])}${more} asks for a confirmation (Delete=confirm); ${HOW_TO_CONFIRM}`,
    );
    return [...ids];
  }
  const peers = livingPeers(state, context);
  const changes = ids.flatMap((id): Change[] => {
    const entry = live.get(idKey(id));
    if (entry?.state === 'unknown') return [];
    const shown = entry?.state === 'present' ? { live: entry.object } : {};
    const isLeftAlone = entry?.state === 'present' && isKept(entry.object.body);
    const type = policy === 'Prune' && !isLeftAlone && !isWantedBy(peers, id, context) ? 'prune' : 'release';
    return [{ type, id, kind: kindOf.get(idKey(id)), fields: [], ...shown }];
  });
  const plan = planChanges({
    changes,
    mode: 'auto',
    mayPrune: true,
    isComplete: true,
    inventorySize: ids.length,
    guard: context.settings.pruneGuard,
    // Deleting the Application is the confirmation.
    isConfirmed: true,
  });
  const applied = await applyPlan(plan, {
    client: context.cluster.as(identity),
    owner: ownerOf({ hubId: context.cluster.clusterId, namespace, name }),
    occasion: 'deletion',
    concurrency: context.settings.applyConcurrency,
    signal,
    onResult: ({ outcome }) => context.metrics.onChange(outcome),
  });
  await context.reach('objects-pruned');
  const left = ids.filter((id) => {
    const outcome = applied.get(idKey(id))?.outcome;
    // What may not be touched is let go with its marks.
    if (policy === 'Orphan' && isOutOfReach(id, reach)) return false;
    return outcome !== 'pruned' && outcome !== 'released';
  });
  if (left.length > 0) await writeProgress(work, { left, applied, live });
  return left;
}

const HOW_TO_CONFIRM = `confirm it with the annotation ${REQUEST_ANNOTATION}: '{"id":"…","action":"confirm-prune"}'`;

function isKept(body: KubeObject): boolean {
  return isReconcileDisabled(body) || removalsOf(body).deletion === 'keep';
}

function askingOf(ids: readonly ObjectId[], live: Live): ObjectId[] {
  return ids.filter((id) => {
    const entry = live.get(idKey(id));
    return entry?.state === 'present' && removalsOf(entry.object.body).deletion === 'confirm';
  });
}

/** One that was answered before the deletion was about something else. */
function isConfirmed({ metadata, status }: Deleted): boolean {
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  return (
    parsed?.ok === true && parsed.request.action === 'confirm-prune' && parsed.request.id !== status.lastRequest?.id
  );
}

interface Progress {
  readonly left: readonly ObjectId[];
  readonly applied: Applied;
  readonly live: Live;
}

async function writeProgress(work: Finalising, { left, applied, live }: Progress): Promise<void> {
  const { metadata, status } = work.deleted;
  const stuck = left.find((id) => applied.get(idKey(id))?.refusal);
  const first = stuck ?? left.find((id) => applied.has(idKey(id))) ?? left[0];
  const result = first && applied.get(idKey(first));
  const entry = first && live.get(idKey(first));
  const unknown = entry?.state === 'unknown' ? entry.reason : undefined;
  const why = result?.refusal?.message ?? result?.message ?? unknown ?? 'waits for the objects before it';
  const message = first ? `${left.length} left; ${formatId(first)}: ${why}` : '';
  await writeStatusValue(
    work,
    composeDeleting(
      { metadata, status, inventory: left, message, isStalled: stuck !== undefined },
      work.context.clock.now(),
    ),
  );
}

async function removeFinalizer(work: Writer): Promise<Again> {
  const { base, context } = work;
  const answer = await context.cluster.applications.removeFinalizer(base, PRUNE_FINALIZER);
  // Gone already is what was wanted.
  if (answer.ok || answer.refusal.code !== 'NotFound') adoptAnswer(work, answer);
  await context.reach('finalizer-removed');
  return { type: 'none' };
}
