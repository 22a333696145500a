/** The deprecated field `patchesStrategicMerge`: paths of patches, or inline patches. */
import { fail, problemOf, withoutPlace } from '../../fail.ts';
import type { TextObject } from '../../manifest-text.ts';
import { entriesOf, loadText, locateFile, type AtEntry, type Layer } from '../layer.ts';
import { findOne, patchSelected, readPatches } from './patches.ts';
import { placed, type Transform, type Transformer } from './transformer.ts';

export const strategicMergeTransformer: Transformer = {
  name: 'PatchStrategicMergeTransformer',
  configure: (layer: Layer) => {
    const paths = layer.kustomization.patchesStrategicMerge ?? [];
    if (paths.length === 0) return [];
    const atEntry = entriesOf(layer, 'patchesStrategicMerge');
    return [placed(layer, ['patchesStrategicMerge'], () => configureStrategicMerge(layer, { paths, atEntry }))];
  },
};

interface StrategicMerges {
  readonly paths: readonly string[];
  /** Further patches in one text; they run last. */
  readonly inline?: string;
  readonly atEntry?: AtEntry;
}

export function configureStrategicMerge(layer: Layer, { paths, inline = '', atEntry }: StrategicMerges): Transform {
  const { limits } = layer.build.context;
  const { file } = layer.kustomization;
  const at: AtEntry = atEntry ?? ((_index, run) => run());
  const patches = paths.flatMap((path, index) => {
    return at(index, () => readEntry(layer, path)).map(({ node }) => ({ node, index }));
  });
  if (inline !== '') {
    const objects = withoutPlace(() => readPatches({ text: inline, file, limits }));
    for (const { node } of objects) patches.push({ node, index: paths.length });
  }
  if (patches.length === 0) fail('KustomizationInvalid', `the patches ${paths.join(', ')} are empty`);
  return (set) => {
    for (const { node, index } of patches) {
      at(index, () => {
        patchSelected(layer, set, [findOne(set, node)], { node, allowNameChange: false, allowKindChange: false });
      });
    }
  };
}

/** Reads an entry, which is an inline patch if it can be read as one, and otherwise a path. */
function readEntry(layer: Layer, entry: string): TextObject[] {
  const { limits } = layer.build.context;
  try {
    return withoutPlace(() => readPatches({ text: entry, file: layer.kustomization.file, limits }));
  } catch (error) {
    // An entry of several lines cannot be a path, so the problem of the patch is shown.
    if (entry.includes('\n')) throw error;
    problemOf(error);
    return readPatches({ text: loadText(layer, entry), file: locateFile(layer, entry), limits });
  }
}
