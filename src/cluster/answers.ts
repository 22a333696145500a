/** What the API server's answers mean, read by one table; see `readAnswer`. */
import type { CodeOf } from '../object/error-code.ts';
import { parseJson } from '../object/json.ts';
import { listAt, stringAt, type Value } from '../object/value.ts';
import {
  cut,
  readConflicts,
  readFields,
  sayCauses,
  sayConflict,
  sayServerMessage,
  sayThrottled,
  sayTyped,
  sayUnauthorized,
  sayWebhook,
} from './answer-text.ts';

/** Why a write or read was refused. Closed list. */
export type RefusalCode = CodeOf<'answer'>;

export interface Refusal {
  readonly code: RefusalCode;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** For a person; holds no value of the object. */
  readonly message: string;
  readonly retry: 'never' | 'backoff' | { readonly afterMs: number };
  /** For FieldConflict: JSON pointers or field paths as the server names them, with the manager that owns each. */
  readonly conflicts?: readonly { readonly field: string; readonly manager: string }[];
  /** For InvalidManifest and Immutable: the fields that the server names. */
  readonly fields?: readonly string[];
}

/** An answer that is no success, as read off the wire. */
export interface RefusedAnswer {
  /** HTTP status; 0 when there was none. */
  readonly status: number;
  readonly text: string;
  /** What `Retry-After` asks for. */
  readonly retryAfterMs?: number | undefined;
  /** Why there was no answer. */
  readonly failure?: string | undefined;
}

/** What was asked, as far as it decides what the answer means. */
export interface AskedFor {
  /** As in HttpRequest: apply, delete, get… */
  readonly verb: string;
  readonly group: string;
  readonly kind: string;
}

/** A Status of the API, taken apart; `reason` is empty where the server gives none. */
interface Answer extends RefusedAnswer {
  readonly asked: AskedFor;
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
  readonly say: (answer: Answer) => string;
}

const hasCause = (answer: Answer, reason: string): boolean => answer.causes.some((cause) => cause.reason === reason);
const says = (answer: Answer, pattern: RegExp): boolean => pattern.test(answer.message);

/** First match wins. One test a row. */
const ROWS: readonly Row[] = [
  { when: (a) => a.status === 0, code: 'Unavailable', retry: 'backoff', say: (a) => a.failure ?? 'no answer' },
  { when: (a) => a.status === 401, code: 'Unauthorized', retry: 'backoff', say: sayUnauthorized },
  { when: (a) => a.status === 429, code: 'Throttled', retry: 'backoff', say: sayThrottled },
  {
    when: (a) => a.status === 413 || says(a, /etcdserver: request is too large|trying to send message larger than max/),
    code: 'TooLarge',
    retry: 'never',
    say: () => 'the object is larger than the API server takes; make it smaller or split it',
  },
  {
    when: (a) => a.status === 409 && hasCause(a, 'FieldManagerConflict'),
    code: 'FieldConflict',
    retry: 'never',
    say: sayConflict,
  },
  {
    when: (a) => a.status === 409 || (a.status === 422 && a.causes.some(({ field }) => field === 'metadata.uid')),
    code: 'Modified',
    retry: 'backoff',
    say: () => 'the object changed or was replaced since it was read',
  },
  {
    when: (a) => a.status === 403 && hasCause(a, 'NamespaceTerminating'),
    code: 'NamespaceTerminating',
    retry: 'backoff',
    say: () => 'its namespace is being deleted',
  },
  { when: (a) => a.status === 403, code: 'Forbidden', retry: 'backoff', say: sayServerMessage },
  {
    when: (a) => a.status === 404 && a.detailsKind === 'namespaces' && a.asked.kind !== 'Namespace',
    code: 'NamespaceMissing',
    retry: 'backoff',
    say: () => 'its namespace does not exist',
  },
  {
    when: (a) => a.status === 404 && (!a.isStatus || a.detailsKind === ''),
    code: 'KindNotServed',
    retry: 'backoff',
    say: ({ asked }) => `the cluster does not serve ${asked.group ? `${asked.kind}.${asked.group}` : asked.kind}`,
  },
  { when: (a) => a.status === 404, code: 'NotFound', retry: 'backoff', say: () => 'the object does not exist' },
  {
    when: (a) => a.status === 422 && hasCause(a, 'FieldValueTooLong') && a.causes.every((c) => c.field === ''),
    code: 'TooLarge',
    retry: 'never',
    say: () => 'the object is larger than the API server takes; make it smaller or split it',
  },
  {
    when: (a) => a.status === 422 && a.causes.some(({ reason }) => reason === '') && says(a, /denied request/),
    code: 'Forbidden',
    retry: 'backoff',
    say: sayServerMessage,
  },
  { when: (a) => a.status === 422, code: 'InvalidManifest', retry: 'never', say: sayCauses },
  {
    when: (a) => a.status === 500 && says(a, /^failed to (create typed patch object|convert new object)/),
    code: 'InvalidManifest',
    retry: 'never',
    say: sayTyped,
  },
  {
    when: (a) => a.status >= 500 && says(a, /failed calling webhook/),
    code: 'Unavailable',
    retry: 'backoff',
    say: sayWebhook,
  },
  {
    when: (a) => a.status === 400 && says(a, /admission webhook .* denied the request/),
    code: 'Forbidden',
    retry: 'backoff',
    say: sayServerMessage,
  },
  {
    when: (a) => a.status === 405 || a.status === 415,
    code: 'InvalidManifest',
    retry: 'never',
    say: ({ asked }) => `the API of ${asked.kind} does not allow ${asked.verb}`,
  },
  { when: (a) => a.status === 400, code: 'InvalidManifest', retry: 'never', say: sayServerMessage },
  { when: () => true, code: 'Unavailable', retry: 'backoff', say: sayServerMessage },
];

/**
 * Reads an answer that is no success. The message names fields and reasons, never a value of the object; of Secrets,
 * not even what the server or a webhook says about it in its own words.
 */
export function readAnswer(refused: RefusedAnswer, asked: AskedFor): Refusal {
  const answer = parseAnswer(refused, asked);
  const row = ROWS.find(({ when }) => when(answer)) as Row;
  const waits = row.retry === 'backoff' && refused.retryAfterMs !== undefined;
  const conflicts = row.code === 'FieldConflict' ? readConflicts(answer) : undefined;
  const fields = row.code === 'InvalidManifest' ? readFields(answer) : [];
  return {
    code: row.code,
    status: refused.status,
    message: cut(row.say(answer)),
    retry: waits ? { afterMs: refused.retryAfterMs ?? 0 } : row.retry,
    ...(conflicts && { conflicts }),
    ...(fields.length > 0 && { fields }),
  };
}

function parseAnswer(refused: RefusedAnswer, asked: AskedFor): Answer {
  let body: Value = null;
  try {
    body = parseJson(refused.text);
  } catch {
    // A 404 of an unknown kind, and whatever a proxy in between answers, is plain text.
  }
  const isStatus = stringAt(body, 'kind') === 'Status';
  return {
    ...refused,
    asked,
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
