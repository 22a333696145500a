/**
 * The kinds that a cluster serves, as plain data. cluster/requests/discovery.ts fills it; bind/, diff/ and observe/
 * look kinds up.
 */
import { apiVersionOf, groupOf, type ObjectId } from '../object/identity.ts';

export interface KindInfo {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The plural name, as in request paths. */
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Whether the kind has a status subresource. If it has none, `status` is a field like any other. */
  readonly hasStatus: boolean;
  /** Whether list and watch are served. Reviews, for example, only take a POST. */
  readonly isWatchable: boolean;
}

export interface Kinds {
  /** Keyed by `kindKey`. */
  readonly served: ReadonlyMap<string, KindInfo>;
  /** Each `group/version` (`version` in the core group) whose API does not answer: its kinds are unknown, not gone. */
  readonly stale: ReadonlySet<string>;
  /** The preferred version by group. Objects that are pruned are requested in it. */
  readonly preferred: ReadonlyMap<string, string>;
}

export function kindKey(apiVersion: string, kind: string): string {
  return `${apiVersion}/${kind}`;
}

/**
 * Finds the kind of an object by group and kind, in the preferred version of its group or else in any that serves it.
 * `unavailable`: no version that answers serves it, and another one does not answer. undefined: no version serves it,
 * or only with another scope: the definition was deleted with all objects, and made again.
 */
export type KindFinder = (id: Pick<ObjectId, 'group' | 'kind' | 'namespace'>) => KindInfo | 'unavailable' | undefined;

/** The served kinds are indexed once, at the first look-up that needs it; each look-up is then a map access. */
export function createKindFinder({ served, stale, preferred }: Kinds): KindFinder {
  let byGroupKind: Map<string, KindInfo> | undefined;
  const staleGroups = new Set([...stale].map(groupOf));
  return ({ group, kind, namespace }) => {
    const version = preferred.get(group);
    const inPreferred = version === undefined ? undefined : served.get(kindKey(apiVersionOf(group, version), kind));
    byGroupKind ??= inPreferred
      ? undefined
      : new Map([...served.values()].map((info) => [`${info.group}/${info.kind}`, info] as const));
    const found = inPreferred ?? byGroupKind?.get(`${group}/${kind}`);
    if (!found) return staleGroups.has(group) ? 'unavailable' : undefined;
    return found.isNamespaced === (namespace !== '') ? found : undefined;
  };
}

const dataKind = (kind: string, plural: string): KindInfo => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  isNamespaced: true,
  hasStatus: false,
  isWatchable: true,
});

/** Written down, not discovered: every API server serves the core kinds. */
export const DATA_KINDS = { ConfigMap: dataKind('ConfigMap', 'configmaps'), Secret: dataKind('Secret', 'secrets') };
