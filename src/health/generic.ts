/**
 * Health of kinds that have neither a file nor rules of their own, by the conventions that kstatus reads
 * (sigs.k8s.io/cli-utils, pkg/kstatus), in its order: deletionTimestamp, observedGeneration, the conditions
 * Reconciling, Stalled and Ready. In addition spec.suspend is read, which many custom resources have, and conditions
 * whose names say a failure.
 */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, valueAt } from '../object/value.ts';
import {
  conditionsOf,
  explain,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  type Condition,
  type Health,
} from './assessment.ts';

interface ConditionRule {
  readonly type: string;
  readonly statuses: readonly string[];
  readonly health: Health['status'];
}

/** The first rule that holds decides. */
const RULES: readonly ConditionRule[] = [
  { type: 'Reconciling', statuses: ['True'], health: 'Progressing' },
  { type: 'Stalled', statuses: ['True'], health: 'Degraded' },
  ...['Failed', 'Degraded', 'Error', 'Failing'].map((type): ConditionRule => ({
    type,
    statuses: ['True'],
    health: 'Degraded',
  })),
  { type: 'Ready', statuses: ['True'], health: 'Healthy' },
  { type: 'Ready', statuses: ['False', 'Unknown'], health: 'Progressing' },
];

export function assessGeneric({ body }: LiveObject): Health {
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  if (!isObserved(body)) return NOT_OBSERVED;
  const conditions = conditionsOf(body);
  for (const { type, statuses, health } of RULES) {
    const condition = conditions.get(type);
    if (!condition || !statuses.includes(condition.status)) continue;
    return health === 'Healthy' ? HEALTHY : healthOf(health, explainCondition(type, condition));
  }
  return HEALTHY;
}

/**
 * An object that is being deleted is Progressing, even if its status says otherwise. undefined for all other objects.
 */
export function assessTermination({ body, deletionTimestamp }: LiveObject): Health | undefined {
  if (deletionTimestamp === undefined) return undefined;
  const finalizers = listAt(body.metadata, 'finalizers').filter((item) => typeof item === 'string');
  const wait = finalizers.length > 0 ? `; it waits for ${finalizers.join(', ')}` : '';
  return healthOf('Progressing', `Terminating${wait}.`);
}

function explainCondition(type: string, condition: Condition): string {
  return explain(condition) || `Its condition ${type} is ${condition.status}.`;
}
