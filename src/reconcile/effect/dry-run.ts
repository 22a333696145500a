/**
 * A dry run of a sync: the plan is walked with requests that the server checks and forgets, with the rights of the
 * Application, and the answer to the request tells what would have been done.
 *
 * Invariant: only that answer is written, and nothing is remembered: the next pass finds everything as it was.
 */
import { cutText } from '../../application/conditions.ts';
import { STATUS_LIMITS } from '../../application/status-schema.ts';
import type { Applied } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import { dryRunClient } from '../../apply/dry-run-client.ts';
import { formatId } from '../../object/identity.ts';
import { formatProblem } from '../../object/problem.ts';
import type { Plan } from '../../plan/plan.ts';
import { composeAnswered } from '../../status/compose-bare.ts';
import type { NextPass, Pass } from '../pass.ts';
import type { Findings } from '../report/report-of.ts';
import { writeStatusValue } from '../report/status-writer.ts';
import { TRIAL_WORDS, type Trial } from './memory.ts';
import { isFailure, trialsOf } from './trials.ts';

const MAX_LINE_CHARS = 512;
const MAX_ERRORS = 3;
const MAX_WARNINGS = 10;
const MAX_WARNING_CHARS = 200;
/** Room for the number of objects that are not named. */
const MORE_CHARS = 32;

export function tryOut({ application, context, identity, owner, signal, target }: Pass, plan: Plan): Promise<Applied> {
  return applyPlan(plan, {
    client: dryRunClient(target.as(identity)),
    owner,
    conflicts: application.spec.sync.ssaConflicts,
    occasion: 'prune',
    isConfirmed: false,
    concurrency: context.settings.applyConcurrency,
    signal,
    onResult: () => undefined,
  });
}

/** Answers the request with the findings of the pass, and asks for a real pass. */
export async function answerDryRun(pass: Pass, findings: Findings): Promise<NextPass> {
  const { application, goal, context } = pass;
  const { request } = goal;
  if (request) {
    const answer: Answer = request.refusal
      ? { outcome: 'Refused', message: request.refusal }
      : answerOf(pass, findings);
    const { trials = [], ...told } = { ...answer };
    pass.record.trial = {
      request: request.id,
      revision: findings.snapshot?.revision,
      ...told,
      held: findings.plan?.held?.reason,
      objects: trials,
    };
    const { metadata, status } = application;
    await writeStatusValue(pass, composeAnswered({ metadata, status, request, ...told }, context.clock.now()));
  }
  return { type: 'after', delayMs: 0 };
}

interface Answer {
  readonly outcome: 'Succeeded' | 'Failed' | 'Refused';
  readonly message: string;
  /** Absent: the cluster could not be compared. */
  readonly trials?: readonly Trial[];
}

function answerOf(pass: Pass, findings: Findings): Answer {
  const { application, failures, goal } = pass;
  const { applied = new Map(), bound, changes = [], isComplete = false, isEmptyRender = false } = findings;
  const { plan, snapshot } = findings;
  const errors = shorten([
    ...failures.map(({ message }) => message),
    ...(bound?.desired.problems ?? []).map((problem) => formatProblem(problem)),
  ]);
  if (!plan || !snapshot) {
    return { outcome: 'Failed', message: errors[0] ?? 'the cluster could not be compared' };
  }
  const { intent } = goal;
  const trials = trialsOf({ application, intent, changes, plan, applied, isComplete, isEmptyRender });
  const isFailed = errors.length > 0 || isEmptyRender || trials.some(isFailure);
  if (errors.length > 0 && trials.length === 0) return { outcome: 'Failed', message: errors.join('\n') };
  const head = [
    ...errors,
    `dry run of ${snapshot.revision}, nothing was written: ${countWords(trials)}`,
    ...(plan.held ? [`held: ${plan.held.reason}`] : []),
  ];
  return { outcome: isFailed ? 'Failed' : 'Succeeded', message: messageOf(head, trials, warningsOf(applied)), trials };
}

function shorten(errors: readonly string[]): string[] {
  const more = errors.length > MAX_ERRORS ? [`… and ${errors.length - MAX_ERRORS} more`] : [];
  return [...errors.slice(0, MAX_ERRORS).map((error) => cutText(error, MAX_LINE_CHARS)), ...more];
}

/** Names the objects that differ, as many as status has room for: first those that make the sync fail. */
function messageOf(head: readonly string[], trials: readonly Trial[], warnings: readonly string[]): string {
  const news = trials.filter(({ detail }) => detail !== undefined);
  const lines = [...news.filter(isFailure), ...news.filter((trial) => !isFailure(trial))].map(({ id, detail }) =>
    cutText(`${formatId(id)}: ${detail}`, MAX_LINE_CHARS),
  );
  const tail = warnings.slice(0, MAX_WARNINGS).map((warning) => cutText(warning, MAX_WARNING_CHARS));
  let roomChars = STATUS_LIMITS.maxMessageChars - [...head, ...tail].join('\n').length - MORE_CHARS;
  const fitting = lines.findIndex((line) => (roomChars -= line.length + 1) < 0);
  const shown = fitting === -1 ? lines : lines.slice(0, fitting);
  const more = lines.length > shown.length ? [`… and ${lines.length - shown.length} more`] : [];
  return [...head, ...shown, ...more, ...tail].join('\n');
}

function warningsOf(applied: Applied): string[] {
  return [...applied.values()].flatMap(({ change, warnings = [] }) =>
    warnings.map((warning) => `warning: ${formatId(change.id)}: ${warning}`),
  );
}

function countWords(trials: readonly Trial[]): string {
  const counts = TRIAL_WORDS.map((word) => [trials.filter((trial) => trial.word === word).length, word] as const);
  const some = counts.filter(([count]) => count > 0);
  return some.length > 0 ? some.map(([count, word]) => `${count} ${word}`).join(', ') : 'nothing to do';
}
