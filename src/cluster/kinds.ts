/** The kinds that a cluster serves, as plain data. cluster/requests/discovery.ts fills it, bind/ looks kinds up. */

export interface KindInfo {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The plural name, as in request paths. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Whether the kind has a status subresource. If it has none, `status` is a field like any other. */
  readonly hasStatus: boolean;
  /** Whether list and watch are served. Reviews, for example, only take a POST. */
  readonly watchable: boolean;
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
