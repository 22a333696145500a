/**
 * Health of custom resources by the rules of their kind (`kinds/`). The order is: a suspension, a generation that has
 * not been observed, the rules. Invariant: an object whose controller has not seen its latest change is never Healthy.
 */
import type { LiveObject } from '../cluster/live.ts';
import { annotationsOf } from '../object/identity.ts';
import { isMap, listAt, numberAt, own, stringAt, valueAt, type KubeObject, type Value } from '../object/value.ts';
import {
  explain,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  ORDER,
  readConditions,
  type Condition,
  type Health,
  type HealthStatus,
} from './assessment.ts';
import type { BelowTest, ConditionTest, EachRule, KindRules, PlainRule, Rule, Test } from './rules.ts';

/** The object, or an item of one of its lists. */
interface Scope {
  readonly body: KubeObject;
  readonly value: Value;
  readonly conditions: ReadonlyMap<string, Condition>;
  /** Whether a condition is older than the spec. */
  readonly isOutdated: boolean;
  readonly isObservedByCondition: boolean;
}

export function assessByRules({ body }: LiveObject, { rules, otherwise, pauses, ...set }: KindRules): Health {
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  const list = listAt(body, 'status', 'conditions');
  const scope = scopeOf({ body, value: body, list, isObservedByCondition: set.isObservedByCondition });
  const pause = pauses.find((test) => doesHold(test, scope));
  if (pause) return healthOf('Suspended', `It is paused (${nameOf(pause)}).`);
  return isObserved(body) ? decide({ rules, otherwise }, scope) : NOT_OBSERVED;
}

interface ScopeOptions extends Pick<Scope, 'body' | 'value' | 'isObservedByCondition'> {
  readonly list: readonly Value[];
}

function scopeOf({ list, ...rest }: ScopeOptions): Scope {
  const generation = numberAt(rest.body.metadata, 'generation') ?? 0;
  const isOutdated =
    rest.isObservedByCondition &&
    list.some((condition) => (numberAt(condition, 'observedGeneration') ?? generation) < generation);
  return { ...rest, isOutdated, conditions: readConditions(list) };
}

function decide({ rules, otherwise }: Pick<EachRule, 'rules' | 'otherwise'>, scope: Scope): Health {
  if (scope.isOutdated) return NOT_OBSERVED;
  for (const rule of rules) {
    const health = 'each' in rule ? worstItem(rule, scope) : decidePlainly(rule, scope);
    if (health) return health;
  }
  return otherwise === 'Healthy' ? HEALTHY : healthOf(otherwise, explainRest(rules, scope));
}

/** undefined: a test of the rule does not hold. */
function decidePlainly({ is, when }: PlainRule, scope: Scope): Health | undefined {
  if (!when.every((test) => doesHold(test, scope))) return undefined;
  return is === 'Healthy' ? HEALTHY : healthOf(is, explainTests(when, scope));
}

/** undefined: all items are Healthy, or there is none. */
function worstItem({ each, rules, otherwise }: EachRule, scope: Scope): Health | undefined {
  const found = valueAt(scope.value, ...each.split('.'));
  const items = Array.isArray(found) ? found : isMap(found) ? Object.values(found) : [];
  let worst: Health | undefined;
  for (const item of items) {
    const health = decide({ rules, otherwise }, scopeOf({ ...scope, value: item, list: listAt(item, 'conditions') }));
    if (rank(health.status) > rank(worst?.status ?? 'Healthy')) worst = health;
  }
  return worst;
}

function rank(status: HealthStatus): number {
  return ORDER.indexOf(status);
}

function doesHold(test: Test, scope: Scope): boolean {
  if ('not' in test) return !doesHold(test.not, scope);
  if ('annotation' in test) return hasAnnotation(scope.body, test.annotation, test.value);
  if ('condition' in test) {
    const found = scope.conditions.get(test.condition);
    return found !== undefined && isConditionOf(test, found);
  }
  const value = at(scope, test.path);
  if ('values' in test) return test.values.some((wanted) => wanted === value);
  if ('prefixes' in test) return typeof value === 'string' && test.prefixes.some((prefix) => value.startsWith(prefix));
  if ('isPresent' in test) return isPresent(value) === test.isPresent;
  return isBelow(value, test, scope);
}

function isConditionOf(test: ConditionTest, { status, reason, severity }: Condition): boolean {
  if (test.severities?.includes(severity) === false) return false;
  return (test.status?.includes(status) ?? true) && (test.reasons?.includes(reason) ?? true);
}

function hasAnnotation(body: KubeObject, name: string, wanted: string | undefined): boolean {
  const value = own(annotationsOf(body), name);
  return value !== undefined && (wanted === undefined || value === wanted);
}

function isPresent(value: Value | undefined): boolean {
  if (value === undefined || value === null || value === '') return false;
  return Array.isArray(value) ? value.length > 0 : !isMap(value) || Object.keys(value).length > 0;
}

function isBelow(value: Value | undefined, { below, ifAbsent }: BelowTest, scope: Scope): boolean {
  const other = typeof below === 'number' ? below : at(scope, below);
  return numberOf(value, 0) < numberOf(other, ifAbsent);
}

function numberOf(value: Value | undefined, ifAbsent: number): number {
  return typeof value === 'number' ? value : ifAbsent;
}

function at({ value }: Scope, path: string): Value | undefined {
  return valueAt(value, ...path.split('.'));
}

/** Where controllers that use no conditions say why. */
const MESSAGES = [
  ...['message', 'reason', 'error', 'errorMessage', 'failureMessage', 'lastError', 'phaseReason', 'statusMessage'],
  ...['jobStatus.message', 'applicationState.errorMessage', 'error.message', 'description'],
];

/** Split once, since every object that is not Healthy looks at all of them. */
const MESSAGE_PATHS = MESSAGES.flatMap((path) => [['status', ...path.split('.')], path.split('.')]);

/** The text of the condition that the tests name, or the value that they name with the message beside it. */
function explainTests(tests: readonly Test[], scope: Scope): string {
  for (const test of tests) {
    const condition = 'condition' in test ? scope.conditions.get(test.condition) : undefined;
    if (condition && 'condition' in test) return sentenceOf(test.condition, condition);
  }
  const facts = tests.map((test) => factOf(test, scope)).filter((fact) => fact !== '');
  const message = messageOf(scope);
  const fact = facts[0] ?? 'Its controller has not reported that it is ready.';
  return message ? `${fact}: ${message}` : fact;
}

function sentenceOf(type: string, condition: Condition): string {
  return explain(condition) || `Its condition ${type} is ${condition.status}.`;
}

function factOf(test: Test, scope: Scope): string {
  if ('below' in test) {
    const wanted = typeof test.below === 'number' ? test.below : numberOf(at(scope, test.below), test.ifAbsent);
    return `${test.path} is ${numberOf(at(scope, test.path), 0)} of ${wanted}`;
  }
  if ('values' in test || 'prefixes' in test) return `${test.path} is ${String(at(scope, test.path))}`;
  if ('isPresent' in test) return test.isPresent ? `${test.path} is set` : `${test.path} is not set yet`;
  return '';
}

function nameOf(test: Test): string {
  if ('annotation' in test) return `annotation ${test.annotation}`;
  return 'path' in test ? test.path : 'condition' in test ? `condition ${test.condition}` : 'by its status';
}

function messageOf(scope: Scope): string {
  for (const path of MESSAGE_PATHS) {
    const text = stringAt(scope.value, ...path);
    if (text) return text;
  }
  return '';
}

/** No rule has decided: a condition that the rules name and that does not hold says why, or the word they read. */
function explainRest(rules: readonly Rule[], scope: Scope): string {
  const tests = rules.flatMap((rule) => ('each' in rule ? [] : rule.when));
  for (const test of tests) {
    const condition = 'condition' in test ? scope.conditions.get(test.condition) : undefined;
    if (condition && 'condition' in test && condition.status !== 'True') return sentenceOf(test.condition, condition);
  }
  const seen = tests.filter((test) => 'values' in test && isPresent(at(scope, test.path)));
  return explainTests(seen, scope);
}
