/**
 * Asks the API server who a token belongs to and what that user may do: TokenReview and SubjectAccessReview, sent as
 * the agent itself, which needs the rights of the ClusterRole `system:auth-delegator`.
 *
 * Invariants: a token is kept as a digest only. A result is believed for a minute at most, and where there is no
 * answer nothing is allowed.
 */
import { createHash } from 'node:crypto';
import { stringifyJson } from '../../object/json.ts';
import { StageError } from '../../object/stage-error.ts';
import { mapAt, stringAt, valueAt, type Value, type ValueMap } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { agentIdentity } from '../identity.ts';
import { tryParseJson } from '../live-object.ts';
import type { AccessQuestion, AccessReviews, User } from '../ports.ts';
import type { HttpAnswer, Transport } from '../transport/transport.ts';
import { keepReviews } from './kept-reviews.ts';
import { refusalOf } from './refusal.ts';

export interface AccessReviewOptions {
  readonly transport: Pick<Transport, 'send'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export function createAccessReviews({ transport, clock }: AccessReviewOptions): AccessReviews {
  const users = keepReviews<User | undefined>(clock);
  const rights = keepReviews<boolean>(clock);
  const send = async (group: string, kind: string, spec: ValueMap): Promise<Value | undefined> => {
    const answer = await transport.send({
      verb: 'create',
      method: 'POST',
      path: `/apis/${group}/v1/${kind.toLowerCase()}s`,
      identity: agentIdentity,
      category: 'other',
      contentType: 'application/json',
      body: stringifyJson({ apiVersion: `${group}/v1`, kind, spec }),
    });
    return statusOf(answer, group, kind);
  };
  return {
    authenticate: (token) =>
      users(digestOf(token), async () => userOf(await send('authentication.k8s.io', 'TokenReview', { token }))),
    authorize: (user, question) =>
      rights(`${keyOf(user)} ${stringifyJson({ ...question })}`, async () => {
        const spec = { ...subjectOf(user), ...attributesOf(question) };
        return valueAt(await send('authorization.k8s.io', 'SubjectAccessReview', spec), 'allowed') === true;
      }),
  };
}

function statusOf(answer: HttpAnswer, group: string, kind: string): Value | undefined {
  if (answer.status === 200 || answer.status === 201) return valueAt(tryParseJson(answer.text), 'status');
  const { code, message, retry } = refusalOf(answer, 'create', { group, kind });
  throw new StageError({ stage: 'status', code, retry, message: `access cannot be reviewed: ${message}` });
}

function userOf(status: Value | undefined): User | undefined {
  const username = stringAt(status, 'user', 'username');
  if (valueAt(status, 'authenticated') !== true || username === undefined) return undefined;
  const extra = Object.entries(mapAt(status, 'user', 'extra')).map(([key, values]) => [key, textsOf(values)]);
  return {
    username,
    uid: stringAt(status, 'user', 'uid') ?? '',
    groups: textsOf(valueAt(status, 'user', 'groups')),
    extra: Object.fromEntries(extra) as Record<string, readonly string[]>,
  };
}

function textsOf(values: Value | undefined): readonly string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
}

function subjectOf({ username, uid, groups, extra }: User): ValueMap {
  const extras = Object.entries(extra).map(([key, values]) => [key, [...values]]);
  return { user: username, uid, groups: [...groups], extra: Object.fromEntries(extras) as ValueMap };
}

function attributesOf(question: AccessQuestion): ValueMap {
  if ('path' in question) return { nonResourceAttributes: { path: question.path, verb: question.verb } };
  return { resourceAttributes: { ...question } };
}

function keyOf(user: User): string {
  return digestOf(stringifyJson(subjectOf(user)));
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
