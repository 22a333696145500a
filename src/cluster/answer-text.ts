/**
 * Words for people out of what the API server answers.
 *
 * Invariant: no text made here holds a value of the object. The server's own messages quote values after `Invalid
 * value:` and `, got`, whole pod specs and passwords among them, so those parts are cut out by their grammar; where the
 * grammar doesn't fit, the value goes with all that follows it.
 */
import { isMap, type Value } from '../object/value.ts';
import { parseJson } from '../object/json.ts';

/** What of an answer the texts are made of; see answers.ts. */
export interface AnswerText {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly text: string;
  readonly asked: { readonly group: string; readonly kind: string };
  readonly causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[];
}

const MAX_MESSAGE_CHARS = 600;
const MAX_CAUSES = 5;

export function cut(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}

/** The conflicting fields with their managers, as the server names them: `.spec.replicas`, `hpa`. */
export function readConflicts(answer: AnswerText): { field: string; manager: string }[] {
  return answer.causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field, message }) => ({ field, manager: managerIn(message) }));
}

/** `conflict with "hpa" with subresource "scale" using apps/v1: …`: the manager stands in the text only. */
function managerIn(message: string): string {
  const quoted = /^conflict with ("(?:[^"\\]|\\.)*")/.exec(message)?.[1];
  if (quoted === undefined) return 'another manager';
  try {
    return String(parseJson(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

export function readFields(answer: AnswerText): string[] {
  const named = answer.causes.map(({ field }) => field).filter((field) => field !== '');
  const typed = typedErrors(answer.message).map(({ field }) => field);
  return [...new Set([...named, ...typed])];
}

export function sayConflict(answer: AnswerText): string {
  const byManager = new Map<string, string[]>();
  for (const { field, manager } of readConflicts(answer)) {
    byManager.set(manager, [...(byManager.get(manager) ?? []), field]);
  }
  const parts = [...byManager].map(([manager, fields]) => `${manager} owns ${shorten(fields)}`);
  return `another manager owns fields that Git sets: ${parts.join('; ')}`;
}

export function sayUnauthorized(): string {
  return 'the API server refuses the credentials; check that the token or certificate is valid and not expired';
}

export function sayThrottled(): string {
  return 'the API server is busy or limits the rate of requests';
}

export function sayWebhook(answer: AnswerText): string {
  const name = /failed calling webhook "([^"]*)"/.exec(answer.message)?.[1];
  return `the admission webhook ${name ? `${name} ` : ''}does not answer; check that its service runs`;
}

/** The causes of a 422: field and what is wrong with it. */
export function sayCauses(answer: AnswerText): string {
  if (answer.causes.length === 0) return sayServerMessage(answer);
  const texts = answer.causes.map((cause) => {
    const what = withoutValue(cause.message, isSecret(answer));
    return cause.field ? `${cause.field}: ${what}` : what;
  });
  return shorten([...new Set(texts)], '; ');
}

/** The rows of 'failed to create typed patch object'. */
export function sayTyped(answer: AnswerText): string {
  const errors = typedErrors(answer.message).map(({ field, what }) => `${field}: ${what}`);
  if (errors.length > 0) return shorten(errors, '; ');
  return 'the object does not fit the schema of its kind: unknown field, wrong type, or a list item twice';
}

/** The server's own words, of which only those about a Secret may hold what nobody should see. */
export function sayServerMessage(answer: AnswerText): string {
  const status = `HTTP ${answer.status}${answer.reason ? ` ${answer.reason}` : ''}`;
  const line = firstLine(answer.message);
  if (line === '') return `the API server answered ${status}`;
  if (!isSecret(answer)) return withoutQuotedBody(line);
  if (SAFE_FOR_SECRETS.test(line)) return line;
  const webhook = /admission webhook "([^"]*)" denied the request/.exec(line);
  if (webhook) return `the admission webhook ${webhook[1] ?? ''} refuses the Secret`;
  const policy = /ValidatingAdmissionPolicy '([^']*)'/.exec(line);
  if (policy) return `the admission policy ${policy[1] ?? ''} refuses the Secret`;
  return `the API server refuses the Secret (${status})`;
}

/** Messages of RBAC and quota name users, kinds and counts only. */
const SAFE_FOR_SECRETS = /cannot \w+ resource|exceeded quota/;

function isSecret(answer: AnswerText): boolean {
  return answer.asked.group === '' && answer.asked.kind === 'Secret';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

/** Decoders quote the bytes around an error. */
function withoutQuotedBody(line: string): string {
  return line.replace(/,? ?(error found in #\d+ byte of|bigger context).*$/, '');
}

const TYPED_ERROR =
  /^(\.\S*(?:\[[^\n]*?\]\S*)*): (expected [a-z ()]+?|field not declared in schema|duplicate entries for key .*?)(?:, got .*)?$/;

/** One line an error; what doesn't have the known shape is part of a value with a line break in it. */
function typedErrors(message: string): { field: string; what: string }[] {
  const start = /^failed to (?:create typed patch object|convert new object) \([^)]*\): (?:errors:)?/.exec(message);
  if (!start) return [];
  return message
    .slice(start[0].length)
    .split('\n')
    .map((line) => TYPED_ERROR.exec(line.trim()))
    .filter((match) => match !== null)
    .map((match) => ({ field: match[1] ?? '', what: TYPED_WORDS[match[2] ?? ''] ?? match[2] ?? '' }));
}

const TYPED_WORDS: Readonly<Record<string, string>> = { 'field not declared in schema': 'no such field' };

/** Types of field errors whose text goes on with the value: `Invalid value: <value>: what is wrong`. */
const QUOTING = /^(Invalid value|Unsupported value|Duplicate value|Not found|Too many|Too few): /;
const WORDS: Readonly<Record<string, string>> = {
  'Invalid value': 'invalid value',
  'Unsupported value': 'unsupported value',
  'Duplicate value': 'duplicate value',
  'Not found': 'not found',
  'Too many': 'too many items',
  'Too few': 'too few items',
};

/** The text of a field error without the value that it quotes. */
export function withoutValue(message: string, isOfSecret = false): string {
  const head = QUOTING.exec(message);
  if (!head) return isOfSecret ? (message.split(':', 1)[0] ?? '') : firstLine(message);
  const label = WORDS[head[1] ?? ''] ?? 'invalid';
  const rest = message.slice(head[0].length);
  const end = endOfValue(rest);
  const tail = end === undefined || !rest.startsWith(': ', end) ? '' : firstLine(rest.slice(end + 2));
  return tail === '' || isOfSecret ? label : `${label}: ${tail}`;
}

/** Where the value at the start of `text` ends: a Go-quoted string, a JSON value or a bare word. */
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

/** `Warning` headers (RFC 9111 §5.5 of old): `299 - "text"`, several in one line. */
export function readWarnings(header: string | readonly string[] | undefined): string[] {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  const texts: string[] = [];
  for (const line of lines) {
    for (const match of line.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      if (texts.length < MAX_WARNINGS) texts.push(cut((match[1] ?? '').replace(/\\(.)/g, '$1')));
    }
  }
  return texts;
}

const MAX_WARNINGS = 20;

/** Whether a parsed body is a Status of the API. */
export function isStatusBody(body: Value): boolean {
  return isMap(body) && body['kind'] === 'Status' && body['apiVersion'] === 'v1';
}
