/** Finds the health check of an object: its own Application's before the agent's, a kind before its whole group. */
import type { HealthCheck } from '../../application/health-check.ts';
import type { ObjectId } from '../../object/identity.ts';

export interface ChecksByKind {
  /** undefined: no check is about the kind. */
  checkOf(id: Pick<ObjectId, 'group' | 'kind'>): HealthCheck | undefined;
}

/** The earlier list takes precedence; within a list a check for the kind, then the first one of two equals. */
export function checksByKind(lists: readonly (readonly HealthCheck[])[]): ChecksByKind {
  const indexes = lists.filter((list) => list.length > 0).map(indexOf);
  return {
    checkOf({ group, kind }) {
      for (const index of indexes) {
        const found = index.get(`${group}/${kind}`) ?? index.get(`${group}/`);
        if (found) return found;
      }
      return undefined;
    },
  };
}

function indexOf(list: readonly HealthCheck[]): ReadonlyMap<string, HealthCheck> {
  const index = new Map<string, HealthCheck>();
  for (const check of list) {
    const slash = check.apiVersion.indexOf('/');
    const key = `${slash < 0 ? '' : check.apiVersion.slice(0, slash)}/${check.kind ?? ''}`;
    if (!index.has(key)) index.set(key, check);
  }
  return index;
}
