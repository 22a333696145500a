/** Classifies unsuccessful answers of the API server by one table; see `readRefusal`. */
import { BUILT_IN_GROUPS } from '../object/built-in-groups.ts';
import type { CodeOf } from '../object/error-code.ts';
import { parseJson } from '../object/json.ts';
import { listAt, stringAt, type Value } from '../object/value.ts';
import {
  cut,
  readConflicts,
  readFields,
  describeCauses,
  describeConflict,
  describeServerMessage,
  describeThrottled,
  describeTyped,
  describeUnauthorized,
  describeWebhook,
} from './answer-text.ts';

/** The reason of a refusal; a closed list. */
export type RefusalCode = CodeOf<'answer'>;

export interface Refusal {
  readonly code: RefusalCode;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** For people; holds no value of the object. */
  readonly message: string;
  readonly retry: 'never' | 'backoff' | { readonly afterMs: number };
  /** With FieldConflict: the fields in the server's notation, each with the manager that owns it. */
  readonly conflicts?: readonly { readonly field: string; readonly manager: string }[];
  /** With InvalidManifest, Immutable and Taken: the fields that the server names. */
  readonly fields?: readonly string[];
  /** With VersionGone: the apiVersion that is served no more. */
  readonly goneVersion?: string;
}

/** An answer whose status is not 2xx, or the lack of an answer. */
export interface FailedAnswer {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The body. */
  readonly text: string;
  /** The value of `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
  /** The reason why there was no answer. */
  readonly failure?: string | undefined;
}

/** The parts of the request that the meaning of its answer depends on. */
export interface FailedRequest {
  /** A verb of HttpRequest, such as apply, delete or get. */
  readonly verb: string;
  readonly group: string;
  readonly kind: string;
}

/** A `Status` object of the API, taken apart; texts are empty where the server gives none. */
interface Answer extends FailedAnswer {
  readonly request: FailedRequest;
  readonly isStatus: boolean;
  readonly reason: string;
  readonly message: string;
  readonly detailsKind: string;
  readonly causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[];
}

interface Row {
  readonly when: (answer: Answer) => boolean;
  readonly code: RefusalCode;
  readonly retry: 'never' | 'backoff';
  readonly describe: (answer: Answer) => string;
}

const TOO_LARGE = 'the object is larger than the API server takes; make it smaller or split it';

const hasCause = (answer: Answer, reason: string): boolean => answer.causes.some((cause) => cause.reason === reason);
/** The server names the whole object by an empty path, which it writes as `[]` for some kinds. */
const isOfWholeObject = ({ field }: Answer['causes'][number]): boolean => field === '' || field === '[]';
const hasMessage = (answer: Answer, pattern: RegExp): boolean => pattern.test(answer.message);

/** The words of the API server and of common webhooks for a value that only one object may have. */
const TAKEN = /\balready (allocated|defined|exists?|in use|taken|used|claimed|marked as default)\b/i;

/** The API server cannot convert a custom resource to the version that an entry of its managedFields names. */
const GONE_VERSION = /request to convert CR (?:list )?(?:to|from) an invalid group\/version: ([^\s,;"]+)/;

function goneVersionIn(message: string): string | undefined {
  return GONE_VERSION.exec(message)?.[1];
}

const DENIED = /admission webhook .* denied the request/;

/** The first match wins. Each row has a test of its own. */
const ROWS: readonly Row[] = [
  { when: (a) => a.status === 0, code: 'Unavailable', retry: 'backoff', describe: (a) => a.failure ?? 'no answer' },
  { when: (a) => a.status === 401, code: 'Unauthorized', retry: 'backoff', describe: describeUnauthorized },
  { when: (a) => a.status === 429, code: 'Throttled', retry: 'backoff', describe: describeThrottled },
  {
    when: (a) =>
      a.status === 413 || hasMessage(a, /etcdserver: request is too large|trying to send message larger than max/),
    code: 'TooLarge',
    retry: 'never',
    describe: () => TOO_LARGE,
  },
  {
    when: (a) => a.status === 409 && hasCause(a, 'FieldManagerConflict'),
    code: 'FieldConflict',
    retry: 'backoff',
    describe: describeConflict,
  },
  {
    when: (a) => a.status === 409 || (a.status === 422 && a.causes.some(({ field }) => field === 'metadata.uid')),
    code: 'Modified',
    retry: 'backoff',
    describe: () => 'the object changed or was replaced since it was read',
  },
  {
    when: (a) => a.status === 403 && hasCause(a, 'NamespaceTerminating'),
    code: 'NamespaceTerminating',
    retry: 'backoff',
    describe: () => 'its namespace is being deleted',
  },
  {
    when: (a) => a.status === 403 && hasMessage(a, /exceeded quota/),
    code: 'QuotaExceeded',
    retry: 'backoff',
    describe: describeServerMessage,
  },
  {
    when: (a) => [400, 403].includes(a.status) && hasMessage(a, TAKEN),
    code: 'Taken',
    retry: 'backoff',
    describe: describeServerMessage,
  },
  { when: (a) => a.status === 403, code: 'Forbidden', retry: 'backoff', describe: describeServerMessage },
  {
    when: (a) => a.status === 404 && a.detailsKind === 'namespaces' && a.request.kind !== 'Namespace',
    code: 'NamespaceMissing',
    retry: 'backoff',
    describe: () => 'its namespace does not exist; create it, or set spec.destination.createNamespace to true',
  },
  {
    when: (a) => a.status === 404 && (!a.isStatus || a.detailsKind === ''),
    code: 'KindNotServed',
    retry: 'backoff',
    describe: ({ request: { group, kind } }) => `the cluster does not serve ${group ? `${kind}.${group}` : kind}`,
  },
  { when: (a) => a.status === 404, code: 'NotFound', retry: 'backoff', describe: () => 'the object does not exist' },
  {
    when: (a) => a.status === 422 && hasCause(a, 'FieldValueTooLong') && a.causes.every(isOfWholeObject),
    code: 'TooLarge',
    retry: 'never',
    describe: () => TOO_LARGE,
  },
  {
    when: (a) => a.status === 422 && a.causes.length > 0 && a.causes.every(({ message }) => TAKEN.test(message)),
    code: 'Taken',
    retry: 'backoff',
    describe: describeCauses,
  },
  {
    when: (a) => a.status === 422 && a.causes.some(({ reason }) => reason === '') && hasMessage(a, /denied request/),
    code: 'Forbidden',
    retry: 'backoff',
    describe: describeServerMessage,
  },
  {
    // A webhook chooses the status of its refusal.
    when: (a) => [405, 415, 422].includes(a.status) && hasMessage(a, DENIED),
    code: 'Forbidden',
    retry: 'backoff',
    describe: describeServerMessage,
  },
  { when: (a) => a.status === 422, code: 'InvalidManifest', retry: 'never', describe: describeCauses },
  {
    when: (a) => a.status === 500 && hasMessage(a, /^failed to (create typed patch object|convert new object)/),
    code: 'InvalidManifest',
    retry: 'never',
    describe: describeTyped,
  },
  {
    when: (a) => a.status === 500 && hasMessage(a, GONE_VERSION),
    code: 'VersionGone',
    retry: 'backoff',
    describe: ({ message }) =>
      `metadata.managedFields names ${goneVersionIn(message) ?? 'a version'}, which the API server serves no more; a ` +
      'sync moves its fields to the version in Git',
  },
  {
    // Two ports of one Service with the same port of the node.
    when: (a) => a.status === 500 && hasMessage(a, /^duplicate nodePort: /),
    code: 'Taken',
    retry: 'backoff',
    describe: describeServerMessage,
  },
  {
    when: (a) => a.status >= 500 && hasMessage(a, /failed calling webhook/),
    code: 'Unavailable',
    retry: 'backoff',
    describe: describeWebhook,
  },
  {
    when: (a) => a.status === 400 && hasMessage(a, DENIED),
    code: 'Forbidden',
    retry: 'backoff',
    describe: describeServerMessage,
  },
  {
    when: (a) => a.status === 405 || a.status === 415,
    code: 'InvalidManifest',
    retry: 'never',
    describe: ({ request: { kind, verb } }) => `the API of ${kind} does not allow ${verb}`,
  },
  { when: (a) => a.status === 400, code: 'InvalidManifest', retry: 'never', describe: describeServerMessage },
  { when: () => true, code: 'Unavailable', retry: 'backoff', describe: describeServerMessage },
];

/**
 * Classifies an unsuccessful answer. The message names fields and reasons, never a value of the object. For a Secret it
 * does not quote free text of the server or of a webhook either.
 */
export function readRefusal(failed: FailedAnswer, request: FailedRequest): Refusal {
  const answer = parseAnswer(failed, request);
  const row = ROWS.find(({ when }) => when(answer)) as Row;
  const retry = retryOf(row, request);
  const hasDelay = retry === 'backoff' && failed.retryAfterMs !== undefined;
  const conflicts = row.code === 'FieldConflict' ? readConflicts(answer) : undefined;
  const fields = row.code === 'InvalidManifest' || row.code === 'Taken' ? readFields(answer) : [];
  return {
    code: row.code,
    status: failed.status,
    message: cut(row.describe(answer)),
    retry: hasDelay ? { afterMs: failed.retryAfterMs ?? 0 } : retry,
    ...(conflicts && { conflicts }),
    ...(fields.length > 0 && { fields }),
    ...(row.code === 'VersionGone' && { goneVersion: goneVersionIn(answer.message) ?? '' }),
  };
}

/** A manifest that the definition of its kind refuses today may fit it tomorrow: definitions change. */
function retryOf({ code, retry }: Row, { group }: FailedRequest): Row['retry'] {
  return code === 'InvalidManifest' && !BUILT_IN_GROUPS.has(group) ? 'backoff' : retry;
}

function parseAnswer(failed: FailedAnswer, request: FailedRequest): Answer {
  let body: Value = null;
  try {
    body = parseJson(failed.text);
  } catch {
    // The body is plain text with a 404 of an unknown kind, and mostly when a proxy in between answers.
  }
  const isStatus = stringAt(body, 'kind') === 'Status';
  return {
    ...failed,
    request,
    isStatus,
    reason: stringAt(body, 'reason') ?? '',
    message: isStatus ? (stringAt(body, 'message') ?? '') : '',
    detailsKind: stringAt(body, 'details', 'kind') ?? '',
    causes: listAt(body, 'details', 'causes').map((cause) => ({
      reason: stringAt(cause, 'reason') ?? '',
      field: stringAt(cause, 'field') ?? '',
      message: stringAt(cause, 'message') ?? '',
    })),
  };
}
