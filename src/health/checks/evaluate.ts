/**
 * Evaluates one health check for some objects: the jobs `readHealthChecks` and `evaluateHealthCheck` of the sandbox.
 *
 * Invariants: `inProgress`, `failed` and `current` are evaluated in this order, and the first one that is true decides.
 * An error is Progressing with the error: an object that has no status yet is not broken, and the deadline of the
 * Application ends the wait.
 */
import { CHECK_FIELDS, type CheckField, type HealthCheck } from '../../application/health-check.ts';
import { isMap, stringAt, type Value, type ValueMap } from '../../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from '../assessment.ts';
import { compile, type Expression } from './expression.ts';

/** An expression that cannot be read. */
export interface InvalidExpression {
  /** Position of the check in its list. */
  readonly index: number;
  readonly field: CheckField;
  readonly message: string;
}

export function readHealthChecks(checks: readonly HealthCheck[]): InvalidExpression[] {
  return checks.flatMap((check, index) =>
    CHECK_FIELDS.flatMap((field): InvalidExpression[] => {
      const text = check[field];
      const compiled = text === undefined ? undefined : compile(text);
      return compiled && 'error' in compiled ? [{ index, field, message: compiled.error }] : [];
    }),
  );
}

export interface EvaluationInput {
  readonly check: HealthCheck;
  /** The objects as JSON. */
  readonly objects: readonly string[];
}

/** One health for each object, in their order. */
export function evaluateHealthCheck({ check, objects }: EvaluationInput): Health[] {
  const steps = CHECK_FIELDS.flatMap((field): Step[] => {
    const text = check[field];
    return text === undefined ? [] : [{ field, run: runnerOf(text) }];
  });
  return objects.map((text) => assess(steps, bindingsOf(text)));
}

interface Step {
  readonly field: CheckField;
  readonly run: Expression;
}

function runnerOf(text: string): Expression {
  const compiled = compile(text);
  return 'run' in compiled ? compiled.run : () => compiled;
}

const HEALTH_OF: Readonly<Record<CheckField, Health['status']>> = {
  inProgress: 'Progressing',
  failed: 'Degraded',
  current: 'Healthy',
};

function assess(steps: readonly Step[], object: ValueMap): Health {
  for (const { field, run } of steps) {
    const result = run(object);
    if (typeof result !== 'boolean') return healthOf('Progressing', `The check ${field} has an error: ${result.error}`);
    if (!result) continue;
    const status = HEALTH_OF[field];
    return status === 'Healthy' ? HEALTHY : healthOf(status, `The check ${field} is true${reasonOf(object)}`);
  }
  return healthOf('Progressing', `The check current is not true${reasonOf(object)}`);
}

/** `: reason: message` of the condition Ready, else of the first condition that is False, else `status.message`. */
function reasonOf(object: ValueMap): string {
  const conditions = conditionsOf(object as Parameters<typeof conditionsOf>[0]);
  const failed = [...conditions.values()].find(({ status }) => status === 'False');
  const condition = conditions.get('Ready') ?? failed;
  const text = (condition && explain(condition)) || stringAt(object, 'status', 'message') || '';
  return text === '' ? '.' : `: ${text}`;
}

/** Maps that expressions may ask for, although an object has none. */
const MAPS = ['metadata', 'spec', 'status', 'data'];

/** The fields of an object. Whole numbers are bigints: for CEL a number with a fraction is of another type. */
function bindingsOf(text: string): ValueMap {
  const object = JSON.parse(text, ((_key: string, value: unknown, { source = '' }: { source?: string }) =>
    typeof value === 'number' && /^-?\d{1,19}$/.test(source) ? BigInt(source) : value) as (
    key: string,
    value: unknown,
  ) => unknown) as Value;
  const bindings = isMap(object) ? object : {};
  for (const name of MAPS) if (!isMap(bindings[name])) bindings[name] = {};
  return bindings;
}
