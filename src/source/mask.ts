/**
 * Keeps a credential out of messages: a server may repeat what it was sent, in another encoding or cut short.
 *
 * Invariant: an error that leaves source/ holds no form of the credential that was shown.
 */
import { cleanText } from '../object/printable.ts';
import { StageError } from '../object/stage-error.ts';
import { MASK } from '../object/redact.ts';

export interface Masked {
  /** Texts that no message may hold, the longest first; see `maskedForms`. */
  readonly maskedTexts: readonly string[];
}

/** Shorter texts appear in messages by chance, and masking them would give them away. */
const MIN_MASKED_CHARS = 4;

/** Every form in which a server might repeat one of the secrets: as it is, in JSON, in a URL, in base64. */
export function maskedForms(secrets: readonly string[]): string[] {
  const forms = secrets.flatMap((value) => {
    const url = encodeURIComponent(value);
    const bytes = Buffer.from(value);
    return [
      ...[value, cleanText(value, Infinity), JSON.stringify(value).slice(1, -1)],
      ...[url, url.replaceAll('%20', '+'), url.replace(/%../g, (code) => code.toLowerCase())],
      ...[bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), value.replace(/=+$/, '')],
    ];
  });
  const long = [...new Set(forms)].filter((form) => form.length >= MIN_MASKED_CHARS);
  return long.sort((a, b) => b.length - a.length);
}

/** Masks every form of the credential in a text, also one that is cut off before an ellipsis. */
export function redact(text: string, { maskedTexts }: Masked): string {
  let clean = text;
  for (const form of maskedTexts) clean = clean.replaceAll(form, MASK);
  for (let at = clean.indexOf('…'); at >= 0; at = clean.indexOf('…', at + 1)) {
    const cutChars = longestCut(clean.slice(0, at), maskedTexts);
    if (cutChars === 0) continue;
    clean = clean.slice(0, at - cutChars) + MASK + clean.slice(at);
    at += MASK.length - cutChars;
  }
  return clean;
}

/** How many characters at the end of the text are the beginning of a form. */
function longestCut(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    for (let chars = Math.min(form.length - 1, text.length); chars > longest; chars--) {
      if (chars >= MIN_MASKED_CHARS && text.endsWith(form.slice(0, chars))) longest = chars;
    }
  }
  return longest;
}

/** The same error with a masked message and without its cause; anything but an Error is returned as it is. */
export function redactError(error: unknown, masked: Masked | undefined): unknown {
  if (!masked || !(error instanceof Error)) return error;
  const message = redact(error.message, masked);
  if (error instanceof StageError) {
    const { stage, code, retry } = error;
    return new StageError({ stage, code, retry, message });
  }
  const clean = new Error(message);
  clean.stack = redact(error.stack ?? message, masked);
  return clean;
}
