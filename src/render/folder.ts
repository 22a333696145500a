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
    if (!MANIFEST.test(name) || name.startsWith('.')) continue;
    const file = folder === '' ? name : `${folder}/${name}`;
    const found = context.tree.find(file);
    if (found.type === 'folder') continue;
    try {
      for (const manifest of readPlainFile(context, file)) objects.push({ ...manifest, file });
      checkCount(context, objects.length);
    } catch (error) {
      problems.push(problemOf(error));
    }
  }
  return objects;
}

function checkCount({ limits }: RenderContext, count: number): void {
  if (count > limits.maxObjects) fail('LimitExceeded', `more than ${limits.maxObjects} objects are rendered`);
}
