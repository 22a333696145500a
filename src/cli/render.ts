/**
 * `tautline render DIR`: prints the same as `kustomize build DIR`. With flags, or with the file of an Application, it
 * prints what the agent renders with `spec.render`. If there is any problem, no object is printed.
 */
import { formatProblem } from '../object/problem.ts';
import { StageError } from '../object/stage-error.ts';
import { groupOf } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { writeYamlToShow } from '../object/yaml/write.ts';
import { stringAt, type Value, type ValueMap } from '../object/value.ts';
import { renderObjects } from '../render/render.ts';
import type { RenderFlags } from './add-render-flags.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { isLocalFolder, pathFromHere, withPathsFromHere } from './local-tree.ts';
import { print, printError } from './output.ts';
import { readRenderFlags } from './render-flags.ts';
import { NO_CLUSTER, renderHere } from './render-here.ts';
import { fail } from './with-cluster.ts';

export type RenderOutput = 'yaml' | 'json' | 'name';

export interface RenderCommand extends RenderFlags {
  readonly dir: string;
  readonly output: RenderOutput;
}

/** Returns the exit code: 0, 1 if the input is wrong, or 2 if a flag or a file that it names is. */
export async function runRender(command: RenderCommand): Promise<ExitCode> {
  const read = readRenderFlags(command);
  if (!read.ok) return fail(read.problem, EXIT.misused);
  if (!isLocalFolder(command.dir)) return fail(`there is no folder ${command.dir}`);
  const { options, data, sources, release, mayBePlain } = read.value;
  const rendered = await orProblem(
    renderHere({
      dir: command.dir,
      options,
      sources,
      plainFolder: mayBePlain ? 'render' : 'refuse',
      ...(release === undefined ? {} : { release }),
      programs: { helm: command.helm, sops: command.sops },
      capabilities: () => Promise.resolve(NO_CLUSTER),
      bringData: (need) => Promise.resolve(data.get(need.key) ?? { type: 'noData' }),
      render: renderObjects,
    }),
  );
  if (typeof rendered === 'string') return fail(rendered);
  const { objects, problems, warnings, whyEmpty } = rendered;
  for (const warning of warnings) printError(`${warning}\n`);
  for (const problem of problems) {
    const file = problem.file === undefined ? {} : { file: pathFromHere(problem.file) };
    const message = withPathsFromHere(problem.message, command.dir);
    printError(`Error: ${formatProblem({ ...problem, ...file, message })}\n`);
  }
  if (problems.length > 0) return 1;
  if (whyEmpty !== undefined) printError(`Warning: ${withPathsFromHere(whyEmpty, command.dir)}\n`);
  print(FORMATS[command.output](objects.map(({ object }) => object)));
  return 0;
}

/** The message of a StageError: helm, a repository or a chart cannot be used. */
async function orProblem<T>(work: Promise<T>): Promise<T | string> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StageError) return error.message;
    throw error;
  }
}

const FORMATS: Readonly<Record<RenderOutput, (objects: readonly ValueMap[]) => string>> = {
  yaml: (objects) => objects.map((object) => writeYamlToShow(object)).join('---\n'),
  json: (objects) => `${stringifyJson(listOf(objects), 4)}\n`,
  name: (objects) => objects.map((object) => `${nameOf(object)}\n`).join(''),
};

/** As `kubectl get -o json` does it: a single object as it is, any other number in a List. */
function listOf(objects: readonly ValueMap[]): Value {
  const [only] = objects;
  if (only !== undefined && objects.length === 1) return only;
  return { apiVersion: 'v1', items: [...objects], kind: 'List', metadata: { resourceVersion: '' } };
}

/** As `kubectl get -o name` does it: `deployment.apps/web`. */
function nameOf(object: ValueMap): string {
  const group = groupOf(stringAt(object, 'apiVersion') ?? '');
  const kind = (stringAt(object, 'kind') ?? '').toLowerCase();
  return `${group === '' ? kind : `${kind}.${group}`}/${stringAt(object, 'metadata', 'name') ?? ''}`;
}
