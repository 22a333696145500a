/**
 * Dresses the text of a file of objects: line ends of Windows, byte order marks, comments around documents, ends of
 * documents, JSON, anchors. kustomize reads all of them.
 */
import type { Chance } from '../../support/chance.ts';
import type { Written } from './yaml-text.ts';

/** `documents`: the text and the value of each object. */
export function dressDocuments(
  chance: Chance,
  documents: readonly { readonly text: string; readonly value: Written }[],
): string {
  const parts = documents.map(({ text, value }) => dressDocument(chance, text, value));
  const text = (chance.may(0.1) ? '---\n' : '') + parts.join(chance.may(0.1) ? '--- # next\n' : '---\n');
  const ended = chance.may(0.05) ? `${text}---\n# nothing\n` : text;
  const marked = chance.may(0.05) ? `\ufeff${ended}` : ended;
  return chance.may(0.1) ? marked.replaceAll('\n', '\r\n') : marked;
}

function dressDocument(chance: Chance, text: string, value: Written): string {
  if (chance.may(0.06) && isJson(value)) return `${JSON.stringify(value, undefined, chance.int(3))}\n`;
  const anchored = chance.may(0.1) ? text.replace(/^( *)name: ([a-z]+)$/m, '$1name: &it $2') : text;
  const before = chance.may(0.08) ? '# an object\n\n' : '';
  // docs/kustomize.md names the difference of a comment behind kept lines in annotations.
  const after = chance.may(0.08) && !/[|>]\+\n/.test(text) ? chance.pick(['# the end\n', '\n# the end\n', '\n  # the end\n', '\n\n']) : '';
  const end = chance.may(0.04) ? '...\n' : '';
  return `${before}${withNotes(chance, anchored)}${after}${end}`;
}

/** Puts comments behind unquoted words at the end of lines, and between fields of the first level. */
function withNotes(chance: Chance, text: string): string {
  if (!chance.may(0.15)) return text;
  const noted = text.replace(/^( *(?:kind|apiVersion): [\w./]+)$/gm, (line) => (chance.may(0.5) ? `${line} # note` : line));
  return noted.replace(/^(?=(?:spec|data|metadata):)/gm, () => (chance.may(0.5) ? '# a field\n' : ''));
}

/** Whether a value has no scalar that only YAML can write. */
function isJson(value: Written): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if ('raw' in value) return false;
  return Object.values(value).every(isJson);
}
