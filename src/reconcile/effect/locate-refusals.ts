/**
 * Adds to each refused object the line of the field that the API server refuses. The child finds it in the file of the
 * manifest, once for each version of it.
 *
 * Invariant: a line that cannot be found costs nothing but the line: the message names that of the object.
 */
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import { compareIds, idKey } from '../../object/identity.ts';
import { memberPath, type MemberPath } from '../../object/field-path.ts';
import { StageError } from '../../object/stage-error.ts';
import { isMap, own, type Value } from '../../object/value.ts';
import type { FieldQuestion } from '../../render/locate-fields.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { ReconcileContext } from '../context.ts';
import type { Memory } from '../memory.ts';
import type { Pass } from '../pass.ts';

/** Objects of one pass whose lines are looked for; status names the first one. */
const MAX_LOCATED = 20;

export interface LocatingPass {
  readonly application: { readonly metadata: Pick<Pass['application']['metadata'], 'namespace'> };
  readonly memory: Pick<Memory, 'refused'>;
  readonly signal: AbortSignal;
  readonly context: {
    readonly render: Pick<ReconcileContext['render'], 'locateFields'>;
  };
}

export async function locateRefusals(
  pass: LocatingPass,
  { tree }: Pick<Snapshot, 'tree'>,
  applied: Applied,
): Promise<Applied> {
  const { application, context, memory, signal } = pass;
  const asked = [...applied.values()]
    .sort((a, b) => compareIds(a.change.id, b.change.id))
    .flatMap((result) => questionOf(result))
    .slice(0, MAX_LOCATED);
  const before = memory.refused.lines;
  const news = asked.filter(({ key }) => !before.has(key));
  const questions = news.map(({ question }) => question);
  const request = { tree, questions, tenant: application.metadata.namespace, signal };
  const found = news.length === 0 ? [] : await context.render.locateFields(request).catch(unlessStageError);
  const lines = new Map(news.map(({ key }, index) => [key, found[index]] as const));
  memory.refused.lines = new Map(asked.map(({ key }) => [key, before.get(key) ?? lines.get(key)] as const));
  const located = new Map(applied);
  for (const { key, id, result } of asked) {
    const line = memory.refused.lines.get(key);
    if (line !== undefined) located.set(id, { ...result, line });
  }
  return located;
}

function unlessStageError(error: unknown): [] {
  if (error instanceof StageError) return [];
  throw error;
}

interface Asked {
  /** Names the answer in the memory. */
  readonly key: string;
  readonly id: string;
  readonly result: ChangeResult;
  readonly question: FieldQuestion;
}

/** The first field of a refusal is the one that its message begins with. */
function questionOf(result: ChangeResult): Asked[] {
  const { change, outcome, refusal } = result;
  const { desired } = change;
  const field = refusal?.fields?.[0];
  if (outcome !== 'failed' || !desired || desired.isSealed || field === undefined) return [];
  const { body, digest, file, line } = desired;
  const path = memberPath(body, field);
  const { apiVersion, kind } = body;
  const question = { file, line, apiVersion, kind, path, scalar: scalarAt(body, path) };
  const id = idKey(change.id);
  return [{ key: [id, digest, file, line, field].join('\n'), id, result, question }];
}

/** The scalar at a path as a text; null for any other value. */
function scalarAt(object: Value, path: MemberPath): string | null {
  let at: Value | undefined = object;
  for (const step of path) at = Array.isArray(at) ? at[Number(step)] : isMap(at) ? own(at, String(step)) : undefined;
  return at === undefined || at === null || typeof at === 'object' ? null : String(at);
}
