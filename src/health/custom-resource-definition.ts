/** Health of CustomResourceDefinitions: Healthy once Established. From then on their objects can be applied. */
import type { LiveObject } from '../cluster/live.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './assessment.ts';

export function assessCustomResourceDefinition({ body }: LiveObject): Health {
  const conditions = conditionsOf(body);
  const terminating = conditions.get('Terminating');
  if (terminating?.status === 'True') return healthOf('Progressing', `Terminating: ${explain(terminating)}`);
  const names = conditions.get('NamesAccepted');
  if (names?.status === 'False') return healthOf('Degraded', explain(names));
  const schema = conditions.get('NonStructuralSchema');
  if (schema?.status === 'True') return healthOf('Degraded', explain(schema));
  const established = conditions.get('Established');
  if (established?.status === 'True') return HEALTHY;
  const isFailed = established?.status === 'False' && established.reason !== 'Installing';
  if (isFailed) return healthOf('Degraded', explain(established));
  return healthOf('Progressing', 'It is not established yet.');
}
