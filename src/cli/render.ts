/**
 * `tautline render DIR`: prints the same as `kustomize build DIR`. With `--directory` it also accepts a folder of plain
 * manifests, which kustomize refuses. If there is any problem, no object is printed.
 */
import { formatProblem } from '../object/problem.ts';
import { groupOf } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { writeYamlToShow } from '../object/yaml/write.ts';
import { stringAt, type Value, type ValueMap } from '../object/value.ts';
import type { RenderLimits } from '../render/manifests.ts';
import { renderObjects } from '../render/render.ts';
import { LOCAL_ROOT, openLocalTree, pathFromHere, pathInTree, withPathsFromHere } from './local-tree.ts';
import { print, printError } from './output.ts';

export type RenderOutput = 'yaml' | 'json' | 'name';

export interface RenderCommand {
  readonly dir: string;
  readonly output: RenderOutput;
  /** Whether to accept a folder without a kustomization, as the agent does. */
  readonly directory: boolean;
}

/** People render their own files, so these bounds are only for input that grows by mistake. */
export const LOCAL_LIMITS: RenderLimits = {
  maxFileBytes: 256 * 1024 * 1024,
  maxNodes: 20_000_000,
  maxDepth: 1_000,
  maxObjects: 1_000_000,
  maxFiles: 1_000_000,
};

/** Returns the exit code: 0, or 1 if the input is wrong. */
export function runRender(command: RenderCommand): 0 | 1 {
  const path = pathInTree(command.dir);
  const tree = openLocalTree(LOCAL_ROOT);
  if (tree.find(path).type !== 'folder') {
    printError(`Error: there is no folder ${command.dir}\n`);
    return 1;
  }
  const { objects, problems, warnings, whyEmpty } = renderObjects({
    tree,
    path,
    limits: LOCAL_LIMITS,
    plainFolder: command.directory ? 'render' : 'refuse',
  });
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
