/** A plan as people read it: what would be lost first, then the rest by action. */
import type { PlanView } from '../../server/api/schema.ts';

export type PlannedObject = PlanView['objects'][number];
type Action = PlannedObject['action'];

export interface PlanGroup {
  readonly action: Action;
  readonly title: string;
  /** Whether the live objects are deleted. */
  readonly isDeletion: boolean;
  readonly objects: readonly PlannedObject[];
}

const TITLES: Readonly<Record<Action, string>> = {
  prune: 'Delete',
  recreate: 'Delete and create again',
  hold: 'Delete after a confirmation',
  refuse: 'Cannot be applied',
  create: 'Create',
  update: 'Change',
  adopt: 'Take over',
  release: 'Leave in the cluster, without an owner',
  wait: 'Wait',
  keep: 'Keep, although they left Git',
  unknown: 'Not known before the sync',
};

const DELETIONS: readonly Action[] = ['prune', 'recreate', 'hold'];

export function planGroups(objects: readonly PlannedObject[]): PlanGroup[] {
  const actions = Object.keys(TITLES) as Action[];
  const byAction = Map.groupBy(objects, ({ action }) => action);
  return actions.flatMap((action) => {
    const found = byAction.get(action);
    return found ? [{ action, title: TITLES[action], isDeletion: DELETIONS.includes(action), objects: found }] : [];
  });
}

/** `2 to delete, 1 to create, 4 to change`; or that nothing changes. */
export function planSummary({ objects, unchanged }: Pick<PlanView, 'objects' | 'unchanged'>): string {
  const words: Partial<Record<Action, string>> = {
    prune: 'to delete',
    recreate: 'to delete and create again',
    hold: 'to delete after a confirmation',
    create: 'to create',
    update: 'to change',
    refuse: 'that cannot be applied',
  };
  const parts = planGroups(objects).flatMap(({ action, objects: found }) => {
    const word = words[action];
    return word === undefined ? [] : [`${found.length} ${word}`];
  });
  if (parts.length === 0) return `Nothing changes: ${unchanged} unchanged.`;
  return `${parts.join(', ')}; ${unchanged} unchanged.`;
}
