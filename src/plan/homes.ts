/** Homes of objects: their Namespace and the definition of their kind. An object cannot be created without them. */
import type { Change } from '../diff/changes.ts';
import type { ObjectId } from '../object/identity.ts';
import { stringAt } from '../object/value.ts';

/** Namespaces by name; CustomResourceDefinitions by the `group/Kind` that they define. */
export interface Homes {
  readonly namespaces: ReadonlyMap<string, ObjectId>;
  readonly definitions: ReadonlyMap<string, ObjectId>;
}

export function homesOf(id: ObjectId, homes: Homes): ObjectId[] {
  const home = id.namespace ? homes.namespaces.get(id.namespace) : undefined;
  const definition = homes.definitions.get(`${id.group}/${id.kind}`);
  return [home, definition].filter((required) => required !== undefined);
}

export function indexHomes(changes: readonly Change[]): Homes {
  const namespaces = new Map<string, ObjectId>();
  const definitions = new Map<string, ObjectId>();
  for (const { id, desired } of changes) {
    if (id.group === '' && id.kind === 'Namespace') namespaces.set(id.name, id);
    if (id.group !== 'apiextensions.k8s.io' || id.kind !== 'CustomResourceDefinition' || !desired) continue;
    const group = stringAt(desired.body, 'spec', 'group');
    const kind = stringAt(desired.body, 'spec', 'names', 'kind');
    if (group && kind) definitions.set(`${group}/${kind}`, id);
  }
  return { namespaces, definitions };
}
