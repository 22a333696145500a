/** Hands a refusal of the API server on to the caller whose token was refused. */
import type { Response } from 'express';
import type { Refusal } from '../../cluster/answers.ts';
import { refuse } from '../refuse.ts';

/** Statuses that mean the same to the caller. An API server that is busy or silent is 503. */
const KEPT: readonly number[] = [400, 403, 404, 409, 422];

export function refuseAs(response: Response, { code, message, status }: Refusal): void {
  if (status === 401) return refuse(response.set('WWW-Authenticate', 'Bearer realm="tautline"'), 401, message, code);
  if (KEPT.includes(status)) return refuse(response, status, message, code);
  refuse(response.set('Retry-After', '5'), 503, message, code);
}
