/** The annotations with the origin of an object and the transformers that changed it (`buildMetadata`). */
import { posix } from 'node:path';
import { writeYaml } from '../../object/yaml/write.ts';
import { parseRemoteBase } from './remote-base.ts';
import type { ResourceSet } from './resource-set.ts';
import { normalizeAnnotations, type Origin } from './resource.ts';

export const ORIGIN_ANNOTATION = 'config.kubernetes.io/origin';

export const TRANSFORMATIONS_ANNOTATION = 'alpha.config.kubernetes.io/transformations';

/** Where a kustomization is: the path as written in the files, from the first one or the root of another repository. */
export type OriginPlace = Pick<Origin, 'repo' | 'ref'> & { readonly path: string };

/** The origin of a file or folder that a kustomization names. The address of another repository begins at its root. */
export function originOf(place: OriginPlace, path: string): OriginPlace {
  const base = parseRemoteBase(path);
  if (base === undefined) return { ...place, path: posix.join(place.path, path) };
  // For the root of a repository, kustomize prints the name that stands for a clone to come.
  return { path: base.path || 'notCloned', repo: base.repoURL, ref: base.revision };
}

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
function originLines({ path, repo, ref, configuredIn, configuredBy }: Origin): string[] {
  const place = [...member('path', path), ...member('repo', repo), ...member('ref', ref)];
  const lines = [...place, ...member('configuredIn', configuredIn)];
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
