/** Writes values as YAML in the many ways in which people write it: flow and block style, quotes, unquoted scalars. */
import type { Chance } from '../../support/chance.ts';

/** A scalar that is written as it is, without quotes. */
export interface Raw {
  readonly raw: string;
}

export type Written = null | boolean | number | string | Raw | Written[] | { readonly [key: string]: Written };

export function writeYamlText(chance: Chance, value: Written): string {
  return `${block(chance, value, 0).replace(/^\n/, '')}\n`;
}

function isRaw(value: Written): value is Raw {
  return typeof value === 'object' && value !== null && 'raw' in value && typeof value.raw === 'string';
}

/** The text begins with a newline if it does not fit on the current line. */
function block(chance: Chance, value: Written, indent: number): string {
  if (typeof value !== 'object' || value === null || isRaw(value)) return ` ${scalar(chance, value, indent)}`;
  const isSmall = JSON.stringify(value).length < 60;
  if (isSmall && chance.may(0.15)) return ` ${flow(chance, value)}`;
  const pad = ' '.repeat(indent);
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    const shift = chance.may(0.5) ? '  ' : '';
    return value
      .map(
        (item) =>
          `\n${comment(chance, pad)}${pad}${shift}-${block(chance, item, indent + 2 + shift.length).replace(/^\n +/, ' ')}`,
      )
      .join('');
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return ' {}';
  return entries
    .map(([key, item]) => `\n${comment(chance, pad)}${pad}${keyText(key)}:${block(chance, item, indent + 2)}`)
    .join('');
}

/** Never writes a comment: it would separate a list item from its first line. The draw keeps the cases of a seed. */
function comment(chance: Chance, pad: string): string {
  return pad !== '' && chance.may(0) ? `${pad}# note\n` : '';
}

function flow(chance: Chance, value: Written): string {
  if (typeof value !== 'object' || value === null || isRaw(value)) return scalar(chance, value, -1);
  if (Array.isArray(value)) return `[${value.map((item) => flow(chance, item)).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${keyText(key)}: ${flow(chance, item)}`)
    .join(', ')}}`;
}

function keyText(key: string): string {
  return /^[A-Za-z_$][\w./-]*$/.test(key) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(key)
    ? key
    : JSON.stringify(key);
}

/** `indent` is negative within a flow collection. */
function scalar(chance: Chance, value: null | boolean | number | string | Raw, indent: number): string {
  if (value === null) return indent < 0 ? 'null' : chance.pick(['null', '~', 'null']);
  if (typeof value !== 'string') return typeof value === 'object' ? value.raw : String(value);
  const isPlain = /^[A-Za-z/][\w./-]*$/.test(value) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(value);
  if (isPlain && chance.may(0.8)) return value;
  const isBlock =
    indent > 0 && value.includes('\n') && /^\n?[^\s][\x20-\x7e\n\u00a1-\u00ff]*$/.test(value) && !/ \n/.test(value);
  if (isBlock && chance.may(0.8)) {
    const lines = (value.endsWith('\n') ? value.slice(0, -1) : value).split('\n');
    const chomping = value.endsWith('\n\n') ? '+' : value.endsWith('\n') ? '' : '-';
    return `${chance.may(0.4) ? ">" : "|"}${chomping}\n${lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n')}`;
  }
  if (!/[\n\t\\\x7f-\uffff]/.test(value) && chance.may(0.4)) return `'${value.replaceAll("'", "''")}'`;
  return JSON.stringify(value);
}
