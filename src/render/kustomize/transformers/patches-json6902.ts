/** The deprecated field `patchesJson6902`: JSON patches that run after labels and annotations. */
import { fail, withoutPlace } from '../../fail.ts';
import { readJsonPatch, type PatchEntry } from './patches.ts';
import { loadText, locateFile, type Layer } from '../layer.ts';
import { patchByJson } from '../patching.ts';
import { select } from '../selector.ts';
import { placed, type Transform, type Transformer } from './transformer.ts';

export const jsonPatchTransformer: Transformer = {
  name: 'PatchJson6902Transformer',
  configure: (layer: Layer) => {
    const entries = layer.kustomization.patchesJson6902 ?? [];
    return entries.map((entry, index) => {
      return placed(layer, ['patchesJson6902', index], () => configureJsonPatch(layer, entry));
    });
  },
};

export function configureJsonPatch(layer: Layer, entry: Pick<PatchEntry, 'patch' | 'path' | 'target'>): Transform {
  const { target, path } = entry;
  if (target === undefined || target.name === '')
    fail('KustomizationInvalid', 'an entry of patchesJson6902 needs a target with a name');
  if (path === '' && entry.patch === '')
    fail('KustomizationInvalid', 'an entry of patchesJson6902 needs path or patch');
  if (path !== '' && entry.patch !== '')
    fail('KustomizationInvalid', 'an entry of patchesJson6902 has both path and patch; only one is allowed');
  const { limits } = layer.build.context;
  const { file } = layer.kustomization;
  const operations =
    path === ''
      ? withoutPlace(() => readJsonPatch({ text: entry.patch, file, limits }))
      : readJsonPatch({ text: loadText(layer, path), file: locateFile(layer, path), limits });
  if (operations.length === 0) fail('KustomizationInvalid', `the JSON patch ${path} is empty`);
  return (set) => {
    for (const resource of select(set, target)) patchByJson(set, resource, operations);
  };
}
