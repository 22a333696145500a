/** Attacks by the text of a manifest: nesting, aliases, tags, keys, bytes, and terminal control sequences. */
import { CONFIG_MAP, files, many, yaml, type Attack } from './attack.ts';

const KiB = 1024;

function nest(open: string, close: string, depth: number): string {
  return `d: ${open.repeat(depth)}1${close.repeat(depth)}`;
}

const NESTED: readonly Attack[] = [1_000, 50_000].flatMap((depth) => [
  yaml(`lists nested ${depth} deep`, nest('[', ']', depth), 'LimitExceeded'),
  yaml(`unclosed lists nested ${depth} deep`, nest('[', '', depth), ['LimitExceeded', 'YamlSyntax']),
  yaml(`maps nested ${depth} deep`, nest('{a: ', '}', depth), 'LimitExceeded'),
  yaml(`list items in block style nested ${depth} deep`, `d:\n  ${'- '.repeat(depth)}x`, 'LimitExceeded'),
]);

/** Each line refers to the level below ten times. */
function levels(count: number, line: (level: number, below: string) => string): string {
  return many(count, (i) => line(i + 1, many(10, () => `*a${i}`).join(', '))).join('\n');
}

const LIST = `a0: &a0 [${many(20_000, () => 'x').join(', ')}]`;

const EXPANDED: readonly Attack[] = [
  yaml(
    'nine levels of aliases, each ten times the level below',
    `a0: &a0 [x]\n${levels(9, (i, below) => `a${i}: &a${i} [${below}]`)}`,
    'LimitExceeded',
  ),
  yaml('95 aliases of a list of 20,000 items', `${LIST}\nall: [${many(95, () => '*a0').join(', ')}]`, 'LimitExceeded'),
  yaml('an alias within its own anchor', 'd: &d [*d]', ['LimitExceeded', 'YamlSyntax']),
  yaml(
    'nine levels of merge keys, each ten times the level below',
    `a0: &a0 {k: v}\n${levels(9, (i, below) => `a${i}: &a${i} {<<: [${below}], k${i}: [${below}]}`)}`,
    'LimitExceeded',
  ),
  yaml(
    'a chain of 30,000 aliases, each of the one before',
    many(30_000, (i) => `k${i}: &x${i} [*x${Math.max(0, i - 1)}]`)
      .join('\n')
      .replace('[*x0]', '[]'),
    ['LimitExceeded', 'YamlSyntax'],
  ),
  yaml('a scalar of 1,100 KiB', `data: {x: "${'x'.repeat(1100 * KiB)}"}`, 'LimitExceeded'),
  yaml('a file of 60 MiB', Buffer.alloc(60 * KiB * KiB, 'x'), 'LimitExceeded'),
  yaml('a file of 100 MiB', Buffer.alloc(100 * KiB * KiB, 'x'), 'TooLarge'),
  yaml('100,000 empty documents between two equal ones', '---\n'.repeat(100_000) + CONFIG_MAP, 'DuplicateObject'),
  yaml('a block scalar of 150,000 lines', `data:\n  x: |\n${'    l\n'.repeat(150_000)}`, 'Ready'),
];

const UNUSUAL: readonly Attack[] = [
  yaml(
    'a tag that asks for a JavaScript function',
    'd: !!js/function "function () { return process }"',
    'ReconciliationFailed',
  ),
  yaml('a tag that asks for a call in Python', 'd: !!python/object/apply:os.system ["true"]', 'ReconciliationFailed'),
  yaml('a binary scalar that is not base64', 'data: {x: !!binary "%%%"}', 'YamlSyntax'),
  yaml('a duplicate key', 'data: {a: "1"}\ndata: {a: "2"}', 'YamlSyntax'),
  yaml('keys that are special properties of JavaScript', 'data: {__proto__: x, constructor: y, toString: z}', 'Ready'),
  yaml(
    'keys that would change the prototype of JavaScript objects',
    '__proto__: {polluted: yes}\nconstructor: {prototype: {polluted: yes}}',
    'ReconciliationFailed',
  ),
  yaml('a map as a key', 'data: {? {a: b} : c}', 'YamlSyntax'),
  yaml('a NUL byte', 'data: {x: "a\0b"}', 'YamlSyntax'),
  yaml(
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from(CONFIG_MAP), Buffer.from([0xc3, 0x28, 0xff, 0xfe])]),
    'YamlSyntax',
  ),
  yaml('half of a surrogate pair', 'data: {x: "\\ud800"}', 'YamlSyntax'),
  yaml('a byte order mark', Buffer.from(`\ufeff${CONFIG_MAP}`), 'Ready'),
  yaml('a file in UTF-16', Buffer.from(`\ufeff${CONFIG_MAP}`, 'utf16le'), 'Ready'),
  yaml('tabs as indentation', 'data:\n\tx: y', 'YamlSyntax'),
  yaml('a number too large for a double', 'data: {x: 1e999999999}', 'Ready'),
];

const CLEAR_SCREEN = '\\e[2J\\e]0;owned\\a';
const BIDIRECTIONAL = '\u202egnp.txt\u2066';

function named(name: string): string {
  return CONFIG_MAP.replace('hostile', `"${name}"`);
}

const REPORTED_REASONS = [
  'InvalidObject',
  'KindUnknown',
  'NotAnObject',
  'YamlSyntax',
  'ReconciliationFailed',
  'KustomizationInvalid',
];

/** The message about each of these problems may quote the hostile text. */
const SPOKEN: readonly Attack[] = [
  files('a name that clears the screen', { 'a.yaml': named(CLEAR_SCREEN) }, REPORTED_REASONS),
  files('a name with bidirectional control characters', { 'a.yaml': named(BIDIRECTIONAL) }, REPORTED_REASONS),
  files('a name with a line break', { 'a.yaml': named('x\\nReady: all is well') }, REPORTED_REASONS),
  files('a name with half of a surrogate pair', { 'a.yaml': named('x\\ud800') }, REPORTED_REASONS),
  files(
    'a kind that clears the screen',
    { 'a.yaml': CONFIG_MAP.replace('ConfigMap', `"${CLEAR_SCREEN}${BIDIRECTIONAL}"`) },
    REPORTED_REASONS,
  ),
  files(
    'a version that clears the screen',
    { 'a.yaml': CONFIG_MAP.replace('v1', `"x/${CLEAR_SCREEN}${BIDIRECTIONAL}"`) },
    REPORTED_REASONS,
  ),
  files(
    'a namespace that clears the screen',
    { 'a.yaml': CONFIG_MAP.replace('}', `, namespace: "${CLEAR_SCREEN}${BIDIRECTIONAL}"}`) },
    REPORTED_REASONS,
  ),
  files(
    'a key of data that clears the screen',
    { 'a.yaml': `${CONFIG_MAP}data: {"${CLEAR_SCREEN}${BIDIRECTIONAL}": x}\n` },
    REPORTED_REASONS,
  ),
  files(
    'a label that clears the screen',
    { 'a.yaml': CONFIG_MAP.replace('}', `, labels: {"${CLEAR_SCREEN}": "${BIDIRECTIONAL}"}}`) },
    REPORTED_REASONS,
  ),
  files(
    'a line that cannot be parsed and clears the screen',
    { 'a.yaml': `${CONFIG_MAP}d: ["\x1b[2J${BIDIRECTIONAL}" x\n` },
    REPORTED_REASONS,
  ),
  files(
    'a field of a kustomization that clears the screen',
    { 'kustomization.yaml': `"${CLEAR_SCREEN}${BIDIRECTIONAL}": x\n` },
    REPORTED_REASONS,
  ),
  files('a file whose name clears the screen', { '\x1b[2J\x07\u202e.yaml': 'd: [' }, REPORTED_REASONS),
  files('a file whose name has a line break', { 'a\nReady: all is well.yaml': 'd: [' }, REPORTED_REASONS),
  files(
    'a resource whose name clears the screen',
    { 'kustomization.yaml': `resources: ["${CLEAR_SCREEN}${BIDIRECTIONAL}.yaml"]\n` },
    'PathNotFound',
  ),
];

export const TEXT_ATTACKS: readonly Attack[] = [...NESTED, ...EXPANDED, ...UNUSUAL];
export const SPOKEN_ATTACKS = SPOKEN;
