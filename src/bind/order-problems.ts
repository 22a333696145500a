/** Mistakes in the order of objects: annotations that are not understood, unknown objects, cycles, waves against it. */
import { formatId, idKey } from '../object/identity.ts';
import { PHASES } from '../object/hooks.ts';
import { cycleIn, describeCycle, edgesOf } from '../object/order.ts';
import { DEFAULT_POLICY } from '../object/policy.ts';
import type { Problem } from '../object/problem.ts';
import type { DesiredObject } from './desired.ts';

/** Costs one look at each object where none is ordered. */
export function orderProblems(objects: readonly DesiredObject[]): Problem[] {
  const ordered = objects.filter(({ order }) => order !== undefined);
  if (ordered.length === 0) return [];
  const byKey = new Map(objects.map((object) => [idKey(object.id), object] as const));
  const problems = ordered.flatMap((object) => ownProblems(object, byKey));
  const edges = edgesOf(objects.map(({ id, order }) => ({ id, order })));
  if (!edges) return problems;
  for (const [key, earlier] of edges) {
    const object = byKey.get(key);
    for (const other of earlier.keys()) {
      const before = byKey.get(other);
      if (object && before && isInEarlierWave(object, before)) problems.push(waveProblem(object, before));
    }
  }
  const cycle = cycleIn(edges);
  const first = cycle && byKey.get(idKey(cycle[0] ?? { group: '', kind: '', namespace: '', name: '' }));
  if (cycle && first)
    problems.push(problemAt(first, `The order of objects is a cycle: ${describeCycle(cycle)}.`, BREAK));
  return problems;
}

const BREAK = 'Remove one of the annotations. Until then new manifests of these objects wait.';

function ownProblems(object: DesiredObject, byKey: ReadonlyMap<string, DesiredObject>): Problem[] {
  const { order, id } = object;
  const mistakes = (order?.mistakes ?? []).map((mistake) => problemAt(object, `${formatId(id)}: ${mistake}.`));
  const missing = (order?.dependsOn ?? []).filter((other) => !byKey.has(idKey(other)));
  return [
    ...mistakes,
    ...missing.map((other) =>
      problemAt(
        object,
        `${formatId(id)} depends on ${formatId(other)}, which is not part of this Application.`,
        'Name an object of the same Application. For another Application use spec.dependsOn.',
      ),
    ),
  ];
}

/** An object of an earlier phase or wave would wait for one that waits for its wave. */
function isInEarlierWave({ policy: own = DEFAULT_POLICY }: DesiredObject, { policy = DEFAULT_POLICY }: DesiredObject) {
  const [phase, other] = [PHASES.indexOf(own.phase), PHASES.indexOf(policy.phase)];
  return phase < other || (phase === other && own.wave < policy.wave);
}

function waveProblem(object: DesiredObject, before: DesiredObject): Problem {
  const [id, other] = [formatId(object.id), formatId(before.id)];
  return problemAt(
    object,
    `${id} has to wait for ${other}, which is in a later wave and waits for ${id}.`,
    'Change the wave of one of them.',
  );
}

function problemAt({ file, id, line }: DesiredObject, message: string, hint?: string): Problem {
  return { code: 'OrderInvalid', message, file, line, object: id, ...(hint === undefined ? {} : { hint }) };
}
