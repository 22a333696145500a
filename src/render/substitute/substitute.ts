/**
 * Replaces variables in rendered objects as `postBuild` of Flux does: each object is written as YAML, its expressions
 * are replaced in that text, and the text is read again. So a value without quotes may become a number or a map.
 *
 * Invariants: an object without `$` is not touched. If one object fails, the result has no objects, as in Flux. Values
 * of variables never appear in a message. An object with a value of a Secret is marked, unless it is a Secret itself.
 */
import type { Problem } from '../../object/problem.ts';
import { isSecret } from '../../object/redact.ts';
import { StageError } from '../../object/stage-error.ts';
import { isKubeObject, isMap, mapAt, own, stringAt, type Value, type ValueMap } from '../../object/value.ts';
import { nodeToValue } from '../../object/yaml/node.ts';
import { readYaml } from '../../object/yaml/read.ts';
import { writeYaml } from '../../object/yaml/write.ts';
import { fail, problemOf } from '../fail.ts';
import { countGenerated, readText, type RenderContext } from '../file-loader.ts';
import type { BuiltObject } from '../built-object.ts';
import { evaluate, type Filled } from './evaluate.ts';
import { ExpressionError, readExpressions, type Part } from './expression.ts';
import type { Costs } from './functions.ts';
import type { Variables } from './variables.ts';

/** Problems that are reported at most. */
const MAX_PROBLEMS = 20;

/** Steps of matching and searching in one render. */
const MAX_WORK = 100_000_000;

/** Objects with this label or annotation stay as they are. */
const SWITCHES = ['kustomize.toolkit.fluxcd.io/substitute', 'tautline.dev/substitute'];

/**
 * The objects with the values of the variables; empty if `problems` grows. Without any variable nothing is replaced, as
 * in Flux.
 */
export function substituteObjects(
  context: RenderContext,
  objects: readonly BuiltObject[],
  { variables, problems }: { readonly variables: Variables; readonly problems: Problem[] },
): readonly BuiltObject[] {
  if (variables.values.size === 0) return objects;
  const costs = costsOf(context);
  const replaced: BuiltObject[] = [];
  let failures = 0;
  for (const object of objects) {
    try {
      replaced.push(substituteObject({ context, object, variables, costs }));
    } catch (error) {
      problems.push(problemOf(error));
      failures += 1;
      if (failures >= MAX_PROBLEMS) break;
    }
  }
  return failures > 0 ? [] : replaced;
}

function costsOf(context: RenderContext): Costs {
  let work = 0;
  return {
    text: (chars) => countGenerated(context, chars),
    work: (steps) => {
      work += steps;
      if (work > MAX_WORK) fail('LimitExceeded', `the substitution takes more than ${MAX_WORK} steps`);
    },
  };
}

interface Substitution {
  readonly context: RenderContext;
  readonly object: BuiltObject;
  readonly variables: Variables;
  readonly costs: Costs;
}

function substituteObject(substitution: Substitution): BuiltObject {
  const { object: built, variables, costs } = substitution;
  const { object, file, line } = built;
  if (!hasDollar(object) || isSwitchedOff(object)) return built;
  const text = writeYaml(object);
  const result = evaluate(readParts(text, built), { variables: variables.values, costs });
  if (!result.ok) {
    const { name } = result.expression;
    const place = placeOfName(substitution, name);
    if (result.reason === 'unknown') fail('SubstitutionFailed', unknown(name, object), { ...place, hint: HINT });
    fail('SubstitutionFailed', `an expression of ${name} cuts a character in half in ${nameOf(object)}`, place);
  }
  const value = readResult(substitution, result);
  const isNamed = isMap(value) && [stringAt(value, 'kind'), stringAt(value, 'metadata', 'name')].every(Boolean);
  if (!isMap(value) || (!isNamed && isNamedAtFirst(object))) {
    const message = `${nameOf(object)} has no kind or no metadata.name of type text after the substitution`;
    return fail('SubstitutionFailed', message, { file, line, hint: 'Put the expression in quotes.' });
  }
  const isHidden = isKubeObject(value) && isSecret(value);
  const isMarked = built.isSealed || !result.read.isDisjointFrom(variables.secretNames);
  return { object: value, file, line, ...(!isHidden && isMarked && { isSealed: true }) };
}

const HINT =
  'Add it to spec.render.substitute, give it a default as in ${NAME:-default}, or write $${ for a text that is no ' +
  `variable. An object with the annotation ${SWITCHES[1]}: disabled stays as it is.`;

function unknown(name: string, object: ValueMap): string {
  return `the variable ${name} in ${nameOf(object)} has no value`;
}

function readParts(text: string, { object, file, line }: BuiltObject): readonly Part[] {
  try {
    return readExpressions(text);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const hint = 'Write $${ for a text that is no variable.';
    return fail('SubstitutionFailed', `${error.message}, in ${nameOf(object)}`, { file, line, hint });
  }
}

/** Reads a text with the values of variables as version 2 of go-yaml does. Fails without showing the text. */
function readResult(
  { context: { limits }, object: { object, file, line } }: Substitution,
  { text, filled }: { readonly text: string; readonly filled: readonly Filled[] },
): Value {
  const { maxNodes, maxDepth } = limits;
  const result = readYaml(text, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text', maxNodes, maxDepth });
  if (!result.ok) {
    const { offset, code } = result.failure;
    const last = filled.findLast(({ at }) => at <= offset)?.name;
    const near = last === undefined ? '' : `; look at the value of ${last}`;
    if (code === 'LimitExceeded') fail(code, `${nameOf(object)} is too large after the substitution`, { file, line });
    return fail('SubstitutionFailed', `${nameOf(object)} is not valid YAML after the substitution${near}`, {
      file,
      line,
      hint: 'Put the expression in quotes.',
    });
  }
  const root = result.documents[0]?.root;
  const value = root === undefined ? null : nodeToValue(root);
  if (!isFiniteEverywhere(value)) {
    fail('SubstitutionFailed', `${nameOf(object)} has a number that is not finite after the substitution`, {
      file,
      line,
    });
  }
  return value;
}

function hasDollar(value: Value): boolean {
  if (typeof value === 'string') return value.includes('$');
  if (Array.isArray(value)) return value.some(hasDollar);
  return isMap(value) && Object.keys(value).some((key) => key.includes('$') || hasDollar(value[key] as Value));
}

function isFiniteEverywhere(value: Value): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isFiniteEverywhere);
  return !isMap(value) || Object.keys(value).every((key) => isFiniteEverywhere(value[key] as Value));
}

function isSwitchedOff(object: ValueMap): boolean {
  const maps = ['annotations', 'labels'].map((field) => mapAt(object, 'metadata', field));
  return maps.some((map) => SWITCHES.some((key) => own(map, key) === 'disabled'));
}

/** Lists have no name. */
function isNamedAtFirst(object: ValueMap): boolean {
  return stringAt(object, 'metadata', 'name') !== undefined;
}

function nameOf(object: ValueMap): string {
  return `${stringAt(object, 'kind') ?? 'an object'} ${stringAt(object, 'metadata', 'name') ?? ''}`.trimEnd();
}

/** The line of the file that uses a variable, if the expression stands there as it is; else that of the object. */
function placeOfName({ context, object }: Substitution, name: string): { file: string; line: number } {
  const { file, line } = object;
  const lines = linesOf(context, file).slice(line - 1);
  const index = lines.findIndex((text) => new RegExp(`\\$\\{#?${name}(?![\\p{L}\\p{Nd}_])`, 'u').test(text));
  return { file, line: index < 0 ? line : line + index };
}

/** The lines of a file of the tree; none if the objects come from elsewhere. */
function linesOf(context: RenderContext, file: string): readonly string[] {
  if (context.tree.find(file).type !== 'file') return [];
  try {
    return readText(context, file).split('\n');
  } catch (error) {
    if (error instanceof StageError) return [];
    throw error;
  }
}
