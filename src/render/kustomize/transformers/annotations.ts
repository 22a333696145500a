/** The field `commonAnnotations`: sets annotations of objects and of their templates. */
import type { Layer } from '../layer.ts';
import { setEntries } from './set-entries.ts';
import type { Transformer } from './transformer.ts';

export const annotationsTransformer: Transformer = {
  name: 'AnnotationsTransformer',
  configure: ({ kustomization, specs }: Layer) => {
    const { commonAnnotations } = kustomization;
    if (commonAnnotations === undefined || commonAnnotations.size === 0) return [];
    return [(set) => setEntries(set, commonAnnotations, specs.commonAnnotations)];
  },
};
