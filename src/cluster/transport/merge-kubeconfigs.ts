/**
 * Merges kubeconfigs as kubectl does: of several entries with one name, and of several current contexts, the first
 * counts. Paths in a file are relative to that file, so they are made absolute.
 */
import { dirname, isAbsolute, resolve } from 'node:path';
import { isMap, listAt, mapAt, newMap, own, stringAt, type Value, type ValueMap } from '../../object/value.ts';

export interface ReadKubeconfig {
  readonly file: string;
  readonly root: Value;
}

/** The lists of a kubeconfig: the member of each entry, and its fields that hold paths. */
const LISTS: readonly (readonly [list: string, member: string, paths: readonly string[]])[] = [
  ['contexts', 'context', []],
  ['clusters', 'cluster', ['certificate-authority']],
  ['users', 'user', ['client-certificate', 'client-key', 'tokenFile']],
];

export function mergeKubeconfigs(kubeconfigs: readonly ReadKubeconfig[]): ValueMap {
  const merged = newMap([
    ['apiVersion', 'v1'],
    ['kind', 'Config'],
  ]);
  const current = kubeconfigs.map(({ root }) => stringAt(root, 'current-context') ?? '').find((name) => name !== '');
  if (current !== undefined) merged['current-context'] = current;
  for (const [list, member, paths] of LISTS) {
    const byName = new Map<string, Value>();
    for (const { file, root } of kubeconfigs) {
      for (const entry of listAt(root, list)) {
        const name = stringAt(entry, 'name') ?? '';
        if (isMap(entry) && !byName.has(name)) byName.set(name, withAbsolutePaths(entry, { file, member, paths }));
      }
    }
    merged[list] = [...byName.values()];
  }
  return merged;
}

interface PathFields {
  readonly file: string;
  readonly member: string;
  readonly paths: readonly string[];
}

function withAbsolutePaths(entry: ValueMap, { file, member, paths }: PathFields): ValueMap {
  const value = newMap(Object.entries(mapAt(entry, member)));
  for (const path of paths) {
    const named = own(value, path);
    if (typeof named === 'string' && named !== '' && !isAbsolute(named)) value[path] = resolve(dirname(file), named);
  }
  return newMap([...Object.entries(entry), [member, value]]);
}
