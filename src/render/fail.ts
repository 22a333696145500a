/**
 * How render/ gives up: by the one error, with the problem inside, caught where the rest can still go on. A problem
 * never holds the content of a Secret.
 */
import type { Problem, ProblemCode } from '../object/problem.ts';
import { StageError } from '../object/stage-error.ts';

/** Throws a problem; `problemOf` takes it out again. */
export function fail(code: ProblemCode, message: string, place: Omit<Problem, 'code' | 'message'> = {}): never {
  const problem: Problem = { ...place, code, message };
  throw new StageError({ stage: 'render', code, retry: 'never', message, cause: problem });
}

/** The problem that an error of `fail` carries; throws everything else again, since that is a fault of ours. */
export function problemOf(error: unknown): Problem {
  if (error instanceof StageError && error.stage === 'render') {
    const { cause } = error;
    if (typeof cause === 'object' && cause !== null && 'message' in cause && 'code' in cause) return cause as Problem;
    return { code: 'LimitExceeded', message: error.message };
  }
  throw error;
}

/** For a text inside another file: its own lines would name wrong ones there. What is around says where it stands. */
export function withoutPlace<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message, hint } = problemOf(error);
    return fail(code, message, hint === undefined ? {} : { hint });
  }
}

type ProblemPlace = Omit<Problem, 'code' | 'message'>;

/**
 * Runs something and says of what it throws where that is, unless it says so itself. A place that costs something to
 * find is given as a function.
 */
export function within<T>(place: ProblemPlace | (() => ProblemPlace), run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message, ...known } = problemOf(error);
    const around = typeof place === 'function' ? place() : place;
    const isElsewhere = known.file !== undefined && known.file !== around.file;
    return fail(code, message, isElsewhere ? known : { ...around, ...known });
  }
}
