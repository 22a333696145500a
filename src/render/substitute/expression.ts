/**
 * Reads the expressions of variables in a text (`${NAME}`, `${NAME:-default}`…) exactly as Flux does, which uses its
 * own edition of envsubst.
 *
 * Invariant: the cost is linear in the text, and the nesting of expressions is bounded.
 */

/** A text between expressions, or an expression. */
export type Part = string | Expression;

export interface Expression {
  /** Name of the variable. */
  readonly name: string;
  /** `''` for the value itself; otherwise the characters of the operator, such as `:-` or `//`. */
  readonly operator: string;
  readonly args: readonly Part[];
  /** Offset of its `$` in the text. */
  readonly at: number;
}

/** An expression that cannot be read. */
export class ExpressionError extends Error {
  /** Offset of its `$` in the text. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Expressions inside the default values of others. */
const MAX_DEPTH = 100;

interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

/** The texts and expressions of a text; `$$` becomes `$`. Throws ExpressionError. */
export function readExpressions(text: string): readonly Part[] {
  const cursor: Cursor = { text, at: 0, depth: 0 };
  const parts: Part[] = [];
  let from = 0;
  for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', cursor.at)) {
    const next = text[dollar + 1];
    cursor.at = dollar + (next === '{' || next === '$' ? 2 : 1);
    if (next !== '{' && next !== '$') continue;
    const end = next === '$' ? dollar + 1 : dollar;
    if (end > from) parts.push(text.slice(from, end));
    if (next === '{') parts.push(readExpression(cursor));
    from = cursor.at;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

/** Reads what follows `${`, and its closing brace. */
function readExpression(cursor: Cursor): Expression {
  const at = cursor.at - 2;
  cursor.depth += 1;
  if (cursor.depth > MAX_DEPTH) throw new ExpressionError(`more than ${MAX_DEPTH} expressions are nested`, at);
  const { name, operator, args } = readBody(cursor, at);
  cursor.depth -= 1;
  return { name, operator, args, at };
}

type Body = Omit<Expression, 'at'>;

function readBody(cursor: Cursor, at: number): Body {
  if (peek(cursor) === '#') {
    cursor.at += 1;
    const name = readName(cursor, at);
    close(cursor, at);
    return { name, operator: '#', args: [] };
  }
  const name = readName(cursor, at);
  const first = peek(cursor);
  if (first === '=' || (first === ':' && '=-?+'.includes(cursor.text[cursor.at + 1] ?? ' '))) {
    return { name, ...readDefault(cursor, at) };
  }
  if (first === ':') return { name, ...readSubstring(cursor, at) };
  if (first === '/') return { name, ...readReplacement(cursor, at) };
  if (first === '#' || first === '%') return { name, ...readRemoval(cursor, at) };
  const operator = take(cursor, /[,^]{0,2}/y);
  close(cursor, at);
  return { name, operator, args: [] };
}

/** `${NAME:-word}` and the like; the word is a sequence of texts and expressions. */
function readDefault(cursor: Cursor, at: number): Omit<Body, 'name'> {
  const operator = take(cursor, /=|:[=?+-]/y);
  const args: Part[] = [];
  while (peek(cursor) !== '}') args.push(readArgument(cursor, at, NOT_CLOSING));
  close(cursor, at);
  return { operator, args };
}

/** `${NAME:position}` and `${NAME:position:length}`. */
function readSubstring(cursor: Cursor, at: number): Omit<Body, 'name'> {
  cursor.at += 1;
  const position = readArgument(cursor, at, { stop: /[:}]/, hasEscapes: false });
  if (take(cursor, /:*/y) === '') {
    close(cursor, at);
    return { operator: ':', args: [position] };
  }
  const length = readArgument(cursor, at, NOT_CLOSING);
  close(cursor, at);
  return { operator: ':', args: [position, length] };
}

/** `${NAME#pattern}`, `${NAME##pattern}`, `${NAME%pattern}` and `${NAME%%pattern}`. */
function readRemoval(cursor: Cursor, at: number): Omit<Body, 'name'> {
  const operator = take(cursor, /##?|%%?/y);
  const pattern = readArgument(cursor, at, NOT_CLOSING);
  close(cursor, at);
  return { operator, args: [pattern] };
}

/** `${NAME/old/new}`, with `//` for all, `/#` at the beginning and `/%` at the end. */
function readReplacement(cursor: Cursor, at: number): Omit<Body, 'name'> {
  const operator = take(cursor, /\/[/#%]?/y);
  const args = [readArgument(cursor, at, { stop: /\//, hasEscapes: true })];
  if (take(cursor, /\/*/y) === '') throw malformed(at);
  if (peek(cursor) !== '}') args.push(readArgument(cursor, at, { ...NOT_CLOSING, hasEscapes: true }));
  close(cursor, at);
  return { operator, args };
}

interface ArgumentRule {
  /** The first character behind the argument. */
  readonly stop: RegExp;
  /** Whether `$$`, `\/` and `\\` stand for their second character. */
  readonly hasEscapes: boolean;
}

const NOT_CLOSING: ArgumentRule = { stop: /\}/, hasEscapes: false };

/** One expression, or a text that is not empty. */
function readArgument(cursor: Cursor, at: number, { stop, hasEscapes }: ArgumentRule): Part {
  const { text } = cursor;
  if (text.startsWith('${', cursor.at)) {
    cursor.at += 2;
    return readExpression(cursor);
  }
  const pieces: string[] = [];
  let from = cursor.at;
  for (; cursor.at < text.length && !text.startsWith('${', cursor.at); cursor.at += 1) {
    if (hasEscapes && ESCAPE.test(text.slice(cursor.at, cursor.at + 2))) {
      pieces.push(text.slice(from, cursor.at));
      cursor.at += 1;
      from = cursor.at;
    } else if (stop.test(text[cursor.at] as string)) break;
  }
  pieces.push(text.slice(from, cursor.at));
  const argument = pieces.join('');
  if (argument === '') throw malformed(at);
  return argument;
}

const ESCAPE = /^(?:\$\$|\\[/\\])$/;

function readName(cursor: Cursor, at: number): string {
  const name = take(cursor, /[\p{L}\p{Nd}_]*/uy);
  if (name === '') throw new ExpressionError('an expression ${…} has no name of a variable', at);
  return name;
}

function close(cursor: Cursor, at: number): void {
  if (peek(cursor) !== '}') throw malformed(at);
  cursor.at += 1;
}

function malformed(at: number): ExpressionError {
  return new ExpressionError('an expression ${…} is malformed, or its closing brace is missing', at);
}

function peek({ text, at }: Cursor): string | undefined {
  return text[at];
}

/** Takes what a sticky expression matches; the empty string if it does not match. */
function take(cursor: Cursor, form: RegExp): string {
  form.lastIndex = cursor.at;
  const [found = ''] = form.exec(cursor.text) ?? [];
  cursor.at += found.length;
  return found;
}
