/**
 * Trials as fast-check draws them, and the list that leaves out none: every fault of the API server on every kind of
 * request, every fault of Git, every named point of a kill, with one agent and with two.
 */
import fc from 'fast-check';
import { FAULT_POINTS } from '../../src/reconcile/context.ts';
import { API_FAULTS, API_TARGETS, GIT_FAULT_NAMES, type ApiFaultName, type ApiTargetName } from './faults.ts';
import { OBJECTS, SUBJECTS, type Trial } from './ordeal.ts';

const API_FAULT_NAMES = Object.keys(API_FAULTS) as ApiFaultName[];
const API_TARGET_NAMES = Object.keys(API_TARGETS) as ApiTargetName[];

/** Reached only while an Application is being deleted. */
const DELETION_POINTS: ReadonlySet<string> = new Set(['finalizer-removed']);

/** Reached only where something cannot be changed in place. */
const RECREATION_POINTS: ReadonlySet<string> = new Set(['object-recreating']);

const index = fc.nat({ max: OBJECTS - 1 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const times = fc.integer({ min: 1, max: 3 });

const commit = fc.array(fc.record({ index, action: fc.constantFrom('change', 'toggle') }), {
  minLength: 1,
  maxLength: 4,
});
const hand = fc.array(fc.record({ index, action: fc.constantFrom('change', 'delete', 'unlabel') }), { maxLength: 2 });

const api = fc.record({
  fault: fc.constantFrom(...API_FAULT_NAMES),
  target: fc.constantFrom(...API_TARGET_NAMES),
  n: share,
  times,
});
const git = fc.record({ fault: fc.constantFrom(...GIT_FAULT_NAMES), n: share, times });
const kill = fc.record({
  point: fc.constantFrom(...FAULT_POINTS.filter((point) => !DELETION_POINTS.has(point))),
  count: fc.integer({ min: 1, max: 2 }),
});

/** Anything together: a fault of each side and, now and then, a kill. */
export const trialArbitrary: fc.Arbitrary<Trial> = fc.record(
  {
    subject: fc.nat({ max: SUBJECTS - 1 }),
    commit,
    hand,
    isPaired: fc.boolean(),
    isRecreation: fc.boolean(),
    api,
    git,
    kill,
  },
  { requiredKeys: ['subject', 'commit', 'hand', 'isPaired'] },
);

/** At least `least` trials: each fault alone, then drawn ones. The same for the same seed. */
export function listTrials(least: number, seed: number): Trial[] {
  const named = [...apiTrials(), ...gitTrials(), ...killTrials()];
  const numRuns = Math.max(named.length, least);
  const drawn = fc.sample(trialArbitrary, { numRuns, seed });
  return drawn.map((random, at) => {
    const { api: _api, git: _git, kill: _kill, ...calm } = random;
    const only = named[at];
    return only ? { ...calm, isPaired: false, ...only } : random;
  });
}

function apiTrials(): Partial<Trial>[] {
  return API_FAULT_NAMES.flatMap((fault, row) =>
    API_TARGET_NAMES.map((target, column) => ({
      api: { fault, target, n: ((row * 7 + column * 3) % 10) / 10, times: 1 + ((row + column) % 3) },
      // What is to be pruned must be there to be pruned.
      ...(target === 'prune' ? { commit: [{ index: row, action: 'toggle' as const }] } : {}),
    })),
  );
}

function gitTrials(): Partial<Trial>[] {
  return GIT_FAULT_NAMES.flatMap((fault) => [0.2, 0.7].map((n) => ({ git: { fault, n, times: n < 0.5 ? 1 : 3 } })));
}

function killTrials(): Partial<Trial>[] {
  return FAULT_POINTS.flatMap((point) =>
    [false, true].flatMap((isPaired) => {
      const isRecreation = RECREATION_POINTS.has(point);
      // What is deleted is made anew at once: nothing leads to that point a second time.
      const counts = isRecreation ? [1, 1, 1] : [1, 2, 1];
      const kills = counts.map((count) => ({ kill: { point, count }, isPaired, isRecreation }));
      const deletion = { kill: { point, count: 1 }, isPaired, isDeletion: true };
      const isOfDeletion = DELETION_POINTS.has(point);
      return [...(isOfDeletion ? [] : kills), ...(isOfDeletion || point === 'objects-pruned' ? [deletion] : [])];
    }),
  );
}
