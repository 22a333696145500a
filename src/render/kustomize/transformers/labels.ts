/** The fields `labels` and `commonLabels`: set labels of objects, and if requested of templates and selectors. */
import { mergeSpecs, type FieldSpec } from '../field-spec.ts';
import type { Layer } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';
import { setEntries } from './set-entries.ts';
import type { Transform, Transformer } from './transformer.ts';

export const labelTransformer: Transformer = {
  name: 'LabelTransformer',
  configure: (layer: Layer) => {
    const { labels, commonLabels } = layer.kustomization;
    if (labels.length === 0 && (commonLabels === undefined || commonLabels.size === 0)) return [];
    const transforms: Transform[] = labels.map((label) => {
      const specs = specsOf(layer, label);
      return (set) => setEntries(set, label.pairs ?? new Map(), specs);
    });
    transforms.push((set) => setEntries(set, commonLabels ?? new Map(), layer.specs.commonLabels));
    return transforms;
  },
};

/** Sets labels of objects, but not of templates and selectors. */
export function setLabels(set: ResourceSet, labels: ReadonlyMap<string, string>): void {
  setEntries(set, labels, [OWN_LABELS]);
}

const OWN_LABELS: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };

function specsOf({ specs }: Layer, label: Layer['kustomization']['labels'][number]): FieldSpec[] {
  let result = mergeSpecs(label.fields, specs.labels);
  if (label.includeSelectors) return mergeSpecs(result, specs.commonLabels);
  if (label.includeTemplates) result = mergeSpecs(result, specs.templateLabels);
  if (label.includeVolumeClaimTemplates) result = mergeSpecs(result, specs.volumeClaimTemplateLabels);
  return mergeSpecs(result, [OWN_LABELS]);
}
