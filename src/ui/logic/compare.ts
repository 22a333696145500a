/**
 * The comparison of the desired and the live object as lines. The live object is first reduced to the fields that Git
 * sets, since defaults and the status of the server would hide the difference.
 */
import { structuredPatch } from 'diff';
import { yamlOf } from './yaml-text.ts';

export interface CompareLine {
  readonly type: 'same' | 'added' | 'removed' | 'gap';
  readonly text: string;
}

/** From live to desired, with three lines around each change; empty if they are equal. */
export function compareObjects(live: unknown, desired: unknown): CompareLine[] {
  const before =
    live === undefined ? '' : yamlOf(live === null || desired === undefined ? live : onlyAs(live, desired));
  const after = desired === undefined ? '' : yamlOf(desired);
  return linesOf(before, after);
}

function linesOf(before: string, after: string): CompareLine[] {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: 3 });
  return hunks.flatMap(({ oldStart, newStart, lines }, index): CompareLine[] => {
    const isAtStart = index === 0 && oldStart <= 1 && newStart <= 1;
    return [...(isAtStart ? [] : [GAP]), ...lines.flatMap(hunkLine)];
  });
}

const GAP: CompareLine = { type: 'gap', text: '…' };

const TYPES: Readonly<Record<string, CompareLine['type']>> = { '+': 'added', '-': 'removed', ' ': 'same' };

/** A line of a hunk in unified form; `\ No newline…` is left out. */
function hunkLine(line: string): CompareLine[] {
  const type = TYPES[line.slice(0, 1)];
  return type ? [{ type, text: line.slice(1) }] : [];
}

/** The lines of hunks in unified form, as the API gives them for a text of several lines. */
export function hunkLines(hunks: string): CompareLine[] {
  return hunks
    .replace(/\n$/, '')
    .split('\n')
    .flatMap((line) => (line.startsWith('@@') ? [{ type: 'gap' as const, text: line }] : hunkLine(line)));
}

/** `value` without the fields that `pattern` does not have. Items of lists are paired by name, else by position. */
export function onlyAs(value: unknown, pattern: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(pattern)) {
    const byName = new Map(pattern.flatMap((item) => (nameIn(item) === undefined ? [] : [[nameIn(item), item]])));
    return value.map((item, index) => onlyAs(item, byName.get(nameIn(item)) ?? pattern[index]));
  }
  if (!isMap(value) || !isMap(pattern)) return value;
  // In the order of the pattern, so that equal fields stand on equal lines.
  const shared = Object.keys(pattern).filter((key) => Object.hasOwn(value, key));
  return Object.fromEntries(shared.map((key) => [key, onlyAs(value[key], pattern[key])]));
}

function nameIn(item: unknown): string | undefined {
  return isMap(item) && typeof item['name'] === 'string' ? item['name'] : undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
