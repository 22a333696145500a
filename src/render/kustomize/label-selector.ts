/** Label selectors in the syntax of Kubernetes: `a=b,c!=d,e in (f,g),h notin (i),j,!k`, and `a>1`, `a<5`. */
import { fail } from '../fail.ts';

export type LabelMatcher = (labels: ReadonlyMap<string, string>) => boolean;

/** Compiles a selector; an empty one matches everything. Fails with KustomizationInvalid if it is malformed. */
export function compileSelector(selector: string): LabelMatcher {
  const requirements = splitTopLevel(selector).map((part) => compileRequirement(part, selector));
  return (labels) => requirements.every((matches) => matches(labels));
}

/** Splits at commas outside parentheses; an empty selector has no parts. */
function splitTopLevel(selector: string): string[] {
  if (selector.trim() === '') return [];
  return selector.split(/,(?![^(]*\))/).map((part) => part.trim());
}

const NAME = String.raw`[\w./-]+`;
const SET = new RegExp(String.raw`^(${NAME})\s+(in|notin)\s*\(([^()]*)\)$`);
const COMPARE = new RegExp(String.raw`^(${NAME})\s*(==|=|!=|>|<)\s*([\w.-]*)$`);
const EXISTS = new RegExp(String.raw`^(!?)\s*(${NAME})$`);

function compileRequirement(part: string, selector: string): LabelMatcher {
  const set = SET.exec(part);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    if (operator === 'in') return (labels) => values.has(labels.get(key) ?? '\0');
    return (labels) => !labels.has(key) || !values.has(labels.get(key) as string);
  }
  const compare = COMPARE.exec(part);
  if (compare) {
    const [, key = '', operator = '=', value = ''] = compare;
    if (operator === '!=') return (labels) => !labels.has(key) || labels.get(key) !== value;
    if (operator === '>') return (labels) => isNumber(labels.get(key)) && Number(labels.get(key)) > Number(value);
    if (operator === '<') return (labels) => isNumber(labels.get(key)) && Number(labels.get(key)) < Number(value);
    return (labels) => labels.has(key) && labels.get(key) === value;
  }
  const exists = EXISTS.exec(part);
  if (exists) {
    const [, not, key = ''] = exists;
    return (labels) => labels.has(key) !== (not === '!');
  }
  return fail('KustomizationInvalid', `"${selector}" is not a label selector`);
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^[+-]?\d+$/.test(text);
}
