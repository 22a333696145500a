/**
 * Gathers the variables of a render: those of ConfigMaps and Secrets in their order, then those of the Application,
 * which win. As in Flux, line ends are removed from values, and every name must be a name of a shell variable.
 *
 * Invariant: no value appears in a message.
 */
import type { Problem } from '../../object/problem.ts';
import { ask, type RenderContext } from '../file-loader.ts';
import type { DataNeed } from '../needs.ts';

export interface SubstituteFrom {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** Whether the object may be absent. */
  readonly optional: boolean;
}

export interface SubstituteOptions {
  readonly substitute?: Readonly<Record<string, string>> | undefined;
  readonly substituteFrom?: readonly SubstituteFrom[] | undefined;
}

const NAME = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

/** The need for all data of a ConfigMap or Secret in the namespace of the Application. */
function dataNeed({ kind, name }: SubstituteFrom): DataNeed {
  return { type: 'data', key: `${kind} ${name}`, kind, name };
}

export interface Variables {
  readonly values: ReadonlyMap<string, string>;
  /** Names whose values are from a Secret. */
  readonly secretNames: ReadonlySet<string>;
}

/**
 * The variables by name, as far as the answers are known. Names that are not allowed and objects that are missing are
 * added to `problems`. Fails with the problem of an answer that cannot be brought.
 */
export function readVariables(
  context: Pick<RenderContext, 'answers' | 'answersUsed' | 'needs'>,
  { substitute = {}, substituteFrom = [] }: SubstituteOptions,
  problems: Problem[],
): Variables {
  const values = new Map<string, string>();
  const secretNames = new Set<string>();
  const add = (origin: string, data: Readonly<Record<string, string>>, isSecret = false): void => {
    for (const [name, value] of Object.entries(data)) {
      if (!NAME.test(name)) {
        problems.push(badName(origin, name));
        continue;
      }
      values.set(name, value.replaceAll('\n', ''));
      if (isSecret) secretNames.add(name);
      else secretNames.delete(name);
    }
  };
  for (const from of substituteFrom) {
    const answer = ask(context, dataNeed(from));
    if (answer?.type === 'data') add(`the ${from.kind} ${from.name}`, answer.data, from.kind === 'Secret');
    else if (answer?.type === 'noData' && !from.optional) problems.push(missing(from));
  }
  add('spec.render.substitute', substitute);
  return { values, secretNames };
}

function badName(origin: string, name: string): Problem {
  return {
    code: 'SubstitutionFailed',
    message: `${origin} has the key ${name}, which is not a name of a variable`,
    hint: 'Names of variables have letters, digits and _, and do not begin with a digit.',
  };
}

function missing({ kind, name }: SubstituteFrom): Problem {
  return {
    code: 'SubstitutionFailed',
    message: `the ${kind} ${name} of spec.render.substituteFrom does not exist in the namespace of the Application`,
    hint: 'Create it, or set optional: true.',
  };
}
