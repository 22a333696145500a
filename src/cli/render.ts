/**
 * `tautline render DIR`: prints what `kustomize build DIR` prints; with `--directory` also the objects of a plain
 * folder, which kustomize refuses. Any problem means that nothing is printed.
 */
import { relative, resolve } from 'node:path';
import { formatProblem } from '../object/problem.ts';
import { formatId, groupOf } from '../object/identity.ts';
import { stringifyJson } from '../object/json.ts';
import { writeYaml } from '../object/yaml/write.ts';
import { stringAt, type ValueMap } from '../object/value.ts';
import type { RenderLimits } from '../render/manifests.ts';
import { renderObjects } from '../render/render.ts';
import { openLocalTree } from './local-tree.ts';

export type RenderOutput = 'yaml' | 'json' | 'name';

export interface RenderCommand {
  readonly dir: string;
  readonly output: RenderOutput;
  /** Print the manifests of a folder that has no kustomization, as the agent would apply them. */
  readonly directory: boolean;
}

/** A person renders their own files, so these are there for runaway input only. */
const LIMITS: RenderLimits = {
  maxFileBytes: 256 * 1024 * 1024,
  maxNodes: 20_000_000,
  maxDepth: 1_000,
  maxObjects: 1_000_000,
  maxFiles: 1_000_000,
};

/** Returns the exit code: 0, or 1 where the input is wrong. */
export function runRender(command: RenderCommand): 0 | 1 {
  // The tree begins at the root of the file system: bases may lie beside or above the folder.
  const root = resolve('/');
  const path = relative(root, resolve(command.dir)).split(/[\\/]/).join('/');
  const { objects, problems, warnings } = renderObjects({
    tree: openLocalTree(root),
    path,
    limits: LIMITS,
    plainFolder: command.directory ? 'render' : 'refuse',
  });
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  for (const problem of problems) {
    const file =
      problem.file === undefined ? {} : { file: relative(process.cwd(), resolve(root, problem.file)) || '.' };
    process.stderr.write(`Error: ${formatProblem({ ...problem, ...file })}\n`);
  }
  if (problems.length > 0) return 1;
  process.stdout.write(FORMATS[command.output](objects.map(({ object }) => object)));
  return 0;
}

const FORMATS: Readonly<Record<RenderOutput, (objects: readonly ValueMap[]) => string>> = {
  yaml: (objects) => objects.map((object) => writeYaml(object)).join('---\n'),
  json: (objects) => objects.map((object) => `${stringifyJson(object, 2)}\n`).join(''),
  name: (objects) => objects.map((object) => `${nameOf(object)}\n`).join(''),
};

function nameOf(object: ValueMap): string {
  const group = groupOf(stringAt(object, 'apiVersion') ?? '');
  const namespace = stringAt(object, 'metadata', 'namespace') ?? '';
  const name = stringAt(object, 'metadata', 'name') ?? '';
  return formatId({ group, kind: stringAt(object, 'kind') ?? '', namespace, name });
}
