/** Health of Namespaces; of a terminating one, what holds it. */
import type { LiveObject } from '../cluster/live.ts';
import { stringAt } from '../object/value.ts';
import { conditionsOf, HEALTHY, healthOf, type Health } from './verdict.ts';

/** What keeps a Namespace from going, the most telling first. */
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
