/** The plan of a sync, as the last dry run that was requested has found it. */
import type { DryRunView } from '../../reconcile/memory.ts';
import type { PLAN_WORDS, PlanView } from './schema.ts';

type Trial = DryRunView['objects'][number];

/** Words of the dry run, and the action that each stands for. undefined: the object would stay as it is. */
const ACTIONS: Readonly<Record<Trial['word'], (typeof PLAN_WORDS)[number] | undefined>> = {
  created: 'create',
  changed: 'update',
  adopted: 'adopt',
  pruned: 'prune',
  released: 'release',
  held: 'hold',
  waiting: 'wait',
  kept: 'keep',
  unknown: 'unknown',
  refused: 'refuse',
  unchanged: undefined,
};

export function viewPlan({ request, revision, outcome, message, held, objects }: DryRunView): PlanView {
  const shown = objects.flatMap(({ id, word, detail, isRecreated }) => {
    const action = isRecreated ? 'recreate' : ACTIONS[word];
    return action === undefined ? [] : [{ ...id, action, ...(detail === undefined ? {} : { detail }) }];
  });
  return {
    request,
    ...(revision === undefined ? {} : { revision }),
    outcome,
    message,
    ...(held === undefined ? {} : { held }),
    unchanged: objects.length - shown.length,
    objects: shown,
  };
}
