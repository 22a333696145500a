/** The errors of a GitHub API that gives no token, each with a code and advice. */
import { sourceError } from '../object/source-error.ts';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from '../registry/http-status.ts';
import { headerOf, type WebAnswer } from '../registry/web.ts';
import type { GitHubApp, GitHubRepository } from './github-app.ts';

export interface AskedFor {
  readonly app: GitHubApp;
  /** `namespace/name`. */
  readonly secret: string;
  readonly repository: GitHubRepository;
}

/** `nowMs`: milliseconds since 1970, by the clock of this machine. The body of the answer is not read. */
export function tokenRefusal(answer: WebAnswer, asked: AskedFor, nowMs: number): Error {
  const { app, secret, repository } = asked;
  const { status } = answer;
  answer.discard();
  const api = `The GitHub API at ${app.apiBase}`;
  const named = `the GitHub App ${app.appId} of the Secret ${secret}`;
  const name = `${repository.owner}/${repository.name}`;
  const end = `(HTTP status ${status})`;
  const afterMs = waitOf(answer, nowMs);
  if (status === 429 || status >= 500 || (status === 403 && afterMs !== undefined)) {
    return status >= 500
      ? sourceError('ServerError', `${api} gives no token at the moment ${end}. Tautline asks again.`, { afterMs })
      : sourceError('RateLimited', `${api} limits the requests of ${named} ${end}.`, { afterMs });
  }
  switch (status) {
    case 401:
      return sourceError(
        'CredentialsRefused',
        `${api} does not accept the key of ${named} ${end}. Check githubAppID and githubAppPrivateKey.${skewOf(answer, nowMs)}`,
      );
    case 403:
      return sourceError(
        'AccessDenied',
        `${api} refuses ${named} ${end}. Check whether its installation is suspended, and whether the owner allows the address of the agent.`,
      );
    case 404:
      return sourceError(
        'AppNotInstalled',
        `${api} knows no installation ${placeOf(app, name)} of ${named} ${end}. Install the app there, or correct githubAppInstallationID or githubAppInstallationOwner.`,
      );
    case 422:
      return sourceError(
        'AccessDenied',
        `${api} gives ${named} no token for ${name} ${end}. Add the repository to the installation, and give the app the permission Contents: read.`,
      );
    default:
      return sourceError(
        'UnexpectedStatus',
        `${api} gives no token ${end}. Check githubAppBaseURL of the Secret ${secret}.`,
      );
  }
}

export function malformedToken({ app }: AskedFor, problem: string): Error {
  return sourceError('MalformedAnswer', `The answer of the GitHub API at ${app.apiBase} ${problem}.`);
}

function placeOf({ installationId, owner }: GitHubApp, repository: string): string {
  if (installationId !== undefined) return installationId;
  return owner === undefined ? `for ${repository}` : `at ${owner}`;
}

/** The time that the server asks to be left alone for. undefined: it asks for none. */
function waitOf(answer: WebAnswer, nowMs: number): number | undefined {
  const afterMs = retryAfterMs(headerOf(answer, 'retry-after'));
  if (afterMs !== undefined) return afterMs;
  if (headerOf(answer, 'x-ratelimit-remaining') !== '0') return undefined;
  const resetMs = Number(headerOf(answer, 'x-ratelimit-reset')) * 1000;
  return resetMs > nowMs ? Math.min(resetMs - nowMs, MAX_RETRY_AFTER_MS) : 0;
}

const MAX_SKEW_MS = 60_000;

/** A signed request counts for ten minutes, so that a wrong clock makes it invalid. */
function skewOf(answer: WebAnswer, nowMs: number): string {
  const skewMs = nowMs - Date.parse(headerOf(answer, 'date') ?? '');
  if (!(Math.abs(skewMs) > MAX_SKEW_MS)) return '';
  const direction = skewMs > 0 ? 'ahead of' : 'behind';
  return ` The clock of the agent is ${Math.round(Math.abs(skewMs) / 1000)} s ${direction} that of the server: correct it first.`;
}
