/**
 * Explains by its Pods why a workload is not available. Invariant: Pods of the newest revision take precedence, since
 * Pods of older revisions are about to be removed.
 */
import type { LiveObject } from '../cluster/live.ts';
import { labelsOf, stringMap } from '../object/identity.ts';
import { listAt, stringAt, valueAt, type KubeObject, type Value } from '../object/value.ts';
import { assessPod, isFinishedPod } from './pod.ts';
import { conditionsOf, explain, healthOf, type Health, type HealthContext } from './assessment.ts';

/** Adds the trouble of the first Pod in trouble to the message. */
export function withPodTrouble(health: Health, { pods }: HealthContext): Health {
  const trouble = worstPod(pods);
  return trouble ? healthOf(health.status, `${trimPeriod(health.message)}; ${trouble.text}`) : health;
}

/**
 * Health of a workload that is starting. Degraded if Pods cannot be created (quota, webhook, missing ServiceAccount).
 */
export function comingUp(body: KubeObject, progress: string, context: HealthContext): Health {
  const failure = conditionsOf(body).get('ReplicaFailure');
  if (failure?.status === 'True') return healthOf('Degraded', `${progress}; ${explain(failure)}`);
  return withPodTrouble(healthOf('Progressing', progress), context);
}

/** As `withPodTrouble`, but Degraded if a Pod is stuck. A Pod in phase Failed is not stuck: another replaces it. */
export function degradedByPods(health: Health, { pods }: HealthContext): Health {
  const trouble = worstPod(pods);
  if (!trouble) return health;
  return healthOf(trouble.isStuck ? 'Degraded' : health.status, `${trimPeriod(health.message)}; ${trouble.text}`);
}

interface PodTrouble {
  readonly text: string;
  readonly isStuck: boolean;
}

function worstPod(pods: readonly LiveObject[] = []): PodTrouble | undefined {
  const living = pods.filter(({ deletionTimestamp }) => deletionTimestamp === undefined).sort(byAge);
  const newest = living[0] && revisionOf(living[0]);
  const [current, older] = [living.filter(isOf(newest)), living.filter((pod) => !isOf(newest)(pod))];
  return firstTrouble(current) ?? firstTrouble(older);
}

function firstTrouble(pods: readonly LiveObject[]): PodTrouble | undefined {
  let waiting: string | undefined;
  let failed: string | undefined;
  for (const pod of pods) {
    const { status, message } = assessPod(pod);
    const text = `Pod ${pod.id.name}: ${message}`;
    if (status === 'Healthy') continue;
    if (isFinishedPod(pod)) failed ??= text;
    else if (status === 'Degraded') return { text, isStuck: true };
    else waiting ??= text;
  }
  const text = waiting ?? failed;
  return text === undefined ? undefined : { text, isStuck: false };
}

/** The newest first. Pods of the same second are ordered by name, so that equal Pods always give the same message. */
function byAge(a: LiveObject, b: LiveObject): number {
  const [ageA, ageB] = [a, b].map(({ body }) => stringAt(body.metadata, 'creationTimestamp') ?? '') as [string, string];
  if (ageA !== ageB) return ageA < ageB ? 1 : -1;
  return a.id.name < b.id.name ? -1 : 1;
}

/** Deployments set the first label on their Pods, StatefulSets and DaemonSets the second. */
function revisionOf({ body }: LiveObject): string | undefined {
  const labels = labelsOf(body);
  return labels['pod-template-hash'] ?? labels['controller-revision-hash'];
}

function isOf(revision: string | undefined): (pod: LiveObject) => boolean {
  return (pod) => revisionOf(pod) === revision;
}

/**
 * `spec.selector` as a `labelSelector` parameter of the API server. undefined if it is empty or not understood: a wider
 * selector would match Pods of other workloads.
 */
export function podSelectorOf({ body }: LiveObject): string | undefined {
  const selector = valueAt(body, 'spec', 'selector');
  const labels = Object.entries(stringMap(valueAt(selector, 'matchLabels'))).map(([key, value]) => `${key}=${value}`);
  const expressions = listAt(selector, 'matchExpressions').map(expressionText);
  if (expressions.includes(undefined)) return undefined;
  const parts = [...labels, ...expressions];
  return parts.length > 0 ? parts.join(',') : undefined;
}

const OPERATORS: Readonly<Record<string, (key: string, values: string) => string>> = {
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
};

function expressionText(expression: Value): string | undefined {
  const key = stringAt(expression, 'key');
  const operator = stringAt(expression, 'operator') ?? '';
  const values = listAt(expression, 'values').filter((value) => typeof value === 'string');
  const print = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  return key && print ? print(key, values.join(',')) : undefined;
}

function trimPeriod(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text;
}
