/**
 * `Warning` headers, in which the API server and admission webhooks comment on a request that they accept: a deprecated
 * API, a Pod that a stricter policy would refuse, a key that is given twice.
 *
 * Invariant: the result is a bounded number of texts of bounded length, without control characters and without values
 * of Secrets. A webhook may quote values, so only known texts about a Secret are shown.
 */
import { cut } from '../answer-text.ts';
import type { KindInfo } from '../kinds.ts';

const MAX_WARNINGS = 20;

/** `299 <agent> "<text>"` (RFC 7234 §5.5), the one code of the API server. A header may hold several, with commas. */
const WARNING = /\b299 \S+ "((?:[^"\\]|\\.)*)"/g;

/** C0 and C1 controls, line separators, and marks that turn the direction of a text. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** The API server's own check of `kubernetes.io/tls` Secrets: fixed texts of Go's crypto/tls. */
const SAFE_FOR_SECRETS: ReadonlySet<string> = new Set([
  'tls: failed to find any PEM data in certificate input',
  'tls: failed to find any PEM data in key input',
  'tls: private key does not match public key',
  'tls: private key type does not match public key type',
]);
const HIDDEN = 'the API server warns about the Secret; the warning is hidden, since it may quote values';

/** The texts of an answer's `Warning` headers, each once. `kind` is the kind of the object in the request. */
export function readWarnings(
  header: string | readonly string[] | undefined,
  { group, kind }: Pick<KindInfo, 'group' | 'kind'>,
): string[] {
  const isOfSecret = group === '' && kind === 'Secret';
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  const texts = new Set<string>();
  for (const line of lines) {
    for (const [, quoted = ''] of line.matchAll(WARNING)) {
      const text = clean(decodeUtf8(quoted.replace(/\\(.)/g, '$1')));
      if (text !== '') texts.add(isOfSecret && !SAFE_FOR_SECRETS.has(text) ? HIDDEN : text);
      if (texts.size === MAX_WARNINGS) return [...texts];
    }
  }
  return [...texts];
}

function clean(text: string): string {
  return cut(text.replace(CONTROLS, ' ').trim());
}

/** The API server sends UTF-8; the HTTP client reads a header's bytes as Latin-1. */
function decodeUtf8(text: string): string {
  if (/[^\u0000-\u00ff]/.test(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return text;
  }
}
