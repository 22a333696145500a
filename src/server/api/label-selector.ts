/** Label selectors in the form of kubectl: `app=web,tier!=cache,env in (a,b),!legacy`. */

export type Labels = Readonly<Record<string, string>>;

export type ReadSelector =
  | { readonly ok: true; readonly matches: (labels: Labels) => boolean }
  | { readonly ok: false; readonly problem: string };

type Requirement = (labels: Labels) => boolean;

const KEY = '([A-Za-z0-9][-A-Za-z0-9_./]*)';
const VALUE = '([-A-Za-z0-9_.]*)';
/** The form of a requirement, and what its parts ask for. A label that is absent is neither equal nor in a set. */
const FORMS: readonly (readonly [RegExp, (key: string, value: string) => Requirement])[] = [
  [new RegExp(`^${KEY}$`), (key) => (labels) => Object.hasOwn(labels, key)],
  [new RegExp(`^!\\s*${KEY}$`), (key) => (labels) => !Object.hasOwn(labels, key)],
  [new RegExp(`^${KEY}\\s*={1,2}\\s*${VALUE}$`), (key, value) => (labels) => isOneOf(labels, key, [value])],
  [new RegExp(`^${KEY}\\s*!=\\s*${VALUE}$`), (key, value) => (labels) => !isOneOf(labels, key, [value])],
  [/^([^\s()]+)\s+in\s*\(([^()]*)\)$/, (key, values) => (labels) => isOneOf(labels, key, split(values))],
  [/^([^\s()]+)\s+notin\s*\(([^()]*)\)$/, (key, values) => (labels) => !isOneOf(labels, key, split(values))],
];

export function readLabelSelector(text: string): ReadSelector {
  const requirements: Requirement[] = [];
  // Commas within parentheses separate values.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = readRequirement(part.trim());
    if (!requirement) return { ok: false, problem: `it has no meaning at '${part.trim().slice(0, 80)}'` };
    requirements.push(requirement);
  }
  return { ok: true, matches: (labels) => requirements.every((holds) => holds(labels)) };
}

function readRequirement(text: string): Requirement | undefined {
  for (const [form, make] of FORMS) {
    const found = form.exec(text);
    if (found) return make(found[1] ?? '', found[2] ?? '');
  }
  return undefined;
}

function isOneOf(labels: Labels, key: string, values: readonly string[]): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return value !== undefined && values.includes(value);
}

function split(values: string): string[] {
  return values.split(',').map((value) => value.trim());
}
