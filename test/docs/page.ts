/**
 * What a page tells people to do, as one shell script, in the order in which they read it: so directory and variables
 * last from one block to the next, as they do for a reader.
 *
 * - A `yaml` block whose first line is a comment with a path is a file to write.
 * - A `sh` block is run. A command after which `# ends with N` stands must end with that code, every other one with 0.
 * - A `console` block is not run: `UNTESTED` of commands.test.ts lists them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export interface Block {
  readonly language: string;
  readonly text: string;
  /** 1-based line of the page at which it begins. */
  readonly line: number;
}

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** From one heading to the next of its level; the whole page without one. */
export function section(page: string, heading: string): string {
  const level = /^#+ /.exec(heading)?.[0] ?? '';
  const start = page.indexOf(`\n${heading}\n`) + 1;
  if (start === 0) throw new Error(`there is no heading '${heading}'`);
  const end = page.indexOf(`\n${level}`, start + heading.length);
  return page.slice(start, end < 0 ? undefined : end);
}

/** Blocks may be indented, as those of a numbered list are. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm)].map((found) => {
    const [, indent = '', language = '', text = ''] = found;
    const line = page.slice(0, found.index).split('\n').length;
    return { language, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), line };
  });
}

/** Says on standard error which line of the page comes next, so that the last such line names the block that failed. */
export function scriptOf(page: string): string {
  const steps = blocksOf(page).flatMap(({ language, text, line }) => {
    const say = `echo "--- line ${line}" >&2`;
    if (language === 'sh') return [say, ...text.split('\n').map(expectCode)];
    const path = language === 'yaml' ? /^# (\S+\.yaml)\n/.exec(text)?.[1] : undefined;
    return path === undefined ? [] : [say, `cat > ${path} <<'END-OF-FILE'\n${text}END-OF-FILE`];
  });
  return ['set -e -o pipefail', ...steps, ''].join('\n');
}

function expectCode(line: string): string {
  const found = /^(.*?) +# ends with (\d+)/.exec(line);
  if (!found) return line;
  const [, command = '', code = ''] = found;
  return `set +e; ${command}; code=$?; set -e; [ $code = ${code} ] || { echo "ended with $code" >&2; exit 99; }`;
}
