/** The words of the page for failed requests, and the answer to a request of a person. */
import type { ApplicationDetail } from '../../server/api/schema.ts';

/** An error of the status API, or of the way to it. */
export interface Refusal {
  /** The HTTP status; 0: there was no answer. */
  readonly status: number;
  /** For people: the part that failed. */
  readonly detail: string;
  readonly code?: string;
}

/** The refusal in an answer that is not a success. */
export function refusalOf(status: number, body: string): Refusal {
  try {
    const { detail, title, code } = JSON.parse(body) as { detail?: unknown; title?: unknown; code?: unknown };
    const text = [detail, title].find((part) => typeof part === 'string' && part !== '');
    if (typeof text === 'string') return { status, detail: text, ...(typeof code === 'string' ? { code } : {}) };
  } catch {
    // A proxy in between answers in HTML.
  }
  return { status, detail: `the agent answered with status ${status}` };
}

export const NO_ANSWER: Refusal = { status: 0, detail: 'The agent does not answer. The page tries again by itself.' };

export function titleOf({ status }: Refusal): string {
  if (status === 0) return 'Offline';
  if (status === 401) return 'Signed out';
  if (status === 403) return 'Not allowed';
  if (status === 404) return 'Not found';
  return status >= 500 ? 'The agent cannot answer now' : 'The request was refused';
}

type Answered = Pick<ApplicationDetail, 'lastRequest'>;

/** The answer to the request with that id. undefined: there is none yet. */
export function answerTo({ lastRequest }: Answered, id: string): Answered['lastRequest'] {
  return lastRequest?.id === id && lastRequest.outcome !== 'InProgress' ? lastRequest : undefined;
}
