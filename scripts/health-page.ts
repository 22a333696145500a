/** Prints docs/spec/health.md: the table of custom resources is made from the rules, all other text is kept. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HealthStatus } from '../src/health/assessment.ts';
import { CATALOG } from '../src/health/kinds/catalog.ts';
import type { EachRule, KindRules, Rule, Test } from '../src/health/rules.ts';

const PAGE = join(import.meta.dirname, '../docs/spec/health.md');
const BEGIN = '<!-- The table is generated from src/health/kinds. -->\n';
const END = '<!-- The end of the generated table. -->\n';

export function printHealthPage(): string {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} lacks the marks between which the table stands`);
  return page.slice(0, begin + BEGIN.length) + printTable() + page.slice(end);
}

/** Kinds of a group with the same rules share a row. */
function printTable(): string {
  const rows = new Map<string, { readonly set: KindRules; readonly kinds: string[] }>();
  for (const set of CATALOG) {
    const { group, kind, ...rules } = set;
    const key = JSON.stringify([group, rules]);
    const row = rows.get(key) ?? { set, kinds: [] };
    rows.set(key, row);
    row.kinds.push(kind);
  }
  const lines = [...rows.values()]
    .toSorted((a, b) => compare(a.set.group, b.set.group))
    .map(({ set, kinds }) => `| \`${set.group}\` | ${nameKinds(kinds)} | ${describe(set)} |`);
  return ['', '| Group | Kinds | Rules, in order |', '| --- | --- | --- |', ...lines, '', ''].join('\n');
}

/** `*.b.c` stands behind `b.c`. */
function compare(a: string, b: string): number {
  const [keyA, keyB] = [a.replace('*.', ''), b.replace('*.', '')];
  return keyA === keyB ? a.length - b.length : keyA < keyB ? -1 : 1;
}

function nameKinds(kinds: readonly string[]): string {
  return kinds
    .map((kind) => (kind === '*' ? 'every other kind' : kind.startsWith('*') ? `every …${kind.slice(1)}` : kind))
    .join(', ');
}

function describe({ rules, otherwise, pauses }: KindRules): string {
  if (rules.length === 0 && pauses.length === 0) return otherwise;
  const paused = pauses.length > 0 ? [`Suspended: ${pauses.map(describeTest).join(', or ')}`] : [];
  return [...paused, ...describeRules({ rules, otherwise })].join('; ');
}

/** Neighbours that lead to the same health are told together. */
function describeRules({ rules, otherwise }: Pick<EachRule, 'rules' | 'otherwise'>): string[] {
  const parts: { readonly is: HealthStatus | undefined; readonly texts: string[] }[] = [];
  for (const rule of rules) {
    const is = 'each' in rule ? undefined : rule.is;
    const last = parts.at(-1);
    if (is !== undefined && last?.is === is) last.texts.push(describeRule(rule));
    else parts.push({ is, texts: [describeRule(rule)] });
  }
  return [
    ...parts.map(({ is, texts }) => (is ? `${is}: ${texts.join(', or ')}` : texts.join(''))),
    `else ${otherwise}`,
  ];
}

function describeRule(rule: Rule): string {
  if ('each' in rule) return `the worst item of \`${rule.each}\` (${describeRules(rule).join('; ')})`;
  return rule.when.map(describeTest).join(' and ');
}

function describeTest(test: Test): string {
  if ('not' in test) return `not ${describeTest(test.not)}`;
  if ('annotation' in test) return `annotation \`${test.annotation}\`${test.value ? `: ${test.value}` : ''}`;
  if ('condition' in test) return describeCondition(test);
  const path = `\`${test.path}\``;
  if ('values' in test) return `${path} ${test.values.map(String).join(', ')}`;
  if ('prefixes' in test) return `${path} begins with ${test.prefixes.join(', ')}`;
  if ('isPresent' in test) return `${path} ${test.isPresent ? 'present' : 'absent or empty'}`;
  return `${path} below ${typeof test.below === 'number' ? test.below : `\`${test.below}\``}`;
}

function describeCondition(test: Extract<Test, { readonly condition: string }>): string {
  const { condition, status, reasons, severities } = test;
  const states = status ? ` ${status.join(' or ')}` : '';
  const why = reasons ? ` (${reasons.map((reason) => reason || 'no reason').join(', ')})` : '';
  const severity = severities ? ` of severity ${severities.map((name) => name || 'none').join(', ')}` : '';
  return `${condition}${states}${why}${severity}`;
}
