/** The field `replicas`: sets the number of replicas of every workload that has or had the name. */
import { fail } from '../../fail.ts';
import { fieldOfSpec, visitField } from '../field-spec.ts';
import type { Layer } from '../layer.ts';
import { currentId, gvkOf, isSelected } from '../resource-id.ts';
import { findByName, type ResourceSet } from '../resource-set.ts';
import { previousIds } from '../resource.ts';
import type { FieldSpec } from '../field-spec.ts';
import { placed, type Transformer } from './transformer.ts';

export const replicaTransformer: Transformer = {
  name: 'ReplicaCountTransformer',
  configure: ({ kustomization, specs }: Layer) => {
    return kustomization.replicas.map((replica, index) => {
      return placed({ kustomization }, ['replicas', index], () => (set) => setReplicas(set, replica, specs.replicas));
    });
  },
};

export function setReplicas(
  set: ResourceSet,
  replica: { readonly name: string; readonly count: number },
  specs: readonly FieldSpec[],
): void {
  const count = { text: String(replica.count), value: replica.count };
  let isFound = false;
  const fields = specs.map(fieldOfSpec);
  for (const resource of findByName(set, replica.name)) {
    const ids = [currentId(resource.node), ...previousIds(resource)].filter(({ name }) => name === replica.name);
    for (const field of fields) {
      if (!ids.some((id) => isSelected(id, field.spec))) continue;
      isFound = true;
      if (isSelected(gvkOf(resource.node), field.spec))
        visitField(resource.node, field, { create: 'scalar', set: () => count });
    }
  }
  if (isFound) return;
  const kinds = specs.map(({ kind }) => kind).join(', ');
  fail(
    'KustomizationInvalid',
    `replicas names ${replica.name}, but no object of a kind with replicas (${kinds}) has that name`,
  );
}
