/**
 * Reviews the rights of an identity by a SelfSubjectAccessReview, which is sent as that identity. The result is only a
 * forecast: the request itself decides.
 */
import { stringifyJson } from '../../object/json.ts';
import type { ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { valueAt } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { identityKey, type Identity } from '../identity.ts';
import type { KindInfo } from '../kinds.ts';
import { tryParseJson } from '../live-object.ts';
import type { HttpAnswer, Transport } from '../transport/transport.ts';
import { keepReviews } from './kept-reviews.ts';
import { refusalOf } from './refusal.ts';

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** A server-side apply that may create the object needs both. */
const WRITE_VERBS = ['create', 'patch'] as const;

export interface Rights {
  /**
   * Whether the identity may create and change objects of a kind in a namespace. Each account, verb, kind and namespace
   * is asked about once in a while. Throws StageError where there is no answer; a review that is refused shows no
   * right.
   */
  mayWrite(identity: Identity, kind: KindInfo, place: Pick<ObjectId, 'namespace'>): Promise<boolean>;
}

export function createRights({
  transport,
  clock,
}: {
  readonly transport: Pick<Transport, 'send'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}): Rights {
  const ask = keepReviews<boolean>(clock);
  return {
    async mayWrite(identity, kind, { namespace }) {
      const { group, version, plural: resource, isNamespaced } = kind;
      const place = isNamespaced ? namespace : '';
      for (const verb of WRITE_VERBS) {
        const key = [identityKey(identity), verb, group, resource, place].join(' ');
        const attributes = { verb, group, version, resource, ...(place && { namespace: place }) };
        const isAllowed = await ask(key, async () => readReview(await review(transport, identity, attributes)));
        if (!isAllowed) return false;
      }
      return true;
    },
  };
}

/** Whether the identity may list and watch a kind in all namespaces; false if there is no answer. */
export async function mayWatchEverywhere(
  transport: Pick<Transport, 'send'>,
  identity: Identity,
  { group, version, plural }: KindInfo,
): Promise<boolean> {
  const answers = await Promise.all(
    ['list', 'watch'].map((verb) => review(transport, identity, { verb, group, version, resource: plural })),
  );
  return answers.every(isAllowedBy);
}

interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** The plural name. */
  readonly resource: string;
  /** Absent: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string;
}

function review(
  transport: Pick<Transport, 'send'>,
  identity: Identity,
  resourceAttributes: Attributes,
): Promise<HttpAnswer> {
  return transport.send({
    verb: 'create',
    method: 'POST',
    path: PATH,
    identity,
    category: 'other',
    contentType: 'application/json',
    body: stringifyJson({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { ...resourceAttributes } },
    }),
  });
}

function isAllowedBy({ text }: HttpAnswer): boolean {
  return valueAt(tryParseJson(text), 'status', 'allowed') === true;
}

/** Answers that a repetition does not change: the account may not even ask, or is not served. */
const REFUSED: ReadonlySet<number> = new Set([401, 403, 404, 405]);

function readReview(answer: HttpAnswer): boolean {
  if (answer.status === 201 || answer.status === 200) return isAllowedBy(answer);
  if (REFUSED.has(answer.status)) return false;
  const { code, message, retry } = refusalOf(answer, 'create', SUBJECT);
  throw new StageError({
    stage: 'observe',
    code,
    retry,
    message: `the rights of an account cannot be read: ${message}`,
  });
}

const SUBJECT = { group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview' };
