/** patchesStrategicMerge (deprecated): paths of files, or patches written in their place. */
import { fail, problemOf } from '../../fail.ts';
import { readObjects, type TextObject } from '../../manifest-text.ts';
import { loadText, locateFile, type Layer } from '../layer.ts';
import { findOne, patchSelected } from './patches.ts';
import { placed, type Transform, type Transformer } from './transformer.ts';

export const strategicMergeTransformer: Transformer = {
  name: 'PatchStrategicMergeTransformer',
  configure: (layer: Layer) => {
    const paths = layer.kustomization.patchesStrategicMerge ?? [];
    if (paths.length === 0) return [];
    return [placed(layer, ['patchesStrategicMerge'], () => configureStrategicMerge(layer, paths, ''))];
  },
};

export function configureStrategicMerge(layer: Layer, paths: readonly string[], inline: string): Transform {
  const { limits } = layer.build.context;
  const { file } = layer.kustomization;
  const objects = paths.flatMap((path) => readOne(layer, path));
  if (inline !== '') objects.push(...readObjects({ text: inline, file, limits }));
  if (objects.length === 0) fail('KustomizationInvalid', `the patches ${paths.join(', ')} are empty`);
  return (set) => {
    for (const { node } of objects) {
      patchSelected(layer, set, [findOne(set, node)], { node, allowNameChange: false, allowKindChange: false });
    }
  };
}

/** An entry is a patch if it can be read as one, else a path. */
function readOne(layer: Layer, entry: string): TextObject[] {
  const { limits } = layer.build.context;
  try {
    return readObjects({ text: entry, file: layer.kustomization.file, limits });
  } catch (error) {
    const problem = problemOf(error);
    // Of several lines it cannot be a path, and what is wrong with it as a patch is what its author wants to know.
    if (entry.includes('\n')) fail(problem.code, problem.message);
    return readObjects({ text: loadText(layer, entry), file: locateFile(layer, entry), limits });
  }
}
