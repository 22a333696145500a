/** The errors of an answer that is a refusal, is not complete, or does not follow Git's protocol. */
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';

export function remoteError(label: string, reason: string): Error {
  return sourceError('RemoteError', `The Git server refused the request for ${label}: ${cleanText(reason)}.`);
}

export function truncated(label: string): Error {
  return sourceError('TruncatedAnswer', `The answer of ${label} ended early. Tautline asks again.`);
}

export function malformed(label: string): Error {
  return sourceError(
    'MalformedAnswer',
    `The answer of ${label} does not follow Git's protocol. Look for a proxy that changes answers, or update the Git server.`,
  );
}
