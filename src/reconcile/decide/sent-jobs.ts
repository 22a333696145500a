/**
 * Jobs and bare Pods whose creation was about to be sent when the agent ended, or whose answer was lost. Such a Job may
 * have run, and its time to live may have removed it since, so its absence alone says nothing.
 *
 * Invariant: the record of a creation is stored before the creation is sent. It goes when the API server has answered,
 * or when the Events of the Job tell whether it was created. Where they cannot tell and a time to live may have removed
 * the Job, it is not created again until a person asks for it.
 */
import {
  isRunOf,
  isRunToCompletion,
  isSending,
  sentAtMs,
  storedRun,
  storedSending,
} from '../../application/ended-jobs.ts';
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import { forEachConcurrently } from '../../cluster/concurrency.ts';
import { kindKey, type Kinds } from '../../cluster/kinds.ts';
import type { LiveEntry, LiveObject } from '../../cluster/live.ts';
import type { ClusterClient } from '../../cluster/ports.ts';
import { lastSeenMs } from '../../health/causes.ts';
import type { Owner } from '../../object/applyset.ts';
import { OWNER_ANNOTATION } from '../../object/applyset.ts';
import { annotationsOf, idKey, type ObjectId } from '../../object/identity.ts';
import { numberAt } from '../../object/value.ts';
import type { Plan } from '../../plan/plan.ts';
import type { JobRecords } from './ended-jobs.ts';
import type { EndedJobsMemory } from './memory.ts';

/** By `idKey`: the records that creations have replaced; undefined: there was none. */
export type Sending = ReadonlyMap<string, string | undefined>;

/** Notes all creations of Jobs and bare Pods that a plan is about to send. To be stored before they are sent. */
export function noteSending({ ended, started }: EndedJobsMemory, plan: Plan, nowMs: number): Sending {
  const sending = new Map<string, string | undefined>();
  if (!started) return sending;
  for (const { changes } of plan.waves) {
    for (const { change } of changes) {
      const { desired, id, live } = change;
      const key = idKey(id);
      // A run that a person asks for once more is the person's own.
      if (!desired || live || !isRunToCompletion(id) || isRunOf(ended?.get(key), desired.digest)) continue;
      sending.set(key, started.get(key));
      started.set(key, storedSending(desired.digest, nowMs));
    }
  }
  return sending;
}

/** Takes the records back of creations that were not sent, or that the API server has refused. */
export function endSending({ started }: EndedJobsMemory, sending: Sending, applied: Applied): void {
  for (const [key, before] of sending) {
    if (!started || !isSending(started.get(key)) || isInDoubt(applied.get(key))) continue;
    if (before === undefined) started.delete(key);
    else started.set(key, before);
  }
}

/** Whether a creation may have been carried out although no answer says so. */
function isInDoubt(result: ChangeResult | undefined): boolean {
  if (result?.outcome !== 'failed' || !result.refusal) return false;
  const { status } = result.refusal;
  return status === 0 || status >= 500;
}

export interface SentJobsQuestion {
  readonly jobs: JobRecords;
  readonly desired: readonly DesiredObject[];
  readonly owner: Owner;
  readonly kinds: Kinds;
  readonly client: Pick<ClusterClient, 'listBySelector'>;
  readonly concurrency: number;
  /** Wall clock, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** By `idKey`: `live`, with `unknown` for Jobs of which it stays open whether they have run. */
export async function settleSentJobs(
  live: ReadonlyMap<string, LiveEntry>,
  question: SentJobsQuestion,
): Promise<ReadonlyMap<string, LiveEntry>> {
  const { jobs, desired, concurrency } = question;
  const sent = desired.filter(({ id, digest }) => sentAtMs(jobs.started.get(idKey(id)), digest) !== undefined);
  if (sent.length === 0) return live;
  const settled = new Map(live);
  await forEachConcurrently(sent, { concurrency }, async (object) => {
    const key = idKey(object.id);
    const entry = live.get(key);
    if (!entry || entry.state === 'unknown') return;
    const answer =
      entry.state === 'present'
        ? { hasRun: isOurs(entry.object, question.owner) }
        : await askWhetherItRan(object, question);
    if ('reason' in answer) settled.set(key, { state: 'unknown', reason: answer.reason });
    else if (answer.hasRun) jobs.started.set(key, storedRun(object.digest, { hasFailed: false }));
    else if (entry.state !== 'present') jobs.started.delete(key);
  });
  return settled;
}

function isOurs({ body }: LiveObject, { ownerAnnotation }: Owner): boolean {
  return annotationsOf(body)[OWNER_ANNOTATION] === ownerAnnotation;
}

type Answer = { readonly hasRun: boolean } | { readonly reason: string };

/** The controllers write the first Event of an object well before its time to live can remove it. */
const FIRST_EVENT_MS = 10_000;
/** An API server keeps Events for an hour by default. */
const EVENTS_KEPT_MS = 55 * 60_000;
/** Clocks of the agent and of the API server may differ by so much. */
const CLOCK_SKEW_MS = 60_000;
const MAX_EVENTS = 500;

async function askWhetherItRan(object: DesiredObject, question: SentJobsQuestion): Promise<Answer> {
  const { jobs, kinds, nowMs, client } = question;
  const { id, digest } = object;
  if (jobs.seenRunning.has(idKey(id))) return { hasRun: true };
  const sentMs = sentAtMs(jobs.started.get(idKey(id)), digest) ?? 0;
  const eventKind = kinds.served.get(kindKey('v1', 'Event'));
  const answer = eventKind
    ? await client.listBySelector(eventKind, {
        namespace: id.namespace,
        fieldSelector: selectorOf(id),
        limit: MAX_EVENTS,
      })
    : undefined;
  if (answer?.ok && answer.objects.some(({ body }) => lastSeenMs(body) >= sentMs - CLOCK_SKEW_MS)) {
    return { hasRun: true };
  }
  const ageMs = nowMs - sentMs;
  if (answer?.ok && ageMs < FIRST_EVENT_MS) {
    return { reason: 'its creation was interrupted a moment ago, and its Events do not tell yet whether it has run' };
  }
  const isTold = answer?.ok === true && ageMs < EVENTS_KEPT_MS;
  if (isTold || !hasTimeToLive(object)) return { hasRun: false };
  const why = answer?.ok === false ? `cannot be read: ${answer.refusal.message}` : 'are no longer kept';
  return {
    reason:
      'its creation was interrupted, so it may have run and been removed by its time to live, and the Events that ' +
      `would tell ${why}; to run it, ask for a sync that names it (tautline sync --object ${id.kind}/${id.name})`,
  };
}

function selectorOf({ kind, name }: ObjectId): string {
  return `involvedObject.kind=${kind},involvedObject.name=${name}`;
}

function hasTimeToLive({ body }: DesiredObject): boolean {
  return numberAt(body, 'spec', 'ttlSecondsAfterFinished') !== undefined;
}
