/**
 * Makes one shell script of the steps of a page, in the order of the page. The directory and the variables last from
 * one block to the next, as they do for a reader.
 *
 * - A `yaml` block whose first line is a comment with a path is a file to write.
 * - A `sh` block is run. A command with the comment `# ends with N` must end with code N, every other command with 0.
 * - A `console` block is not run; `UNTESTED` in commands.test.ts lists these commands.
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

/** The section from a heading to the next one of the same level. Throws if there is no such heading. */
export function section(page: string, heading: string): string {
  const level = /^#+ /.exec(heading)?.[0] ?? '';
  const start = page.indexOf(`\n${heading}\n`) + 1;
  if (start === 0) throw new Error(`there is no heading '${heading}'`);
  const end = page.indexOf(`\n${level}`, start + heading.length);
  return page.slice(start, end < 0 ? undefined : end);
}

/** All fenced blocks of a page, also indented ones, such as those of a numbered list. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm)].map((found) => {
    const [, indent = '', language = '', text = ''] = found;
    const line = page.slice(0, found.index).split('\n').length;
    return { language, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), line };
  });
}

/**
 * The script prints the line of each block to standard error before it runs the block; the last such line names the
 * block that failed.
 */
export function scriptOf(page: string): string {
  const steps = blocksOf(page).flatMap(({ language, text, line }) => {
    const announce = `echo "--- line ${line}" >&2`;
    if (language === 'sh') return [announce, ...text.split('\n').map(expectCode)];
    const path = language === 'yaml' ? /^# (\S+\.yaml)\n/.exec(text)?.[1] : undefined;
    return path === undefined ? [] : [announce, `cat > ${path} <<'END-OF-FILE'\n${text}END-OF-FILE`];
  });
  return ['set -e -o pipefail', ...steps, ''].join('\n');
}

function expectCode(line: string): string {
  const found = /^(.*?) +# ends with (\d+)/.exec(line);
  if (!found) return line;
  const [, command = '', code = ''] = found;
  return `set +e; ${command}; code=$?; set -e; [ $code = ${code} ] || { echo "ended with $code" >&2; exit 99; }`;
}
