/**
 * The Applications for `tautline page`, as the API server stores them: a list, then a watch. Their objects are those
 * that the status tells.
 */
import { applicationKey } from '../application/keys.ts';
import { parseApplication } from '../application/parse.ts';
import type { Refusal } from '../cluster/answers.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import type { ApplicationIndex } from '../server/api/rows.ts';
import type { KnownApplication } from '../server/api/views.ts';
import { objectsOf } from './application-tree.ts';

export interface Feed extends ApplicationIndex {
  /** Resolves when all Applications are known, or with the refusal because of which they never will be. */
  readonly begun: Promise<Refusal | undefined>;
  /** Resolves when no change is told any more: after the signal, or with a refusal. */
  readonly ended: Promise<Refusal | undefined>;
}

/** `namespace`: empty for all. */
export function followFeed(
  cluster: Pick<UserCluster, 'followApplications'>,
  namespace: string,
  signal: AbortSignal,
): Feed {
  const known = new Map<string, KnownApplication>();
  const begun = Promise.withResolvers<Refusal | undefined>();
  const onGone = (application: KubeObject): void => void known.delete(keyOf(application));
  const follow = async (): Promise<Refusal | undefined> => {
    for await (const found of cluster.followApplications({ namespace, labelSelector: '', onGone }, signal)) {
      if ('refusal' in found) return found.refusal;
      for (const application of found) known.set(keyOf(application), knownAs(application));
      begun.resolve(undefined);
    }
    return undefined;
  };
  const ended = follow();
  // Without a list there is nothing to begin with.
  ended.then(begun.resolve, begun.reject);
  return {
    begun: begun.promise,
    ended,
    list: () => [...known.values()],
    get: (space, name) => known.get(applicationKey(space, name)),
  };
}

function keyOf({ metadata }: KubeObject): string {
  return applicationKey(stringAt(metadata, 'namespace') ?? '', stringAt(metadata, 'name') ?? '');
}

function knownAs(application: KubeObject): KnownApplication {
  return {
    parsed: parseApplication(application),
    view: { objects: objectsOf(application), problems: [] },
    trial: undefined,
    desiredOf: () => undefined,
  };
}
