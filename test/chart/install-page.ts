/** What docs/install.md tells people to do, in the order in which they read it: files to write, commands to run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const INSTALL_PAGE = readFileSync(join(import.meta.dirname, '../../docs/install.md'), 'utf8');

export type PageStep =
  /** A YAML block; its first line is a comment with its name. */
  | { readonly type: 'file'; readonly name: string; readonly text: string }
  /** A line of a `sh` block, in words; blocks marked `console` are not run. */
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
