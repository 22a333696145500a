/**
 * Health of Argo Rollouts. Current controllers write status.phase; for older ones the conditions, the pauses and the
 * replicas tell it. A pause between the steps of a canary is Suspended: it waits for a person or for a time.
 */
import type { LiveObject } from '../cluster/live.ts';
import { annotationsOf } from '../object/identity.ts';
import { listAt, numberAt, own, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import { conditionsOf, countAt, explain, HEALTHY, healthOf, NOT_OBSERVED, type Health } from './assessment.ts';

const WORKLOAD_GENERATION = 'rollout.argoproj.io/workload-generation';
const FAILURES: ReadonlySet<string> = new Set(['ProgressDeadlineExceeded', 'RolloutAborted']);

export function assessRollout({ body }: LiveObject): Health {
  if (valueAt(body, 'spec', 'paused') === true) return healthOf('Suspended', 'Its rollout is paused (spec.paused).');
  if (!isObserved(body)) return NOT_OBSERVED;
  return phaseOf(body) ?? failureOf(body) ?? pauseOf(body) ?? progressOf(body);
}

/** The observed generation is a text. Before version 1.0 it was a hash, which tells nothing. */
function isObserved(body: KubeObject): boolean {
  const seen = stringAt(body, 'status', 'observedGeneration') ?? '';
  const generation = numberAt(body.metadata, 'generation');
  if (generation !== undefined && /^\d{1,9}$/.test(seen) && Number(seen) < generation) return false;
  const workload = own(annotationsOf(body), WORKLOAD_GENERATION);
  const seenWorkload = stringAt(body, 'status', 'workloadObservedGeneration');
  return workload === undefined || seenWorkload === undefined || workload === seenWorkload;
}

function phaseOf(body: KubeObject): Health | undefined {
  const message = stringAt(body, 'status', 'message') ?? '';
  switch (stringAt(body, 'status', 'phase')) {
    case 'Healthy':
      return HEALTHY;
    case 'Degraded':
      return healthOf('Degraded', message || 'Its rollout has failed.');
    case 'Paused':
      return healthOf('Suspended', message || 'Its rollout is paused.');
    case 'Progressing':
      return healthOf('Progressing', message || 'Its rollout is not complete.');
    default:
      return undefined;
  }
}

function failureOf(body: KubeObject): Health | undefined {
  const conditions = conditionsOf(body);
  const invalid = conditions.get('InvalidSpec');
  if (invalid?.status === 'True') return healthOf('Degraded', explain(invalid));
  const progressing = conditions.get('Progressing');
  if (progressing && FAILURES.has(progressing.reason)) return healthOf('Degraded', explain(progressing));
  return valueAt(body, 'status', 'abort') === true ? healthOf('Degraded', 'Its rollout was aborted.') : undefined;
}

function pauseOf(body: KubeObject): Health | undefined {
  const pauses = listAt(body, 'status', 'pauseConditions');
  const isPaused = pauses.length > 0 || valueAt(body, 'status', 'controllerPause') === true;
  if (!isPaused) return undefined;
  const reason = stringAt(pauses[0], 'reason') ?? '';
  return healthOf('Suspended', reason ? `Its rollout is paused: ${reason}.` : 'Its rollout is paused.');
}

function progressOf(body: KubeObject): Health {
  const progress = replicasOf(body) ?? switchOf(body);
  return progress === undefined ? HEALTHY : healthOf('Progressing', progress);
}

function replicasOf(body: KubeObject): string | undefined {
  const wanted = numberAt(body, 'spec', 'replicas') ?? 1;
  const updated = countAt(body, 'status', 'updatedReplicas');
  const available = countAt(body, 'status', 'availableReplicas');
  if (updated < wanted) return `${updated} of ${wanted} replicas updated`;
  return available < wanted ? `${available} of ${wanted} replicas available` : undefined;
}

/** Whether traffic, or the stable version, is still that of the old Pods. */
function switchOf(body: KubeObject): string | undefined {
  const current = stringAt(body, 'status', 'currentPodHash');
  const isBlueGreen = valueAt(body, 'spec', 'strategy', 'blueGreen') !== undefined;
  if (isBlueGreen) {
    const active = stringAt(body, 'status', 'blueGreen', 'activeSelector');
    return active === current ? undefined : 'the active Service does not select the new Pods yet';
  }
  const stable = stringAt(body, 'status', 'stableRS') ?? stringAt(body, 'status', 'canary', 'stableRS');
  const total = countAt(body, 'status', 'replicas');
  const updated = countAt(body, 'status', 'updatedReplicas');
  if (total > updated) return `${total - updated} old replicas to be stopped`;
  return stable === undefined || stable === current ? undefined : 'the new version is not the stable one yet';
}
