/** The annotations that say where an object came from and what changed it (`buildMetadata`). */
import { newMap, type Value } from '../../object/value.ts';
import { writeYaml } from '../../object/yaml/write.ts';
import type { ResourceSet } from './resource-set.ts';
import type { Origin } from './resource.ts';

export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin';

export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations';

/** Notes a transformer on every object; one without an origin is taken to be made by it. */
export function noteTransformation(set: ResourceSet, origin: Origin): void {
  for (const resource of set.all) {
    if (resource.origin === undefined) resource.origin = origin;
    else resource.transformations.push(origin);
  }
}

export function formatOrigin(origin: Origin): string {
  return writeYaml(originValue(origin));
}

export function formatTransformations(origins: readonly Origin[]): string {
  return writeYaml(origins.map(originValue));
}

function originValue(origin: Origin): Value {
  const { path, configuredIn, configuredBy } = origin;
  const value = newMap();
  if (path !== undefined) value['path'] = path;
  if (configuredIn !== undefined) value['configuredIn'] = configuredIn;
  if (configuredBy !== undefined) {
    const { apiVersion, kind, name } = configuredBy;
    value['configuredBy'] = newMap([
      ['apiVersion', apiVersion],
      ['kind', kind],
      ...(name === undefined ? [] : [['name', name] as const]),
    ]);
  }
  return value;
}
