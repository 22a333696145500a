/**
 * Completes atomic values in which the server derives fields from other fields of the same value.
 *
 * Invariant: only those fields are added that the server adds at every apply of the desired value, so that the
 * comparison with the completed value hides no change.
 */
import { isEqualValue, isMap, newMap, own, type Value, type ValueMap } from '../object/value.ts';

/** Completes the desired value at a path of a built-in kind. Returns the same value if nothing is derived there. */
export function withDerivedDefaults(kind: string, tokens: readonly string[], desired: Value, live: Value): Value {
  if (kind === 'LimitRange' && tokens.length === 3 && tokens[1] === 'limits') return completeLimits(desired);
  if (kind === 'Pod' && tokens.length === 2 && tokens[1] === 'tolerations') return withAdmitted(desired, live);
  return desired;
}

/** Specification: SetDefaults_LimitRangeItem of k8s.io/kubernetes/pkg/apis/core/v1. */
function completeLimits(item: Value): Value {
  if (!isMap(item) || own(item, 'type') !== 'Container') return item;
  const limits = filledFrom(own(item, 'default'), own(item, 'max'));
  const requests = filledFrom(filledFrom(own(item, 'defaultRequest'), limits), own(item, 'min'));
  const complete = newMap(Object.entries(item));
  for (const [key, amounts] of [
    ['default', limits],
    ['defaultRequest', requests],
  ] as const) {
    if (Object.keys(amounts).length > 0) complete[key] = amounts;
  }
  return complete;
}

function filledFrom(amounts: Value | undefined, others: Value | undefined): ValueMap {
  const filled = newMap(isMap(others) ? Object.entries(others) : []);
  if (isMap(amounts)) for (const key of Object.keys(amounts)) filled[key] = amounts[key] ?? null;
  return filled;
}

const ADMITTED = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

/**
 * The admission plugin DefaultTolerationSeconds appends these two tolerations, in this order, to each Pod that does not
 * set them. 300 seconds is the server's default setting.
 */
function withAdmitted(desired: Value, live: Value): Value {
  if (!Array.isArray(desired) || !Array.isArray(live) || live.length <= desired.length) return desired;
  const said = new Set(desired.map((item) => (isMap(item) ? own(item, 'key') : undefined)));
  const complete = [...desired, ...ADMITTED.filter(({ key }) => !said.has(key))];
  return isEqualValue(complete.slice(desired.length), live.slice(desired.length)) ? complete : desired;
}
