/**
 * Atomic values that the server completes out of what they hold themselves, and not by a constant.
 *
 * Invariant: what is added is what the server adds whenever the desired value is applied, so that comparing with it
 * hides no change.
 */
import { isEqualValue, isMap, newMap, own, type Value, type ValueMap } from '../object/value.ts';

/** The desired value at a path of a built-in kind, completed; the same value where nothing is derived there. */
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
 * The admission plugin DefaultTolerationSeconds appends these two, in this order, to each Pod that does not tolerate
 * them; for how long is a setting of the server that hardly anybody changes.
 */
function withAdmitted(desired: Value, live: Value): Value {
  if (!Array.isArray(desired) || !Array.isArray(live) || live.length <= desired.length) return desired;
  const said = new Set(desired.map((item) => (isMap(item) ? own(item, 'key') : undefined)));
  const complete = [...desired, ...ADMITTED.filter(({ key }) => !said.has(key))];
  return isEqualValue(complete.slice(desired.length), live.slice(desired.length)) ? complete : desired;
}
