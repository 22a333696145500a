/**
 * Long computations in steps: the caller may let others have their turn between two of them (`inTurns` in
 * cluster/concurrency.ts), or run them to their end at once.
 *
 * Invariant: a step handles a bounded number of items, whatever the size of the input.
 */

/** A computation that pauses after each step. */
export type Steps<T> = Generator<undefined, T>;

/** Runs a computation to its end without a pause. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Items between two pauses: a pause costs about as much as a look at one item. */
const ITEMS_PER_STEP = 16;

/** Calls `visit` for each item in order, with pauses. */
export function* visitSteps<T>(items: Iterable<T>, visit: (item: T) => void): Steps<void> {
  let visited = 0;
  for (const item of items) {
    visit(item);
    if (++visited % ITEMS_PER_STEP === 0) yield;
  }
}

/** Like Array.map, with pauses. */
export function* mapSteps<T, R>(items: Iterable<T>, map: (item: T) => R): Steps<R[]> {
  const mapped: R[] = [];
  yield* visitSteps(items, (item) => {
    mapped.push(map(item));
  });
  return mapped;
}

/** Like Array.filter, with pauses. */
export function* filterSteps<T>(items: Iterable<T>, isWanted: (item: T) => boolean): Steps<T[]> {
  const wanted: T[] = [];
  yield* visitSteps(items, (item) => {
    if (isWanted(item)) wanted.push(item);
  });
  return wanted;
}

/** Items that are sorted, or merged, without a pause. */
const RUN_LENGTH = 1_024;

/** Like Array.toSorted: stable, and items that are in order already are compared once. */
export function* sortSteps<T>(items: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += RUN_LENGTH) {
    runs.push(items.slice(start, start + RUN_LENGTH).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* mergeSteps(runs[index] ?? [], runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

/** Merges two sorted lists; of equal items those of the first list come first. */
function* mergeSteps<T>(first: T[], second: T[], compare: (a: T, b: T) => number): Steps<T[]> {
  const [last, next] = [first.at(-1), second[0]];
  if (last === undefined || next === undefined || compare(last, next) <= 0) return first.concat(second);
  const merged: T[] = [];
  let [left, right] = [0, 0];
  while (left < first.length && right < second.length) {
    const isFirst = compare(first[left] as T, second[right] as T) <= 0;
    merged.push((isFirst ? first[left++] : second[right++]) as T);
    if (merged.length % RUN_LENGTH === 0) yield;
  }
  return merged.concat(first.slice(left), second.slice(right));
}
