/** Health of Namespaces. For a terminating one the message says what holds its deletion. */
import type { LiveObject } from '../cluster/live.ts';
import { stringAt } from '../object/value.ts';
import { conditionsOf, HEALTHY, healthOf, type Health } from './assessment.ts';

/** Conditions that explain why a Namespace still exists, the most specific first. */
const HOLDING = [
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceFinalizersRemaining',
  'NamespaceContentRemaining',
];

export function assessNamespace({ body, deletionTimestamp }: LiveObject): Health {
  const phase = stringAt(body, 'status', 'phase');
  if (deletionTimestamp === undefined && phase !== 'Terminating') return HEALTHY;
  const conditions = conditionsOf(body);
  for (const type of HOLDING) {
    const condition = conditions.get(type);
    if (condition?.status === 'True') return healthOf('Progressing', `Terminating: ${condition.message}`);
  }
  return healthOf('Progressing', 'Terminating.');
}
