/** Asks for a dry run, waits for its answer, and reads the plan that it made. */
import { useEffect, useState } from 'preact/hooks';
import type { ApplicationDetail, PlanView } from '../../server/api/schema.ts';
import { useLoad } from '../data/use-load.ts';
import type { Actions } from '../application/use-actions.ts';
import { keyOfApplication } from '../logic/list-rows.ts';
import { answerTo, type Refusal } from '../logic/request-words.ts';

export interface Planning {
  readonly plan: PlanView | undefined;
  /** Why there is no plan. */
  readonly refusal: Refusal | undefined;
  /** Present where another request is in the way: plans in its place. */
  readonly replace: (() => void) | undefined;
}

/** `wish`: the body of the sync that is planned. A change of it makes a new plan. */
export function usePlan(
  detail: ApplicationDetail,
  actions: Actions,
  wish: Readonly<Record<string, unknown>>,
): Planning {
  const [id, setId] = useState<string | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    setId(undefined);
    void actions.run('sync', { ...wish, dryRun: true }).then((sent) => isCurrent && setId(sent));
    return () => {
      isCurrent = false;
    };
  }, [JSON.stringify(wish)]);
  const answer = id === undefined ? undefined : answerTo(detail, id);
  const { data, refusal } = useLoad<PlanView>(
    answer && `/applications/${keyOfApplication(detail)}/plan?request=${encodeURIComponent(answer.id)}`,
  );
  // A refused dry run makes no plan; its answer says why.
  const refused = refusal && { ...refusal, detail: answer?.message ?? refusal.detail };
  return {
    plan: data,
    refusal: actions.refusal ?? refused,
    replace: actions.refusal?.code === 'RequestPending' ? () => void actions.replace().then(setId) : undefined,
  };
}
