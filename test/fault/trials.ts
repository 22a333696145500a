/**
 * Random trials for fast-check, and a list that covers every fault of the API server on every kind of request, every
 * fault of Git, a kill at every named point with one agent and with two, and every situation.
 */
import fc from 'fast-check';
import { FAULT_POINTS } from '../../src/reconcile/context.ts';
import { API_FAULTS, API_TARGETS, GIT_FAULT_NAMES, type ApiFaultName, type ApiTargetName } from './faults.ts';
import { OBJECTS } from './situations/commits.ts';
import { SITUATIONS, SUBJECTS, withoutExcluded, type SituationName, type Trial } from './trial.ts';

const API_FAULT_NAMES = Object.keys(API_FAULTS) as ApiFaultName[];
const API_TARGET_NAMES = Object.keys(API_TARGETS) as ApiTargetName[];

/** Points that are reached only while an Application is deleted. */
const DELETION_POINTS: ReadonlySet<string> = new Set(['finalizer-removed']);

/** Points that are reached only when an object is deleted and created again. */
const RECREATION_POINTS: ReadonlySet<string> = new Set(['object-recreating']);

/** Shares of the random trials; `large` takes the longest. */
const WEIGHTS: Readonly<Record<SituationName, number>> = {
  ...{ commits: 5, removal: 1, specs: 5, lag: 2, jobs: 3, fight: 2, guard: 3, large: 1 },
};

const index = fc.nat({ max: OBJECTS - 1 });
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const times = fc.integer({ min: 1, max: 3 });

const commit = fc.array(fc.record({ index, action: fc.constantFrom('change', 'toggle') }), {
  minLength: 1,
  maxLength: 4,
});
const handEdits = fc.array(fc.record({ index, action: fc.constantFrom('change', 'delete', 'unlabel') }), {
  maxLength: 2,
});

const api = fc.record({
  fault: fc.constantFrom(...API_FAULT_NAMES),
  target: fc.constantFrom(...API_TARGET_NAMES),
  fraction,
  times,
});
const git = fc.record({ fault: fc.constantFrom(...GIT_FAULT_NAMES), fraction, times });
const kill = fc.record({
  point: fc.constantFrom(...FAULT_POINTS.filter((point) => !DELETION_POINTS.has(point))),
  count: fc.integer({ min: 1, max: 2 }),
});

/** In one of `share` draws. */
function sometimes<T>(arbitrary: fc.Arbitrary<T>, share: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 1, arbitrary }, { weight: share - 1, arbitrary: fc.constant(undefined) });
}

/** Any combination of a fault of the API server, a fault of Git and a kill, in one of the given situations. */
export function trialArbitrary(situations: readonly SituationName[] = SITUATIONS): fc.Arbitrary<Trial> {
  const weighted = situations.map((name) => ({ weight: WEIGHTS[name], arbitrary: fc.constant(name) }));
  const drawn = fc.record({
    situation: fc.oneof(...weighted),
    seed: fc.nat({ max: 1_000_000 }),
    subject: fc.nat({ max: SUBJECTS - 1 }),
    commit,
    handEdits,
    isPaired: fc.boolean(),
    isRecreation: fc.boolean(),
    api: sometimes(api, 2),
    git: sometimes(git, 3),
    kill: sometimes(kill, 3),
  });
  return drawn.map(({ api: apiFault, git: gitFault, kill: killed, ...rest }) =>
    withoutExcluded({
      ...rest,
      ...(apiFault && { api: apiFault }),
      ...(gitFault && { git: gitFault }),
      ...(killed && { kill: killed }),
    }),
  );
}

/** Returns at least `least` trials: first each fault alone, then random ones. The same seed gives the same list. */
export function listTrials(least: number, seed: number): Trial[] {
  const named = [...situationTrials(), ...apiTrials(), ...gitTrials(), ...killTrials()];
  const numRuns = Math.max(named.length, least);
  const random = fc.sample(trialArbitrary(), { numRuns, seed });
  return random.map((trial, at) => {
    const { api: _api, git: _git, kill: _kill, ...withoutFaults } = trial;
    const namedFault = named[at];
    // In turns, so that neighbours in the list can run at the same time.
    const subject = at % SUBJECTS;
    return namedFault ? { ...withoutFaults, isPaired: false, situation: 'commits', subject, ...namedFault } : trial;
  });
}

/** Every situation without faults, several times. */
function situationTrials(): Partial<Trial>[] {
  return [1, 2, 3].flatMap(() => SITUATIONS.map((situation) => ({ situation })));
}

function apiTrials(): Partial<Trial>[] {
  return API_FAULT_NAMES.flatMap((fault, row) =>
    API_TARGET_NAMES.map((target, column) => ({
      api: { fault, target, fraction: ((row * 7 + column * 3) % 10) / 10, times: 1 + ((row + column) % 3) },
      // The commit removes an object from Git, or adds it again; a removal leads to a DELETE request.
      ...(target === 'prune' ? { commit: [{ index: row, action: 'toggle' as const }] } : {}),
    })),
  );
}

function gitTrials(): Partial<Trial>[] {
  return GIT_FAULT_NAMES.flatMap((fault) =>
    [0.2, 0.7].map((fraction) => ({ git: { fault, fraction, times: fraction < 0.5 ? 1 : 3 } })),
  );
}

function killTrials(): Partial<Trial>[] {
  return FAULT_POINTS.flatMap((point) =>
    [false, true].flatMap((isPaired) => {
      const isRecreation = RECREATION_POINTS.has(point);
      // The one immutable object is recreated once a trial, so its point is not reached a second time.
      const counts = isRecreation ? [1, 1, 1] : [1, 2, 1];
      const kills = counts.map((count) => ({ kill: { point, count }, isPaired, isRecreation }));
      const deletion = { kill: { point, count: 1 }, isPaired, situation: 'removal' as const };
      const isOfDeletion = DELETION_POINTS.has(point);
      return [...(isOfDeletion ? [] : kills), ...(isOfDeletion || point === 'objects-pruned' ? [deletion] : [])];
    }),
  );
}
