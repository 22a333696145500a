/**
 * Renders a folder of plain manifests: its YAML and JSON files in the order of their names, without subfolders.
 *
 * Invariant: a file that cannot be read becomes a problem that names the file; the other files are rendered.
 */
import type { Problem } from '../object/problem.ts';
import { fail, problemOf } from './fail.ts';
import type { RenderContext } from './file-loader.ts';
import type { BuiltObject } from './kustomize/build.ts';
import { readPlainFile } from './manifest-file.ts';

const MANIFEST = /\.(ya?ml|json)$/i;

export function readFolder(context: RenderContext, folder: string, problems: Problem[]): BuiltObject[] {
  const objects: BuiltObject[] = [];
  for (const { name } of context.tree.list(folder)) {
    if (!isManifestName(name)) continue;
    const file = folder === '' ? name : `${folder}/${name}`;
    const found = context.tree.find(file);
    if (found.type === 'folder') continue;
    try {
      for (const manifest of readPlainFile(context, file)) objects.push({ ...manifest, file });
      checkCount(context, objects.length);
    } catch (error) {
      problems.push(withHint(problemOf(error)));
    }
  }
  return objects;
}

/** Whether the file is read as a manifest. Hidden files are not. */
export function isManifestName(name: string): boolean {
  return MANIFEST.test(name) && !name.startsWith('.');
}

/** Every YAML and JSON file of a plain folder is read as a manifest, also the configuration of a tool. */
function withHint(problem: Problem): Problem {
  if (problem.code !== 'NotAnObject' || problem.hint !== undefined) return problem;
  const hint =
    'If the file is not a manifest, move it to another folder, or add a kustomization.yaml that lists the manifests.';
  return { ...problem, hint };
}

function checkCount({ limits }: RenderContext, count: number): void {
  if (count > limits.maxObjects) fail('LimitExceeded', `more than ${limits.maxObjects} objects are rendered`);
}
