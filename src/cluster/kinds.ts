/**
 * The kinds that a cluster serves, as discovery tells them. Plain data: cluster/discovery.ts fills it, bind and diff
 * look kinds up.
 */
import { apiVersionOf, groupOf, type ObjectId } from '../object/identity.ts';

export interface KindInfo {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural name in request paths. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Whether the kind has a status subresource; if not, `status` is an ordinary field that we may own. */
  readonly hasStatus: boolean;
  /** Whether list and watch are served at all (some kinds, such as reviews, only take a POST). */
  readonly watchable: boolean;
}

export interface Kinds {
  /** Keyed by `kindKey`. */
  readonly served: ReadonlyMap<string, KindInfo>;
  /** `group/version` (`version` alone in the core group) that discovery reports as stale: unknown, never gone. */
  readonly stale: ReadonlySet<string>;
  /** The group's preferred version, by group: what a prune of an object of that group is asked in. */
  readonly preferred: ReadonlyMap<string, string>;
}

export function kindKey(apiVersion: string, kind: string): string {
  return `${apiVersion}/${kind}`;
}

/**
 * The kind of an object of which only group and kind are known: in the version that its group prefers, else in any that
 * is served. `unavailable`: a version of the group does not answer. undefined: all of them answer, and none serves it.
 */
export type KindFinder = (id: Pick<ObjectId, 'group' | 'kind'>) => KindInfo | 'unavailable' | undefined;

/** Reads the kinds once; each look-up is then a map access. */
export function createKindFinder({ served, stale, preferred }: Kinds): KindFinder {
  let byGroupKind: Map<string, KindInfo> | undefined;
  const staleGroups = new Set([...stale].map(groupOf));
  return ({ group, kind }) => {
    const version = preferred.get(group);
    const inPreferred = version === undefined ? undefined : served.get(kindKey(apiVersionOf(group, version), kind));
    if (inPreferred) return inPreferred;
    byGroupKind ??= new Map([...served.values()].map((info) => [`${info.group}/${info.kind}`, info] as const));
    return byGroupKind.get(`${group}/${kind}`) ?? (staleGroups.has(group) ? 'unavailable' : undefined);
  };
}
