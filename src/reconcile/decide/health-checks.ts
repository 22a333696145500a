/**
 * Health of the objects for which people have written checks (`spec.health.checks`, `--health-checks`). The sandbox
 * evaluates a check once for each version of an object: a pass over unchanged objects asks it nothing.
 */
import { nameOfCheck, type HealthCheck } from '../../application/health-check.ts';
import type { LiveObject } from '../../cluster/live.ts';
import { checksByKind, type ChecksByKind } from '../../health/checks/checks-of.ts';
import { mayCheck, type Health, type HealthContext } from '../../health/health.ts';
import { digestText } from '../../object/digest.ts';
import { idKey } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import { StageError } from '../../object/stage-error.ts';
import type { StageFailure } from '../../status/report.ts';
import type { ReconcileContext } from '../context.ts';
import type { Memory } from '../memory.ts';
import { toFailure, type Pass } from '../pass.ts';
import type { CheckedHealth, HealthChecksMemory } from './memory.ts';

/** The part of a pass that its checks need. */
export interface CheckingPass extends Pick<Pass, 'signal' | 'failures'> {
  readonly application: {
    readonly metadata: Pick<Pass['application']['metadata'], 'namespace'>;
    readonly spec: { readonly health: { readonly checks?: readonly HealthCheck[] | undefined } };
  };
  readonly memory: Pick<Memory, 'healthChecks'>;
  readonly context: Pick<ReconcileContext, 'healthChecks'>;
}

export type CheckResults = Required<Pick<HealthContext, 'checked'>>;

/** Text of the objects of one job, and their number. */
const MAX_JOB_CHARS = 1_000_000;
const MAX_JOB_OBJECTS = 500;

/**
 * Evaluates the checks of those objects that have changed. The results of objects that are not given are forgotten. If
 * the sandbox is busy, the objects are not Healthy, and the pass has a failure that is retried.
 */
export async function runHealthChecks(pass: CheckingPass, objects: Iterable<LiveObject>): Promise<CheckResults> {
  const own = pass.application.spec.health.checks ?? [];
  const { common } = pass.context.healthChecks;
  if (own.length + common.length === 0) return { checked: () => undefined };
  const memory = pass.memory.healthChecks;
  const index = checksByKind([own, common]);
  try {
    await readChecks(pass, own);
    for (const [check, list] of findDue(memory, index, objects)) await evaluate(pass, check, list);
  } catch (error) {
    if (pass.signal.aborted || !(error instanceof StageError)) throw error;
    pass.failures.push(toFailure('health', error));
  }
  return {
    checked: (live) => {
      if (!mayCheck(live) || !index.checkOf(live.id)) return undefined;
      const found = memory.results.get(idKey(live.id));
      return found?.resourceVersion === live.resourceVersion ? found.health : NOT_EVALUATED;
    },
  };
}

/** Keeps the results of unchanged objects, and gives the others by their check. */
function findDue(
  memory: HealthChecksMemory,
  index: ChecksByKind,
  objects: Iterable<LiveObject>,
): ReadonlyMap<HealthCheck, readonly LiveObject[]> {
  const known = memory.results;
  memory.results = new Map();
  const due = new Map<HealthCheck, LiveObject[]>();
  for (const live of objects) {
    const check = mayCheck(live) ? index.checkOf(live.id) : undefined;
    if (!check) continue;
    const seen = known.get(idKey(live.id));
    if (seen?.resourceVersion === live.resourceVersion) memory.results.set(idKey(live.id), seen);
    else addTo(due, check, live);
  }
  return due;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, item: V): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

const NOT_EVALUATED: Health = { status: 'Progressing', message: 'Its check has not been evaluated yet.' };

/** For status: the expressions of the Application that cannot be read, if there are any. */
export function invalidChecks({ application, memory }: CheckingPass): StageFailure | undefined {
  const [first, ...more] = memory.healthChecks.invalid;
  const check = first && application.spec.health.checks?.[first.index];
  if (!check) return undefined;
  const rest = more.length > 0 ? ` ${more.length} more expressions cannot be read.` : '';
  const message =
    `The health check for ${nameOfCheck(check)} cannot be read (spec.health.checks[${first.index}].${first.field}): ` +
    `${first.message}. Correct the expression.${rest}`;
  return { stage: 'health', code: 'HealthCheckInvalid', message, retry: 'never' };
}

/** Forgets all results when the checks of the Application have changed, and reads the new ones. */
async function readChecks(pass: CheckingPass, own: readonly HealthCheck[]): Promise<void> {
  const memory = pass.memory.healthChecks;
  const digest = digestText(JSON.stringify(own));
  if (memory.digest === digest) return;
  memory.results = new Map();
  memory.invalid = own.length === 0 ? [] : await orStopped(readOwn(pass, own), () => [STOPPED_WHILE_READ]);
  memory.digest = digest;
}

const STOPPED_WHILE_READ: HealthChecksMemory['invalid'][number] = {
  index: 0,
  field: 'current',
  message: 'the process that reads the checks was stopped, since it took too long or needed too much memory',
};

function readOwn({ application, context, signal }: CheckingPass, own: readonly HealthCheck[]) {
  return context.healthChecks.read(own, { tenant: application.metadata.namespace, signal });
}

async function evaluate(pass: CheckingPass, check: HealthCheck, list: readonly LiveObject[]): Promise<void> {
  const { application, context, memory, signal } = pass;
  const call = { tenant: application.metadata.namespace, signal };
  for (const part of partsOf(list)) {
    const objects = part.map(({ text }) => text);
    const stopped: Health = {
      status: 'Progressing',
      message: `The check for ${nameOfCheck(check)} was stopped: it took too long or needed too much memory.`,
    };
    const healths = await orStopped(context.healthChecks.evaluate({ check, objects }, call), () => []);
    part.forEach(({ live }, position) => remember(memory.healthChecks, live, healths[position] ?? stopped));
  }
}

function remember({ results }: HealthChecksMemory, { id, resourceVersion }: LiveObject, health: Health): void {
  results.set(idKey(id), { resourceVersion, health } satisfies CheckedHealth);
}

/** A check that the sandbox has stopped would be stopped again. Other errors of the sandbox pass. */
async function orStopped<T>(running: Promise<T>, whenStopped: () => T): Promise<T> {
  try {
    return await running;
  } catch (error) {
    if (error instanceof StageError && error.code === 'Killed') return whenStopped();
    throw error;
  }
}

interface Part {
  readonly live: LiveObject;
  readonly text: string;
}

function* partsOf(list: readonly LiveObject[]): Generator<readonly Part[]> {
  let part: Part[] = [];
  let chars = 0;
  for (const live of list) {
    const text = stringifyJson(live.body);
    if (part.length > 0 && (chars + text.length > MAX_JOB_CHARS || part.length >= MAX_JOB_OBJECTS)) {
      yield part;
      [part, chars] = [[], 0];
    }
    part.push({ live, text });
    chars += text.length;
  }
  if (part.length > 0) yield part;
}
