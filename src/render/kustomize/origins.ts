/** The annotations that say where an object came from and what changed it (`buildMetadata`). */
import { writeYaml } from '../../object/yaml/write.ts';
import type { ResourceSet } from './resource-set.ts';
import { partAnnotations, type Origin } from './resource.ts';

export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin';

export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations';

/** Notes a transformer on every object; one without an origin is taken to be made by it. */
export function noteTransformation(set: ResourceSet, origin: Origin): void {
  for (const resource of set.all) {
    partAnnotations(resource);
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

/** The members in the order in which kustomize declares them. */
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
