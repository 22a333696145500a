/**
 * Writes the messages of refusals from the API server's answers.
 *
 * Invariant: no message written here holds a value of the object. The server's own messages quote values after `Invalid
 * value:` and `, got`, among them whole pod specs and passwords, so those parts are cut out by their grammar. Where a
 * text does not fit the grammar, it is cut off from the value to its end.
 *
 * Invariant: the same errors give the same text. The server lists them in another order each time, so they are sorted.
 */
import { compareTexts } from '../object/identity.ts';
import { parseJson } from '../object/json.ts';

/** The parts of an answer that messages are made of; answers.ts fills them. */
export interface AnswerText {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly request: { readonly group: string; readonly kind: string };
  readonly causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[];
}

const MAX_MESSAGE_CHARS = 600;
const MAX_CAUSES = 5;

/** Shortens a text to the longest message, with `…` at its end. */
export function cut(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}

/** The conflicting fields and their managers in the server's notation, such as `.spec.replicas` and `hpa`. */
export function readConflicts(answer: AnswerText): { field: string; manager: string }[] {
  return answer.causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field, message }) => ({ field, manager: managerIn(message) }))
    .sort((a, b) => compareTexts(a.manager, b.manager) || compareTexts(a.field, b.field));
}

/** The manager is named only in the text: `conflict with "hpa" with subresource "scale" using apps/v1: …`. */
function managerIn(message: string): string {
  const quoted = /^conflict with ("(?:[^"\\]|\\.)*")/.exec(message)?.[1];
  if (quoted === undefined) return 'another manager';
  try {
    return String(parseJson(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

/** The fields that an answer names, each once. */
export function readFields(answer: AnswerText): string[] {
  const named = answer.causes.map(({ field }) => field).filter((field) => field !== '');
  const typed = typedErrors(answer.message).map(({ field }) => field);
  return [...new Set([...named, ...typed])].sort(compareTexts);
}

export function describeConflict(answer: AnswerText): string {
  const byManager = new Map<string, string[]>();
  for (const { field, manager } of readConflicts(answer)) {
    byManager.set(manager, [...(byManager.get(manager) ?? []), field]);
  }
  const parts = [...byManager].map(([manager, fields]) => `${manager} owns ${shorten(fields)}`);
  return `another manager owns fields that Git sets: ${parts.join('; ')}`;
}

export function describeUnauthorized(): string {
  return 'the API server refuses the credentials; check that the token or certificate is valid and not expired';
}

export function describeThrottled(): string {
  return 'the API server is busy or limits the rate of requests';
}

export function describeWebhook(answer: AnswerText): string {
  const name = /failed calling webhook "([^"]*)"/.exec(answer.message)?.[1];
  return `the admission webhook ${name ? `${name} ` : ''}does not answer; check that its service runs`;
}

/** The causes of a 422, each as its field and its text. */
export function describeCauses(answer: AnswerText): string {
  // The causes of a webhook are free text, too.
  if (isSecret(answer) && refusedByAdmission(answer)) return describeServerMessage(answer);
  if (answer.causes.length === 0) return describeServerMessage(answer);
  const texts = answer.causes.map((cause) => {
    const text = withoutValue(cause.message, isSecret(answer));
    return cause.field ? `${cause.field}: ${text}` : text;
  });
  return shorten([...new Set(texts)].sort(compareTexts), '; ');
}

/** The errors listed in 'failed to create typed patch object …', each as its field and its text. */
export function describeTyped(answer: AnswerText): string {
  const errors = typedErrors(answer.message).map(({ field, text }) => `${field}: ${text}`);
  if (errors.length > 0) return shorten(errors, '; ');
  return 'the object does not match the schema of its kind: it has an unknown field, a wrong type or a list item twice';
}

/** The server's own message. For a Secret it is shown only where it cannot quote the Secret's values. */
export function describeServerMessage(answer: AnswerText): string {
  const status = `HTTP ${answer.status}${answer.reason ? ` ${answer.reason}` : ''}`;
  const line = firstLine(answer.message);
  if (line === '') return `the API server answered ${status}`;
  if (!isSecret(answer)) return withoutQuotedBody(firstStatement(answer.message));
  if (SAFE_FOR_SECRETS.test(line)) return line;
  const admission = refusedByAdmission(answer);
  if (admission) return `${admission} refuses the Secret`;
  return `the API server refuses the Secret (${status}); its own message is hidden, since it may quote values`;
}

/**
 * Messages of RBAC and of quotas name only users, kinds and counts. They are recognised by their beginning: a webhook
 * may say the same words beside a value.
 */
const SAFE_FOR_SECRETS =
  /^[\w.-]+(?: "[^"]*")? is forbidden: (?:User "(?:[^"\\]|\\.)*" cannot \w+ resource |exceeded quota: )/;

/** The webhook or policy that refuses a request; undefined if another part of the server does. */
function refusedByAdmission({ message }: AnswerText): string | undefined {
  const webhook = /admission webhook "([^"]*)" denied the request/.exec(message);
  if (webhook) return `the admission webhook ${webhook[1] ?? ''}`;
  const policy = /ValidatingAdmissionPolicy '([^']*)'/.exec(message);
  return policy ? `the admission policy ${policy[1] ?? ''}` : undefined;
}

function isSecret(answer: AnswerText): boolean {
  return answer.request.group === '' && answer.request.kind === 'Secret';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

/** The first line. Below the one about rights that an account may not grant stand these rights, one a line. */
function firstStatement(text: string): string {
  const first = firstLine(text);
  if (!first.endsWith('RBAC permissions not currently held:')) return first;
  const rights = text.split('\n').slice(1);
  return [first, ...rights.map((line) => line.trim()).sort(compareTexts)].join(' ').trim();
}

/** Drops the bytes of the body that a decoder quotes around an error. */
function withoutQuotedBody(line: string): string {
  return line.replace(/,? ?(error found in #\d+ byte of|bigger context).*$/, '');
}

const TYPED_ERROR =
  /^(\.\S*(?:\[[^\n]*?\]\S*)*): (expected [a-z ()]+?|field not declared in schema|duplicate entries for key .*?)(?:, got .*)?$/;

/** One error a line. A line of another shape belongs to a value with a line break in it, and is dropped. */
function typedErrors(message: string): { field: string; text: string }[] {
  const start = /^failed to (?:create typed patch object|convert new object) \([^)]*\): (?:errors:)?/.exec(message);
  if (!start) return [];
  return message
    .slice(start[0].length)
    .split('\n')
    .map((line) => TYPED_ERROR.exec(line.trim()))
    .filter((match) => match !== null)
    .map((match) => ({ field: match[1] ?? '', text: TYPED_WORDS[match[2] ?? ''] ?? match[2] ?? '' }))
    .sort((a, b) => compareTexts(a.field, b.field) || compareTexts(a.text, b.text));
}

const TYPED_WORDS: Readonly<Record<string, string>> = { 'field not declared in schema': 'no such field' };

/** Types of field errors that quote the value in their text: `Invalid value: <value>: <reason>`. */
const QUOTING = /^(Invalid value|Unsupported value|Duplicate value|Not found|Too many|Too few): /;
const WORDS: Readonly<Record<string, string>> = {
  'Invalid value': 'invalid value',
  'Unsupported value': 'unsupported value',
  'Duplicate value': 'duplicate value',
  'Not found': 'not found',
  'Too many': 'too many items',
  'Too few': 'too few items',
};

/** Beginnings of other field errors; the API server writes no value into them. */
const FIXED = /^(Required value|Forbidden|Too long|Internal error)(?=$|:)/;

/** The text of a field error without the value that it quotes; for a Secret, without the reason either. */
export function withoutValue(message: string, isOfSecret = false): string {
  const head = QUOTING.exec(message);
  if (!head) return isOfSecret ? (FIXED.exec(message)?.[0] ?? 'refused') : firstLine(message);
  const label = WORDS[head[1] ?? ''] ?? 'invalid';
  const rest = message.slice(head[0].length);
  const end = endOfValue(rest);
  const tail = end === undefined || !rest.startsWith(': ', end) ? '' : firstLine(rest.slice(end + 2));
  return tail === '' || isOfSecret ? label : `${label}: ${tail}`;
}

/** The length of the value that `text` starts with: a Go-quoted string, a JSON value or a bare word. */
function endOfValue(text: string): number | undefined {
  const first = text[0];
  if (first === '"') return /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0].length;
  if (first === '{' || first === '[') return endOfJson(text);
  return /^[^\s:]+/.exec(text)?.[0].length;
}

function endOfJson(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const string = /"(?:[^"\\]|\\.)*"/y;
      string.lastIndex = at;
      const match = string.exec(text);
      if (!match) return undefined;
      at += match[0].length - 1;
    } else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return undefined;
}

function shorten(items: readonly string[], separator = ', '): string {
  const shown = items.slice(0, MAX_CAUSES).join(separator);
  return items.length > MAX_CAUSES ? `${shown} and ${items.length - MAX_CAUSES} more` : shown;
}
