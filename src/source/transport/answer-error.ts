/** The errors of an answer that is not, or not completely, what Git's protocol says. */
import { cleanText, sourceError } from '../source-error.ts';

export function remoteError(label: string, said: string): Error {
  return sourceError('RemoteError', `The Git server refused the request for ${label}: ${cleanText(said)}.`);
}

export function truncated(label: string): Error {
  return sourceError('TruncatedAnswer', `The answer of ${label} broke off before its end. It is asked for again.`);
}

export function malformed(label: string): Error {
  return sourceError(
    'MalformedAnswer',
    `The answer of ${label} is not as Git's protocol has it. Look for a proxy that changes answers, or update the server.`,
  );
}
