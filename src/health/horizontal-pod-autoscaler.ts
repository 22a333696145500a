/**
 * Health of HorizontalPodAutoscalers: Degraded while they cannot scale or cannot read their metrics, Suspended while
 * their target has zero replicas. An autoscaler at its minimum or maximum is Healthy.
 */
import type { LiveObject } from '../cluster/live.ts';
import { annotationsOf } from '../object/identity.ts';
import { isMap, stringAt, type Value } from '../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Condition, type Health } from './assessment.ts';

/** The annotation in which autoscaling/v1 stores the conditions as JSON. */
const CONDITIONS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/conditions';
/** Enough for three conditions with their messages. A longer annotation does not come from the controller. */
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
  // A condition that is Unknown or absent has not been evaluated yet.
  return able?.status === 'True' ? HEALTHY : healthOf('Progressing', 'It has not been evaluated yet.');
}

function scalingConditionsOf({ body }: LiveObject): ReadonlyMap<string, Condition> {
  const text = annotationsOf(body)[CONDITIONS_ANNOTATION];
  if (text === undefined || text.length > MAX_ANNOTATION_CHARS) return conditionsOf(body);
  return conditionsOf({ ...body, status: { conditions: parseList(text) } });
}

/** Empty unless the text is a JSON list. Keeps only maps with a type, since anyone can write the annotation. */
function parseList(text: string): Value[] {
  try {
    const parsed = JSON.parse(text) as Value;
    return Array.isArray(parsed) ? parsed.filter((item) => isMap(item) && stringAt(item, 'type') !== undefined) : [];
  } catch {
    return [];
  }
}
