/**
 * Refusals of the listeners, as problem details in JSON (RFC 9457).
 *
 * Invariant: the detail is a text of ours or of the API server, never the message of an inner error.
 */
import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';
import { printable } from '../object/printable.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** `code`: tells apart the refusals that share a status; one word for programs. */
export function refuse(response: Response, status: number, detail: string, code?: string): void {
  const problem = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: detail.slice(0, MAX_DETAIL_CHARS),
    ...(code === undefined ? {} : { code }),
  };
  // The rest of an unread body must not be taken for the next request.
  const { complete, headers } = response.req;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && !complete) response.set('Connection', 'close');
  response
    .status(status)
    .type(PROBLEM_TYPE)
    .send(printable(JSON.stringify(problem)));
}

const MAX_DETAIL_CHARS = 2_048;
