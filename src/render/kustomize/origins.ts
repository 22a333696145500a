/** The annotations with the origin of an object and the transformers that changed it (`buildMetadata`). */
import { writeYaml } from '../../object/yaml/write.ts';
import type { ResourceSet } from './resource-set.ts';
import { normalizeAnnotations, type Origin } from './resource.ts';

export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin';

export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations';

/** Records a transformer on every object. An object without an origin counts as made by the transformer. */
export function noteTransformation(set: ResourceSet, origin: Origin): void {
  for (const resource of set.all) {
    normalizeAnnotations(resource);
    if (resource.origin === undefined) resource.origin = origin;
    else resource.transformations.push(origin);
  }
}

export function formatOrigin(origin: Origin): string {
  return `${originLines(origin).join('\n')}\n`;
}

export function formatTransformations(origins: readonly Origin[]): string {
  return origins
    .flatMap((origin) => originLines(origin).map((line, index) => `${index === 0 ? '- ' : '  '}${line}\n`))
    .join('');
}

/** The members in the order of kustomize. */
function originLines({ path, configuredIn, configuredBy }: Origin): string[] {
  const lines = [...member('path', path), ...member('configuredIn', configuredIn)];
  if (configuredBy === undefined) return lines;
  const { apiVersion, kind, name, namespace } = configuredBy;
  const by = [
    ...member('apiVersion', apiVersion),
    ...member('kind', kind),
    ...member('name', name),
    ...member('namespace', namespace),
  ];
  return [...lines, 'configuredBy:', ...by.map((line) => `  ${line}`)];
}

function member(name: string, text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : [`${name}: ${writeYaml(text).trimEnd()}`];
}
