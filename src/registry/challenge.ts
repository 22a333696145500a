/**
 * Reads the header WWW-Authenticate (RFC 9110, RFC 6750), which may hold several challenges in one value or several.
 */

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_HEADER_CHARS = 8_192;
/** `name=value`, `name="value"`, or a word: the scheme of the next challenge. */
const PART = /\s*,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;

/** Reads as far as the header can be read. */
export function readChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const values = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  return values.flatMap(readValue);
}

function readValue(value: string): Challenge[] {
  const text = value.slice(0, MAX_HEADER_CHARS);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const part = new RegExp(PART);
  for (let found = part.exec(text); found; found = part.exec(text)) {
    const [, name = '', quoted, plain] = found;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}
