/**
 * Reads the syntax of git's configuration files, in which `.gitmodules` is written (git-config(1), and config.c of
 * git). The cost is linear in the text.
 */

export interface ConfigVariable {
  /** `section.variable` or `section.subsection.variable`; section and variable in lower case. */
  readonly key: string;
  /** undefined: the variable stands alone, which means true. */
  readonly value: string | undefined;
  /** 1-based line of the variable. */
  readonly line: number;
}

export type ConfigFile =
  | { readonly ok: true; readonly variables: readonly ConfigVariable[] }
  /** 1-based line that git refuses. */
  | { readonly ok: false; readonly line: number };

export function readGitConfig(text: string): ConfigFile {
  const reader = createReader(text.startsWith('\ufeff') ? text.slice(1) : text);
  const variables: ConfigVariable[] = [];
  let section = '';
  for (let char = reader.next(); char !== undefined; char = reader.next()) {
    if (isSpace(char)) continue;
    if (char === '#' || char === ';') {
      reader.skipLine();
      continue;
    }
    const { line } = reader;
    if (char === '[') {
      const name = readSection(reader);
      if (name === undefined) return { ok: false, line };
      section = name;
      continue;
    }
    const variable = isLetter(char) ? readVariable(reader, char) : undefined;
    if (variable === undefined) return { ok: false, line };
    variables.push({ ...variable, key: `${section}${variable.key}`, line });
  }
  return { ok: true, variables };
}

interface Reader {
  /** The line of the next character, 1-based. */
  readonly line: number;
  /** A carriage return before a line end is left out. undefined: the text has ended. */
  next(): string | undefined;
  skipLine(): void;
}

function createReader(text: string): Reader {
  let at = 0;
  let line = 1;
  return {
    get line() {
      return line;
    },
    next() {
      if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
      const char = text[at];
      if (char === '\n') line += 1;
      at += 1;
      return char;
    },
    skipLine() {
      const end = text.indexOf('\n', at);
      if (end >= 0) line += 1;
      at = end < 0 ? text.length : end + 1;
    },
  };
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

function isLetter(char: string): boolean {
  return /^[A-Za-z]$/.test(char);
}

function isKeyChar(char: string): boolean {
  return /^[A-Za-z0-9-]$/.test(char);
}

/** The beginning of the keys that follow, a dot included. undefined: git refuses the header. */
function readSection(reader: Reader): string | undefined {
  const name: string[] = [];
  for (let char = reader.next(); char !== undefined; char = reader.next()) {
    if (char === ']') return name.length === 0 ? undefined : `${name.join('')}.`;
    if (isSpace(char)) {
      const subsection = char === '\n' ? undefined : readSubsection(reader);
      return subsection === undefined ? undefined : `${name.join('')}.${subsection}.`;
    }
    if (!isKeyChar(char) && char !== '.') return undefined;
    name.push(char.toLowerCase());
  }
  return undefined;
}

function readSubsection(reader: Reader): string | undefined {
  let char = reader.next();
  while (char !== undefined && char !== '\n' && isSpace(char)) char = reader.next();
  if (char !== '"') return undefined;
  const name: string[] = [];
  for (char = reader.next(); char !== '"'; char = reader.next()) {
    if (char === '\\') char = reader.next();
    if (char === undefined || char === '\n') return undefined;
    name.push(char);
  }
  return reader.next() === ']' ? name.join('') : undefined;
}

function readVariable(reader: Reader, first: string): Pick<ConfigVariable, 'key' | 'value'> | undefined {
  const key = [first];
  let char = reader.next();
  for (; char !== undefined && isKeyChar(char); char = reader.next()) key.push(char);
  while (char === ' ' || char === '\t') char = reader.next();
  const name = key.join('').toLowerCase();
  if (char === undefined || char === '\n') return { key: name, value: undefined };
  const value = char === '=' ? readValue(reader) : undefined;
  return value === undefined ? undefined : { key: name, value };
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', '\\': '\\', '"': '"' };

/** undefined: git refuses the value. */
function readValue(reader: Reader): string | undefined {
  const value: string[] = [];
  let isQuoted = false;
  let spaces = 0;
  for (;;) {
    let char = reader.next();
    if (char === undefined || char === '\n') return isQuoted ? undefined : value.join('');
    if (!isQuoted && isSpace(char)) {
      if (value.length > 0) spaces += 1;
      continue;
    }
    if (!isQuoted && (char === '#' || char === ';')) {
      reader.skipLine();
      return value.join('');
    }
    if (spaces > 0) value.push(' '.repeat(spaces));
    spaces = 0;
    if (char === '"') {
      isQuoted = !isQuoted;
      continue;
    }
    if (char === '\\') {
      const escaped = reader.next();
      if (escaped === '\n' || escaped === undefined) continue;
      char = ESCAPES[escaped];
      if (char === undefined) return undefined;
    }
    value.push(char);
  }
}
