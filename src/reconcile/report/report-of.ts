/** The report of a pass, made of its findings. Stages that were not reached leave their fields empty. */
import { formatTime } from '../../application/conditions.ts';
import type { Applied } from '../../apply/applied.ts';
import type { LiveStore } from '../../cluster/ports.ts';
import { worstHealth, type Health } from '../../health/health.ts';
import { idKey } from '../../object/identity.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { KnownParts } from '../../status/compose.ts';
import type { PassReport } from '../../status/report.ts';
import { acceptedDigest } from '../accepted.ts';
import { isAttemptOverdue, isHealthOverdue, type Attempt } from '../attempt.ts';
import type { ReconcileContext } from '../context.ts';
import { writtenOf } from '../decide/inventory.ts';
import type { Planned } from '../decide/plan-pass.ts';
import { failedSetOf, type BoundSet } from '../desired/bind-desired.ts';
import { isOnlyFollowed, nextPollMs, sourceFor } from '../desired/memory.ts';
import { STATUS_LIMITS } from '../../application/status-schema.ts';
import type { DesiredMemory } from '../desired/memory.ts';
import type { ApplicationRecord, Memory } from '../memory.ts';
import type { Pass } from '../pass.ts';
import type { PassGoal } from '../requests.ts';

export interface Findings extends Partial<Planned> {
  readonly snapshot?: Snapshot;
  readonly bound?: BoundSet;
  readonly rivalClaims?: PassReport['rivalClaims'];
  /** The attempt at the revision of the snapshot, or at none. */
  readonly attempt: Attempt;
  /** undefined: the plan has no effects, or they failed as a whole. */
  readonly applied?: Applied | undefined;
  readonly health?: ReadonlyMap<string, Health>;
  /** The worst health and the parts of the status that follow from these findings, where an earlier pass told them. */
  readonly known?: { readonly worst: Health | undefined; readonly parts: KnownParts | undefined };
}

/** The part of a pass that its report needs. */
export interface ReportedPass extends Pick<Pass, 'application' | 'identity' | 'goal' | 'failures'> {
  readonly memory: Pick<Memory, 'desired' | 'inventory' | 'endedJobs' | 'clocks'>;
  readonly record: Pick<ApplicationRecord, 'key'>;
  readonly target: { readonly live: Pick<LiveStore, 'pollingReasons'> };
  readonly context: Pick<ReconcileContext, 'clock'>;
}

export function reportOf(pass: ReportedPass, findings: Findings, phase: PassReport['phase']): PassReport {
  const { application, goal, failures, memory, context, record, target } = pass;
  const { attempt, snapshot, bound, plan } = findings;
  const worst = worstOf(findings);
  const nowMs = context.clock.monotonicMs();
  const inventory = memory.inventory.ids;
  return {
    application,
    intent: goal.intent,
    phase,
    ...commitOf(snapshot),
    ...sourcesOf(memory.desired),
    failures,
    problems: bound?.desired.problems ?? memory.desired.rendered?.manifests.problems ?? [],
    ...whyEmptyOf(memory),
    renderWarnings: memory.desired.rendered?.manifests.warnings,
    ...comparedOf(findings),
    applied: findings.applied ?? new Map(),
    waitingFor: plan?.waitingFor ?? [],
    held: plan?.held,
    ...(findings.guard ? { guard: { ...findings.guard, objectsBefore: memory.inventory.sizeBefore } } : {}),
    ...(findings.awaited ? { unready: findings.awaited.reason } : {}),
    health: findings.health ?? new Map(),
    worst,
    inventory: inventory && [...inventory.values()],
    ...(memory.inventory.encoded ? { encodedInventory: memory.inventory.encoded } : {}),
    written: findings.known?.parts ? undefined : writtenOf(memory.inventory, application.metadata.uid),
    finishedJobs: memory.endedJobs.ended,
    startedJobs: memory.endedJobs.started,
    ...hooksOf(bound),
    ...(bound ? { desiredDigest: acceptedDigest(pass.identity, bound.desired.digest) } : {}),
    isTimedOut: isAttemptOverdue(attempt, application.spec, nowMs),
    isHealthOverdue: isHealthOverdue(memory.clocks, { spec: application.spec, worst, nowMs }),
    polling: target.live.pollingReasons(record.key),
    startedAt: attempt.startedAt,
    ...nextAttempt(pass),
    ...(isInDoubt(pass) ? { isInDoubt: true } : {}),
    ...(goal.hold ? { hold: goal.hold } : {}),
    ...(goal.window ? { window: goal.window } : {}),
    ...answersOf(goal),
  };
}

/** Nothing while not all objects can be read. */
function hooksOf(bound: BoundSet | undefined): Pick<PassReport, 'deletionHooks' | 'syncFail'> {
  if (!bound?.isComplete) return {};
  const { desired } = bound;
  let hooks = 0;
  const deletionHooks = { preDelete: 0, postDelete: 0 };
  for (const { policy } of desired.objects) {
    if (policy?.isPreDelete) deletionHooks.preDelete++;
    if (policy?.isPostDelete) deletionHooks.postDelete++;
    if (policy?.isSyncFail) hooks++;
  }
  return { deletionHooks, syncFail: { set: failedSetOf(desired), hooks } };
}

function commitOf(snapshot: Snapshot | undefined): Pick<PassReport, 'revision' | 'commit' | 'about'> {
  if (!snapshot) return {};
  const { revision, commit, about } = snapshot;
  return { revision, commit, ...(about ? { about } : {}) };
}

/** Bounded, in the order of their names. */
function sourcesOf({ others }: Pick<DesiredMemory, 'others'>): Pick<PassReport, 'sources'> {
  const sources = [...others].flatMap(([key, { snapshot }]) =>
    snapshot && !isOnlyFollowed(key)
      ? [{ name: key.startsWith('$') ? key.slice(1) : snapshot.repoUrl, revision: snapshot.revision }]
      : [],
  );
  if (sources.length === 0) return {};
  sources.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { sources: sources.slice(0, STATUS_LIMITS.maxSources) };
}

function whyEmptyOf({ desired }: Pick<Pass['memory'], 'desired'>): Pick<PassReport, 'whyEmpty'> {
  const whyEmpty = desired.rendered?.manifests.whyEmpty;
  return whyEmpty === undefined ? {} : { whyEmpty };
}

type ComparedFields = 'changes' | 'rivalClaims' | 'contestedObjects' | 'isComplete' | 'isEmptyRender';

function comparedOf({
  changes = [],
  rivalClaims = [],
  braked,
  isComplete = false,
  isEmptyRender = false,
}: Findings): Pick<PassReport, ComparedFields> {
  return { changes, rivalClaims, contestedObjects: braked?.contested ?? [], isComplete, isEmptyRender };
}

function answersOf({ request, reconcileAt }: PassGoal): Pick<PassReport, 'request' | 'reconcileAt'> {
  return { ...(request ? { request } : {}), ...(reconcileAt === undefined ? {} : { reconcileAt }) };
}

/** The worst health of the desired objects. undefined: none was assessed. */
export function worstOf({ bound, health, known }: Pick<Findings, 'bound' | 'health' | 'known'>): Health | undefined {
  if (known) return known.worst;
  const members = (bound?.desired.objects ?? []).flatMap(({ id }) => {
    const found = health?.get(idKey(id));
    return found ? [{ id, health: found }] : [];
  });
  return members.length > 0 ? worstHealth(members) : undefined;
}

/** An older commit that the last poll has answered waits for another poll to agree. A failed poll is an answer. */
function isInDoubt({ goal, memory }: Pick<ReportedPass, 'goal' | 'memory'>): boolean {
  const source = sourceFor(memory.desired, goal.commit !== undefined);
  return source?.following.doubt !== undefined && source.error === undefined;
}

function nextAttempt({ goal, memory, context: { clock } }: ReportedPass): Pick<PassReport, 'nextAttemptAt'> {
  const dueMs = nextPollMs(memory.desired, goal);
  if (dueMs === undefined) return {};
  return { nextAttemptAt: formatTime(clock.now() + Math.max(0, dueMs - clock.monotonicMs())) };
}
