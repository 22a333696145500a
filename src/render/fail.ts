/**
 * Failures inside render/: a problem is thrown as a StageError and caught where the rest of the input can still be
 * rendered. A problem never contains the content of a Secret.
 */
import type { Problem, ProblemCode } from '../object/problem.ts';
import { StageError } from '../object/stage-error.ts';

/** The parts of a problem that say where it is: file, line and so on. */
export type ProblemPlace = Omit<Problem, 'code' | 'message'>;

/** Throws a problem; `problemOf` returns it. */
export function fail(code: ProblemCode, message: string, place: ProblemPlace = {}): never {
  const problem: Problem = { ...place, code, message };
  throw new StageError({ stage: 'render', code, retry: 'never', message, cause: problem });
}

/**
 * The problem of an error that `fail` threw; another StageError of this stage counts as LimitExceeded. Throws every
 * other error again, because it is a defect of Tautline.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof StageError && error.stage === 'render') {
    const { cause } = error;
    if (typeof cause === 'object' && cause !== null && 'message' in cause && 'code' in cause) return cause as Problem;
    return { code: 'LimitExceeded', message: error.message };
  }
  throw error;
}

/**
 * Removes the place from a problem, for a text that is written inside another file: lines counted within the text would
 * be wrong in the file. The caller adds the place of the text.
 */
export function withoutPlace<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message, hint } = problemOf(error);
    return fail(code, message, hint === undefined ? {} : { hint });
  }
}

/**
 * Adds a place to a problem that `run` throws, unless the problem has a place in another file already. A place that is
 * expensive to find is given as a function.
 */
export function withPlace<T>(place: ProblemPlace | (() => ProblemPlace), run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message, ...known } = problemOf(error);
    const outer = typeof place === 'function' ? place() : place;
    const isInOtherFile = known.file !== undefined && known.file !== outer.file;
    return fail(code, message, isInOtherFile ? known : { ...outer, ...known });
  }
}
