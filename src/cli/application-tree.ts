/**
 * The objects of an Application as its status tells them, and below them what they own, read with the rights of the
 * person. The status names only objects that are not both Synced and Healthy, and at most 50 of them.
 */
import { STATUS_LIMITS } from '../application/status-schema.ts';
import { APPLICATION_GROUP } from '../object/applyset.ts';
import { compareIds, idKey, type ObjectId } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';
import { treeOf, type Tree } from '../server/api/tree.ts';
import type { ObjectStatus } from '../status/object-status.ts';
import { factsOf } from './application-facts.ts';
import { knownObjects } from './object-name.ts';
import type { Access } from './with-cluster.ts';

/** Ordered by id. An object that the status does not name is well, unless the status had no room for it. */
export function objectsOf(application: KubeObject): ObjectStatus[] {
  const resources = factsOf(application).status.resources ?? [];
  const told = new Map(resources.map((resource) => [idKey(resource), resource]));
  const isComplete = resources.length < STATUS_LIMITS.maxResources;
  return knownObjects(application)
    .sort(compareIds)
    .map((id) => {
      const resource = told.get(idKey(id));
      const { sync, health, message } = resource ?? {
        sync: isComplete ? ('Synced' as const) : ('Unknown' as const),
        health: isComplete ? ('Healthy' as const) : ('Unknown' as const),
        message: undefined,
      };
      return {
        id,
        sync,
        health: { status: health, message: '' },
        fields: [],
        isPruning: false,
        ...(message === undefined ? {} : { message }),
      };
    });
}

/** Rejects where discovery does. */
export async function readTree({ cluster }: Access, objects: readonly ObjectStatus[]): Promise<Tree> {
  return treeOf({ objects, kinds: await cluster.kinds(), client: cluster.client });
}

export function idOfApplication(application: KubeObject): ObjectId {
  const { metadata } = factsOf(application);
  return { group: APPLICATION_GROUP, kind: 'Application', namespace: metadata.namespace, name: metadata.name };
}
