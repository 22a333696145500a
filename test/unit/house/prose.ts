/**
 * Extracts the English sentences of a source file: comments, names of tests and log messages. It works on lines and
 * patterns, since TypeScript 7 has no programming interface and the formatter keeps these texts in few forms.
 */
import type { SourceFile } from './source-files.ts';

export interface Passage {
  /** `path:line` of its first line. */
  readonly place: string;
  /** In one line, without comment marks and inline code. */
  readonly text: string;
}

/** Each paragraph of a block comment, and each run of lines with `//`, is one passage. */
export function commentsOf({ path, text }: SourceFile): Passage[] {
  const passages: { place: string; words: string[] }[] = [];
  let isInBlock = false;
  let isContinued = false;
  for (const [index, line] of text.split('\n').entries()) {
    const isBlock: boolean = isInBlock || /^\s*\/\*/.test(line);
    const comment = isBlock ? blockLine(line) : lineComment(line);
    if (comment) {
      if (!isContinued || comment.isItem) passages.push({ place: `${path}:${index + 1}`, words: [] });
      passages.at(-1)?.words.push(comment.text);
    }
    isInBlock = isBlock && !line.includes('*/');
    // A comment behind code, or the end of a block, does not continue in the next line.
    isContinued = comment !== undefined && (isInBlock || (!isBlock && comment.isWholeLine));
  }
  return passages.map(({ place, words }) => ({ place, text: words.join(' ').replaceAll(/`[^`]*`/g, '`…`') }));
}

interface CommentLine {
  readonly text: string;
  /** Whether it begins an item of a list. */
  readonly isItem: boolean;
  readonly isWholeLine: boolean;
}

function blockLine(line: string): CommentLine | undefined {
  const content = line.replace(/^\s*(\/\*+|\*(?!\/))?/, '').replace(/\*\/.*$/, '');
  return commentLine(content, true);
}

/** A comment behind code is found only if no quote comes before it, which could be the start of an address. */
function lineComment(line: string): CommentLine | undefined {
  const [, before = '', content = ''] = /^([^'"`]*?)\/\/(.*)$/.exec(line) ?? [];
  return commentLine(content, before.trim() === '');
}

function commentLine(content: string, isWholeLine: boolean): CommentLine | undefined {
  const [, mark = '', text = ''] = /^\s*(- )?(.*?)\s*$/.exec(content) ?? [];
  return text === '' ? undefined : { text, isItem: mark !== '', isWholeLine };
}

export function testNamesOf(file: SourceFile): Passage[] {
  return literalsAfter(file, /\b(?:test|suite|it|describe)\(\s*/g);
}

/** The first arguments of calls of a log, where they are literals. */
export function logMessagesOf(file: SourceFile): Passage[] {
  return literalsAfter(file, /\blog\.(?:debug|info|warn|error)\(\s*/gi);
}

function literalsAfter({ path, text }: SourceFile, call: RegExp): Passage[] {
  const literal = /(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/.source;
  return [...text.matchAll(new RegExp(call.source + literal, call.flags))].map((found) => {
    const [, single, double, template = ''] = found;
    const line = text.slice(0, found.index).split('\n').length;
    return { place: `${path}:${line}`, text: single ?? double ?? template };
  });
}
