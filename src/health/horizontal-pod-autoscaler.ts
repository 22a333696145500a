/**
 * Health of HorizontalPodAutoscalers: Degraded while they can neither read their metrics nor scale, Suspended while
 * their target is scaled to nothing. To stand at the least or the most of its range is no illness.
 */
import type { LiveObject } from '../cluster/live.ts';
import { annotationsOf } from '../object/identity.ts';
import { isMap, stringAt, type Value } from '../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Condition, type Health } from './verdict.ts';

/** Where autoscaling/v1 keeps the conditions, as JSON. */
const CONDITIONS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/conditions';
/** Three conditions with their messages; larger is not the controller's. */
const MAX_ANNOTATION_CHARS = 16_384;

export function assessHorizontalPodAutoscaler(live: LiveObject): Health {
  const conditions = scalingConditionsOf(live);
  const able = conditions.get('AbleToScale');
  if (able?.status === 'False') return healthOf('Degraded', explain(able) || 'It cannot scale its target.');
  const active = conditions.get('ScalingActive');
  if (active?.status === 'False') {
    const isOff = active.reason === 'ScalingDisabled';
    return healthOf(isOff ? 'Suspended' : 'Degraded', explain(active) || 'It cannot compute a number of replicas.');
  }
  // What is Unknown has not been tried yet.
  return able?.status === 'True' ? HEALTHY : healthOf('Progressing', 'It has not been evaluated yet.');
}

function scalingConditionsOf({ body }: LiveObject): ReadonlyMap<string, Condition> {
  const text = annotationsOf(body)[CONDITIONS_ANNOTATION];
  if (text === undefined || text.length > MAX_ANNOTATION_CHARS) return conditionsOf(body);
  return conditionsOf({ ...body, status: { conditions: parseList(text) } });
}

/** Empty for anything else than a list of maps with a type: it is the controller's text, but anyone can write it. */
function parseList(text: string): Value[] {
  try {
    const parsed = JSON.parse(text) as Value;
    return Array.isArray(parsed) ? parsed.filter((item) => isMap(item) && stringAt(item, 'type') !== undefined) : [];
  } catch {
    return [];
  }
}
