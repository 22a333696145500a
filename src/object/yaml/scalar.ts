/**
 * The meaning of an unquoted YAML scalar by the rules of go-yaml. kustomize uses two versions: version 3 reads
 * manifests, version 2 reads kustomization.yaml and JSON patches (where `yes` and `on` are booleans).
 *
 * Invariant: a text to which no rule applies is a string. Integers that a double cannot represent are bigints.
 */
import { EMPTY, NULL, type YamlScalar } from './node.ts';

export type YamlDialect = 'v2' | 'v3';

/** The scalar that a plain (unquoted, untagged) text means. */
export function resolvePlain(text: string, dialect: YamlDialect = 'v3'): string | YamlScalar {
  if (text === '') return EMPTY;
  const kind = KIND_BY_FIRST_CHAR[text.charCodeAt(0)];
  if (kind === undefined) return text;
  if (kind === 'word') return resolveWord(text, dialect);
  const found = kind === 'dot' ? (WORDS.get(text) ?? resolveFraction(text)) : resolveNumeric(text, dialect);
  return found ?? text;
}

/** The scalar that a text means under an explicit tag of the YAML core schema; undefined if it does not fit the tag. */
export function resolveTagged(text: string, tag: string, dialect: YamlDialect): string | YamlScalar | undefined {
  if (tag === 'str') return text;
  if (tag === 'binary') return decodeBase64(text);
  const found = resolvePlain(text, dialect);
  if (typeof found === 'string') return undefined;
  const { value } = found;
  if (tag === 'null') return value === null ? found : undefined;
  if (tag === 'bool') return typeof value === 'boolean' ? found : undefined;
  if (tag === 'timestamp') return typeof value === 'string' ? found : undefined;
  if (typeof value === 'bigint') return found;
  if (typeof value !== 'number') return undefined;
  return tag === 'float' || Number.isInteger(value) ? found : undefined;
}

/** Decodes base64 as strictly as Go does; undefined if it is malformed. (Node ignores unknown characters.) */
function decodeBase64(text: string): string | undefined {
  const packed = text.replaceAll(/[\r\n]/g, '');
  const isWhole = packed.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(packed.replace(/={1,2}$/, ''));
  return isWhole ? Buffer.from(packed, 'base64').toString('utf8') : undefined;
}

/** Whether both versions of go-yaml read the unquoted text as a string. */
export function isPlainString(text: string): boolean {
  return typeof resolvePlain(text, 'v2') === 'string' && typeof resolvePlain(text, 'v3') === 'string';
}

const WORDS = new Map<string, YamlScalar>();
for (const text of ['~', 'null', 'Null', 'NULL'])
  WORDS.set(text, text === 'null' ? NULL : Object.freeze({ text, value: null }));
for (const text of ['true', 'True', 'TRUE']) WORDS.set(text, Object.freeze({ text, value: true }));
for (const text of ['false', 'False', 'FALSE']) WORDS.set(text, Object.freeze({ text, value: false }));
for (const text of ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'])
  WORDS.set(text, Object.freeze({ text, value: Infinity }));
for (const text of ['-.inf', '-.Inf', '-.INF']) WORDS.set(text, Object.freeze({ text, value: -Infinity }));
for (const text of ['.nan', '.NaN', '.NAN']) WORDS.set(text, Object.freeze({ text, value: NaN }));

/** The other booleans of YAML 1.1, which only version 2 knows. */
const WORDS_V2 = new Map<string, YamlScalar>();
for (const text of ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'])
  WORDS_V2.set(text, Object.freeze({ text, value: true }));
for (const text of ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'])
  WORDS_V2.set(text, Object.freeze({ text, value: false }));

/** The kind of scalar that a text may be, by the code of its first character; undefined for a string. */
const KIND_BY_FIRST_CHAR: (undefined | 'word' | 'dot' | 'number')[] = [];
for (const char of 'yYnNtTfFoO~') KIND_BY_FIRST_CHAR[char.charCodeAt(0)] = 'word';
for (const char of '+-0123456789') KIND_BY_FIRST_CHAR[char.charCodeAt(0)] = 'number';
KIND_BY_FIRST_CHAR['.'.charCodeAt(0)] = 'dot';

function resolveWord(text: string, dialect: YamlDialect): string | YamlScalar {
  if (text.length > 5) return text;
  return WORDS.get(text) ?? (dialect === 'v2' ? WORDS_V2.get(text) : undefined) ?? text;
}

const INTEGER = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/;
const FLOAT = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_INT64 = 2n ** 63n - 1n;

function resolveNumeric(text: string, dialect: YamlDialect): YamlScalar | undefined {
  const word = WORDS.get(text);
  if (word) return word;
  if (text.charCodeAt(4) === 45) {
    const time = resolveTimestamp(text);
    // Version 2 keeps the text of a timestamp when it decodes into an untyped value.
    if (time !== undefined) return { text, value: dialect === 'v2' ? text : time };
  }
  const digits = text.includes('_') ? text.replaceAll('_', '') : text;
  return resolveInteger(text, digits) ?? resolveFloat(text, digits);
}

function resolveInteger(text: string, digits: string): YamlScalar | undefined {
  if (digits.length < 16 && /^-?(0|[1-9]\d*)$/.test(digits)) return { text, value: Number(digits) + 0 };
  const match = INTEGER.exec(digits);
  if (!match) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const magnitude = BigInt(hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : (decimal ?? '0'));
  const exact = sign === '-' ? -magnitude : magnitude;
  if (exact < MIN_INT64 || exact > (sign === '' ? MAX_UINT64 : MAX_INT64)) return undefined;
  const number = Number(exact);
  return { text, value: Number.isSafeInteger(number) ? number : exact };
}

const FRACTION = /^\.\d+(_\d+)*([eE][-+]?\d+(_\d+)*)?$/;

/** A number that begins with a point. Unlike in other numbers, an underscore must stand between two digits. */
function resolveFraction(text: string): YamlScalar | undefined {
  return FRACTION.test(text) ? resolveFloat(text, text.replaceAll('_', '')) : undefined;
}

function resolveFloat(text: string, digits = text): YamlScalar | undefined {
  if (!FLOAT.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isFinite(value) ? { text, value } : undefined;
}

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const TIME = /^(\d{4})-(\d{1,2})-(\d{1,2})([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;

/** The RFC 3339 text of a timestamp in one of the layouts of go-yaml, with its zone; undefined for any other text. */
function resolveTimestamp(text: string): string | undefined {
  const date = DATE.exec(text);
  const match = date ?? TIME.exec(text);
  if (!match) return undefined;
  const [, year = '', month = '', day = '', separator, hour = '0', minute = '0', second = '0', fraction, zone] = match;
  // A timestamp with `T` needs a zone; one with a space must not have a zone.
  if (!date && (separator === ' ') !== (zone === undefined)) return undefined;
  const [m, d, h, min, s] = [month, day, hour, minute, second].map(Number) as [number, number, number, number, number];
  const isReal = m >= 1 && m <= 12 && d >= 1 && d <= daysIn(Number(year), m) && h < 24 && min < 60 && s < 60;
  if (!isReal) return undefined;
  const pad = (n: number): string => String(n).padStart(2, '0');
  const tail = fraction ? fraction.slice(0, 10).replace(/\.?0+$/, '') : '';
  const at = zone === undefined || /^[+-]00:00$/.test(zone) ? 'Z' : zone;
  return `${year}-${pad(m)}-${pad(d)}T${pad(h)}:${pad(min)}:${pad(s)}${tail}${at}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
