/**
 * Refuses a navigation of a browser: a person gets one sentence as a page, since no script shows the answer. Programs
 * get problem details as everywhere.
 */
import type { Call } from './router.ts';
import { refuse } from '../refuse.ts';

export function refusePerson(
  { request, response }: Pick<Call, 'request' | 'response'>,
  status: number,
  detail: string,
  code: string,
): void {
  if (!/^text\/html\b/.test(request.headers.accept ?? '')) return refuse(response, status, detail, code);
  const page =
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign-in failed - Tautline</title></head>' +
    `<body><main><h1>Sign-in failed</h1><p>${escapeHtml(sentence(detail))}</p><p><a href="/">Back</a></p></main></body></html>`;
  response.status(status).type('text/html').send(page);
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
