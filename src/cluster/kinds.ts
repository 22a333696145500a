/**
 * What discovery tells about the kinds that a cluster serves. Plain data: bind looks up, cluster/discovery.ts fills.
 */

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
