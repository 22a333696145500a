/**
 * A dry run of a sync: the plan is walked with requests that the server checks and forgets, with the rights of the
 * Application, and the answer to the request tells what would have been done.
 *
 * Invariant: only that answer is written, and nothing is remembered: the next pass finds everything as it was.
 */
import type { Application } from '../../application/schema.ts';
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import { dryRunClient } from '../../apply/dry-run-client.ts';
import type { Change } from '../../diff/changes.ts';
import { judgeDryRun } from '../../diff/evidence.ts';
import { formatId, idKey } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import { formatProblem } from '../../object/problem.ts';
import type { Plan } from '../../plan/plan.ts';
import { composeAnswered } from '../../status/compose-bare.ts';
import type { NextPass, Pass } from '../pass.ts';
import type { Findings } from '../report/report-of.ts';
import { writeStatusValue } from '../report/status-writer.ts';

/** Differences that the answer spells out; the counts are of all. */
const MAX_SHOWN = 10;

export function tryOut({ context, identity, owner, signal, target }: Pass, plan: Plan): Promise<Applied> {
  return applyPlan(plan, {
    client: dryRunClient(target.as(identity)),
    owner,
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
    const answer = request.refusal
      ? { outcome: 'Refused' as const, message: request.refusal }
      : answerOf(pass, findings);
    const { metadata, status } = application;
    await writeStatusValue(pass, composeAnswered({ metadata, status, request, ...answer }, context.clock.now()));
  }
  return { type: 'after', delayMs: 0 };
}

interface Answer {
  readonly outcome: 'Succeeded' | 'Failed';
  readonly message: string;
}

function answerOf(pass: Pass, findings: Findings): Answer {
  const { snapshot, bound, plan } = findings;
  const [failure] = pass.failures;
  if (failure) return { outcome: 'Failed', message: failure.message };
  const [problem] = bound?.desired.problems ?? [];
  if (problem) return { outcome: 'Failed', message: formatProblem(problem) };
  if (!plan || !snapshot) return { outcome: 'Failed', message: 'the cluster could not be compared' };
  const trials = trialsOf(pass.application, findings, plan);
  const isRefused = trials.some(({ word }) => word === 'refused');
  const lines = [`dry run of ${snapshot.revision}, nothing was written: ${countWords(trials)}`];
  if (plan.held) lines.push(`held: ${plan.held.reason}`);
  const news = trials.filter(({ detail }) => detail !== undefined);
  lines.push(...news.slice(0, MAX_SHOWN).map(({ id, detail }) => `${formatId(id)}: ${detail}`));
  if (news.length > MAX_SHOWN) lines.push(`… and ${news.length - MAX_SHOWN} more`);
  lines.push(...warningsOf(findings).slice(0, MAX_SHOWN));
  return { outcome: isRefused ? 'Failed' : 'Succeeded', message: lines.join('\n') };
}

function warningsOf({ applied = new Map() }: Findings): string[] {
  return [...applied.values()].flatMap(({ change, warnings = [] }) =>
    warnings.map((warning) => `warning: ${formatId(change.id)}: ${warning}`),
  );
}

interface Trial {
  readonly id: Change['id'];
  readonly word: (typeof WORDS)[number];
  /** undefined: the object stays as it is. */
  readonly detail: string | undefined;
}

const WORDS = [
  'created',
  'changed',
  'adopted',
  'pruned',
  'released',
  'held',
  'waiting',
  'refused',
  'unchanged',
] as const;

function trialsOf({ spec }: Application, { applied = new Map() }: Findings, plan: Plan): Trial[] {
  const sends = plan.waves.flatMap(({ changes }) => changes.map(({ change }) => change));
  const namespaces = new Set(sends.filter(({ id }) => id.kind === 'Namespace').map(({ id }) => id.name));
  const { destination } = spec;
  if (destination.createNamespace && destination.namespace) namespaces.add(destination.namespace);
  const trials = sends.map((change) => trialOf(change, applied.get(idKey(change.id)), namespaces));
  const gone = plan.prunes.flatMap(({ changes }) => changes.map(({ change }) => change));
  for (const change of gone) {
    const { refusal, outcome } = applied.get(idKey(change.id)) ?? {};
    if (refusal) trials.push({ id: change.id, word: 'refused', detail: refusal.message });
    else if (outcome === 'unchanged') trials.push({ id: change.id, word: 'unchanged', detail: undefined });
    else if (outcome === 'released') trials.push({ id: change.id, word: 'released', detail: 'would be released' });
    else trials.push({ id: change.id, word: 'pruned', detail: 'would be pruned' });
  }
  for (const { id } of plan.releases) trials.push({ id, word: 'released', detail: 'would be released' });
  for (const { id } of plan.held?.changes ?? []) trials.push({ id, word: 'held', detail: 'its prune would be held' });
  for (const { id, reason } of plan.waitingFor) trials.push({ id, word: 'waiting', detail: `would wait: ${reason}` });
  return trials;
}

function trialOf(change: Change, result: ChangeResult | undefined, namespaces: ReadonlySet<string>): Trial {
  const { id } = change;
  // The dry run of its Namespace did not create it.
  const isHomeless = result?.refusal?.code === 'NamespaceMissing' && namespaces.has(id.namespace);
  if (isHomeless || result?.outcome === 'created') return { id, word: 'created', detail: 'would be created' };
  if (!result) return { id, word: 'waiting', detail: 'was not tried' };
  if (result.refusal) return { id, word: 'refused', detail: result.refusal.message };
  if (result.outcome === 'recreating') return { id, word: 'changed', detail: 'would be deleted and created again' };
  if (!result.live) return { id, word: 'waiting', detail: result.message ?? 'would wait' };
  if (result.outcome === 'adopted') return { id, word: 'adopted', detail: 'would be adopted' };
  const { type, fields } = judgeDryRun(change, result.live);
  if (type === 'none') return { id, word: 'unchanged', detail: undefined };
  const shown = fields.slice(0, 3).map(({ path, live, desired }) => `${path} from ${show(live)} to ${show(desired)}`);
  return { id, word: 'changed', detail: `would change ${shown.join(', ') || 'in its bookkeeping'}` };
}

function show(value: Parameters<typeof stringifyJson>[0] | undefined): string {
  return value === undefined ? 'nothing' : stringifyJson(value);
}

function countWords(trials: readonly Trial[]): string {
  const counts = WORDS.map((word) => [trials.filter((trial) => trial.word === word).length, word] as const);
  const some = counts.filter(([count]) => count > 0);
  return some.length > 0 ? some.map(([count, word]) => `${count} ${word}`).join(', ') : 'nothing to do';
}
