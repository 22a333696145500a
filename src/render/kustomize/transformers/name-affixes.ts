/** The fields `namePrefix` and `nameSuffix`. Some kinds keep their names, because these have a meaning of their own. */
import { textOf } from '../../../object/yaml/node.ts';
import { fieldOfSpec, visitField, type Field, type FieldSpec } from '../field-spec.ts';
import type { Layer } from '../layer.ts';
import { gvkOf, isSelected, type Gvk } from '../resource-id.ts';
import { changeAll, type ResourceSet } from '../resource-set.ts';
import { originalId, recordPreviousId, type Resource } from '../resource.ts';
import { retyped } from '../retyped.ts';
import type { Transformer } from './transformer.ts';

export const prefixTransformer: Transformer = {
  name: 'PrefixTransformer',
  configure: ({ kustomization, specs }: Layer) => {
    const { namePrefix } = kustomization;
    return namePrefix === '' ? [] : [(set) => affixNames(set, { prefix: namePrefix, suffix: '' }, specs.namePrefix)];
  },
};

export const suffixTransformer: Transformer = {
  name: 'SuffixTransformer',
  configure: ({ kustomization, specs }: Layer) => {
    const { nameSuffix } = kustomization;
    return nameSuffix === '' ? [] : [(set) => affixNames(set, { prefix: '', suffix: nameSuffix }, specs.nameSuffix)];
  },
};

export interface Affixes {
  readonly prefix: string;
  readonly suffix: string;
}

const KEEP_NAME: readonly Gvk[] = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

export function affixNames(set: ResourceSet, affixes: Affixes, specs: readonly FieldSpec[]): void {
  const fields = specs.map(fieldOfSpec);
  changeAll(set, (resource) => {
    const id = originalId(resource);
    if (KEEP_NAME.some((kind) => isSelected(id, kind))) return;
    for (const field of fields) if (isSelected(id, field.spec)) affix(resource, affixes, field);
  });
}

function affix(resource: Resource, { prefix, suffix }: Affixes, field: Field): void {
  const { spec } = field;
  if (spec.path === 'metadata/name') {
    // The affixes are recorded, because references are matched by the affixes of the layers that an object has passed.
    if (prefix !== '') resource.prefixes.push(prefix);
    if (suffix !== '') resource.suffixes.push(suffix);
    if (prefix !== '' || suffix !== '') recordPreviousId(resource);
  }
  if (!isSelected(gvkOf(resource.node), spec)) return;
  visitField(resource.node, field, {
    create: 'scalar',
    set: (found) => retyped(found, `${prefix}${textOf(found)}${suffix}`),
  });
}
