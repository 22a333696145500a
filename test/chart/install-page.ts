/** The steps of docs/install.md in the order of the page: files to write and commands to run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const INSTALL_PAGE = readFileSync(join(import.meta.dirname, '../../docs/install.md'), 'utf8');

export type PageStep =
  /** A YAML block; its first line is a comment with the name of the file. */
  | { readonly type: 'file'; readonly name: string; readonly text: string }
  /** A line of a `sh` block, split into words. Blocks marked `console` are not steps. */
  | { readonly type: 'command'; readonly words: readonly string[] };

export function installSteps(): PageStep[] {
  return [...INSTALL_PAGE.matchAll(/^```(sh|yaml)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, language, text = '']): PageStep[] => {
      if (language === 'yaml') return [{ type: 'file', name: /^# (\S+)/.exec(text)?.[1] ?? '', text }];
      const lines = text.split('\n').filter((line) => line.trim());
      return lines.map((line) => ({ type: 'command', words: line.split(' ') }));
    },
  );
}
