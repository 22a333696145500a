/**
 * The parent's side of health checks: expressions of people run in the sandbox. Objects go there as JSON in parts of a
 * bounded size, and one job holds the objects of one check, so that a check that takes too long stops no other one.
 */
import type { HealthCheck } from '../application/health-check.ts';
import type { EvaluationInput, InvalidExpression } from '../health/checks/evaluate.ts';
import type { Health } from '../health/health.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * Time for one job, without the start of its child: more than a job of the short lane gets, since the first one loads
 * the library on a machine that may be busy. An evaluation takes some microseconds.
 */
const DEADLINE_MS = 10_000;

export interface CheckCall {
  /** The namespace of the Application; '' for the checks of the agent. */
  readonly tenant: string;
  readonly signal?: AbortSignal | undefined;
}

export interface HealthChecksPort {
  /** The expressions that cannot be read. Rejects with the StageErrors of the sandbox. */
  read(checks: readonly HealthCheck[], call: CheckCall): Promise<readonly InvalidExpression[]>;
  /** One health for each object, in their order. Rejects with the StageErrors of the sandbox. */
  evaluate(input: EvaluationInput, call: CheckCall): Promise<readonly Health[]>;
}

/** Checks of health for all Applications, after their own. */
export interface CommonChecks {
  readonly common: readonly HealthCheck[];
}

export function checksInSandbox(
  sandbox: Pick<Sandbox, 'run'>,
  { deadlineMs = DEADLINE_MS }: { readonly deadlineMs?: number } = {},
): HealthChecksPort {
  const run = async (name: string, input: unknown, { tenant, signal }: CheckCall): Promise<unknown> => {
    const job = { name, stage: 'health', input, tenant, dataFolders: [] } as const;
    return JSON.parse(Buffer.from(await sandbox.run(job, { deadlineMs, signal })).toString());
  };
  return {
    read: async (checks, call) => (await run('readHealthChecks', checks, call)) as readonly InvalidExpression[],
    evaluate: async (input, call) => (await run('evaluateHealthCheck', input, call)) as readonly Health[],
  };
}
