/** The report of a pass out of what it found; what was not reached is empty. */
import { formatTime } from '../application/conditions.ts';
import { parseDuration } from '../application/duration.ts';
import type { Applied } from '../apply/applied.ts';
import { worstHealth, type Health } from '../health/health.ts';
import { idKey } from '../object/identity.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { PassReport } from '../status/report.ts';
import { acceptedDigest } from './act-as.ts';
import { isHealthOverdue } from './health-deadline.ts';
import type { Planned } from './plan-pass.ts';
import type { Asked } from './requests.ts';
import type { BoundSet } from './stages.ts';
import type { Pass } from './pass.ts';

export interface Findings extends Partial<Planned> {
  readonly snapshot?: Snapshot;
  readonly bound?: BoundSet;
  readonly contests?: PassReport['rivalClaims'];
  /** undefined: the plan has no effects, or none could be had. */
  readonly applied?: Applied | undefined;
  readonly health?: ReadonlyMap<string, Health>;
}

export function reportOf(pass: Pass, findings: Findings, phase: PassReport['phase']): PassReport {
  const { application, asked, failures, state, context } = pass;
  const { snapshot, bound, plan } = findings;
  const worst = worstOf(findings);
  const attempt = attemptAt(pass, snapshot?.revision);
  const timeoutMs = parseDuration(application.spec.sync.timeout) ?? Infinity;
  return {
    application,
    intent: asked.intent,
    phase,
    ...(snapshot ? { revision: snapshot.revision, commit: snapshot.commit } : {}),
    failures,
    problems: bound?.desired.problems ?? state.memory.rendered?.manifests.problems ?? [],
    renderWarnings: state.memory.rendered?.manifests.warnings,
    ...comparedOf(findings),
    applied: findings.applied ?? new Map(),
    waitingFor: plan?.waitingFor ?? [],
    held: plan?.held,
    ...(findings.awaited ? { unready: findings.awaited.reason } : {}),
    health: findings.health ?? new Map(),
    worst,
    inventory: state.memory.inventory ? [...state.memory.inventory.values()] : undefined,
    finishedJobs: state.memory.finished,
    ...(bound ? { desiredDigest: acceptedDigest(pass.identity, bound.desired.digest) } : {}),
    isTimedOut: context.clock.monotonicMs() - attempt.startedMs > timeoutMs,
    isHealthOverdue: isHealthOverdue(pass, snapshot?.revision, worst),
    polling: context.cluster.live.pollingReasons(state.key),
    startedAt: attempt.startedAt,
    ...nextAttempt(pass),
    ...answersOf(asked),
  };
}

type ComparedFields = 'changes' | 'rivalClaims' | 'contestedObjects' | 'isComplete' | 'isEmptyRender';

function comparedOf({
  changes = [],
  contests = [],
  braked,
  isComplete = false,
  isEmptyRender = false,
}: Findings): Pick<PassReport, ComparedFields> {
  return { changes, rivalClaims: contests, contestedObjects: braked?.contested ?? [], isComplete, isEmptyRender };
}

function answersOf({ request, reconcileAt }: Asked): Pick<PassReport, 'request' | 'reconcileAt'> {
  return { ...(request ? { request } : {}), ...(reconcileAt === undefined ? {} : { reconcileAt }) };
}

function worstOf({ bound, health }: Findings): Health | undefined {
  const members = (bound?.desired.objects ?? []).flatMap(({ id }) => {
    const found = health?.get(idKey(id));
    return found ? [{ id, health: found }] : [];
  });
  return members.length > 0 ? worstHealth(members) : undefined;
}

function nextAttempt({ state, context: { clock } }: Pass): Pick<PassReport, 'nextAttemptAt'> {
  const nextPollMs = state.memory.source?.nextPollMs;
  if (nextPollMs === undefined) return {};
  return { nextAttemptAt: formatTime(clock.now() + Math.max(0, nextPollMs - clock.monotonicMs())) };
}

/** The attempt at a revision begins with the first pass that sees it. */
function attemptAt({ state, context }: Pass, revision = ''): NonNullable<Pass['state']['memory']['attempt']> {
  const { memory } = state;
  if (memory.attempt?.revision !== revision) {
    const startedAt = formatTime(context.clock.now());
    memory.attempt = { revision, startedAt, startedMs: context.clock.monotonicMs() };
  }
  return memory.attempt;
}

/** What is left of spec.sync.timeout for the attempt at a revision, in milliseconds; never below `leastMs`. */
export function remainingMs(pass: Pass, revision: string | undefined, leastMs: number): number {
  const timeoutMs = parseDuration(pass.application.spec.sync.timeout) ?? Infinity;
  const elapsedMs = pass.context.clock.monotonicMs() - attemptAt(pass, revision).startedMs;
  return Math.ceil(Math.max(leastMs, timeoutMs - elapsedMs));
}
