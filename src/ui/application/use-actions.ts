/** Sends the actions of a person, and follows them to their answer. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApplicationDetail } from '../../server/api/schema.ts';
import { postJson, refusalIn } from '../data/http.ts';
import { keyOfApplication } from '../logic/list-rows.ts';
import { answerTo, type Refusal } from '../logic/request-words.ts';

export type ActionName = 'refresh' | 'sync' | 'confirm-prune' | 'rollback' | 'release' | 'suspend' | 'resume';

export interface Actions {
  /** Resolves when the request is accepted, to its id; to undefined where it was refused, or has no id. */
  readonly run: (action: ActionName, body: Readonly<Record<string, unknown>>) => Promise<string | undefined>;
  /** The action that was sent last and is not answered yet. */
  readonly pending: ActionName | 'plan' | undefined;
  /** Why the last action was refused. */
  readonly refusal: Refusal | undefined;
  /** Sends the refused action again, in place of the request that is not answered yet. */
  readonly replace: () => Promise<string | undefined>;
  readonly forget: () => void;
}

interface Sent {
  readonly action: ActionName;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How often an Application is read while a request is open, beside the events of the stream. */
const LOOK_MS = 2_000;

export function useActions(detail: ApplicationDetail, reload: () => void): Actions {
  const [pending, setPending] = useState<{ action: ActionName | 'plan'; id: string | undefined } | undefined>(
    undefined,
  );
  const [refusal, setRefusal] = useState<Refusal | undefined>(undefined);
  const last = useRef<Sent | undefined>(undefined);
  const path = `/applications/${keyOfApplication(detail)}`;

  const run: Actions['run'] = async (action, body) => {
    last.current = { action, body };
    setRefusal(undefined);
    const shown = body['dryRun'] === true ? 'plan' : action;
    setPending({ action: shown, id: undefined });
    try {
      const answer = await postJson<{ id?: string }>(`${path}/${action}`, body);
      setPending(answer.id === undefined ? undefined : { action: shown, id: answer.id });
      reload();
      return answer.id;
    } catch (error) {
      setPending(undefined);
      setRefusal(refusalIn(error));
      return undefined;
    }
  };
  const isAnswered = pending?.id !== undefined && answerTo(detail, pending.id) !== undefined;
  useEffect(() => {
    if (!pending) return undefined;
    if (isAnswered) {
      setPending(undefined);
      return undefined;
    }
    const timer = setInterval(reload, LOOK_MS);
    return () => clearInterval(timer);
  }, [pending, isAnswered]);
  return {
    run,
    pending: pending?.action,
    refusal,
    async replace() {
      const sent = last.current;
      return sent && run(sent.action, { ...sent.body, replace: true });
    },
    forget: () => setRefusal(undefined),
  };
}
