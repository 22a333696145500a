/** Requests of the page to the API of its own origin. The browser adds the cookie of the session. */
import { NO_ANSWER, refusalOf, type Refusal } from '../logic/request-words.ts';

/** A request without the wanted answer. */
export class RequestError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

export const API = '/api/v1';

/** Throws RequestError. */
export async function getJson<T>(path: string): Promise<T> {
  return (await send(path, { headers: { accept: 'application/json' } })) as T;
}

/** Throws RequestError. Resolves to undefined where the answer has no body. */
export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return (await send(path, { method: 'POST', headers, body: JSON.stringify(body) })) as T;
}

export async function sendDelete(path: string): Promise<void> {
  await send(path, { method: 'DELETE', headers: { 'content-type': 'application/json' } });
}

async function send(path: string, init: RequestInit): Promise<unknown> {
  const answer = await fetch(`${API}${path}`, { ...init, credentials: 'same-origin' }).catch(() => undefined);
  const text = await answer?.text().catch(() => undefined);
  if (!answer || text === undefined) throw new RequestError(NO_ANSWER);
  if (!answer.ok) throw new RequestError(refusalOf(answer.status, text));
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RequestError(refusalOf(answer.status, text));
  }
}

export function refusalIn(error: unknown): Refusal {
  if (error instanceof RequestError) return error.refusal;
  return { status: 0, detail: error instanceof Error ? error.message : String(error) };
}
