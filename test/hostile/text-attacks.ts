/** Attacks by the text of a manifest: nesting, expansion, tags, keys, bytes, and words that a terminal would obey. */
import { CONFIG_MAP, files, many, yaml, type Attack } from './attack.ts';

const KiB = 1024;

function nest(open: string, close: string, depth: number): string {
  return `d: ${open.repeat(depth)}1${close.repeat(depth)}`;
}

const NESTED: readonly Attack[] = [1_000, 50_000].flatMap((depth) => [
  yaml(`lists ${depth} deep`, nest('[', ']', depth), 'LimitExceeded'),
  yaml(`lists ${depth} deep that do not end`, nest('[', '', depth), ['LimitExceeded', 'YamlSyntax']),
  yaml(`maps ${depth} deep`, nest('{a: ', '}', depth), 'LimitExceeded'),
  yaml(`items ${depth} deep`, `d:\n  ${'- '.repeat(depth)}x`, 'LimitExceeded'),
]);

/** Each level names the one below ten times. */
function levels(count: number, line: (level: number, below: string) => string): string {
  return many(count, (i) => line(i + 1, many(10, () => `*a${i}`).join(', '))).join('\n');
}

const LIST = `a0: &a0 [${many(20_000, () => 'x').join(', ')}]`;

const EXPANDED: readonly Attack[] = [
  yaml(
    'nine levels of aliases',
    `a0: &a0 [x]\n${levels(9, (i, below) => `a${i}: &a${i} [${below}]`)}`,
    'LimitExceeded',
  ),
  yaml('95 aliases of a list of 20,000', `${LIST}\nall: [${many(95, () => '*a0').join(', ')}]`, 'LimitExceeded'),
  yaml('an alias of itself', 'd: &d [*d]', ['LimitExceeded', 'YamlSyntax']),
  yaml(
    'merges of merges',
    `a0: &a0 {k: v}\n${levels(9, (i, below) => `a${i}: &a${i} {<<: [${below}], k${i}: [${below}]}`)}`,
    'LimitExceeded',
  ),
  yaml(
    '30,000 aliases, each of the one before',
    many(30_000, (i) => `k${i}: &x${i} [*x${Math.max(0, i - 1)}]`)
      .join('\n')
      .replace('[*x0]', '[]'),
    ['LimitExceeded', 'YamlSyntax'],
  ),
  yaml('a scalar beyond the bound', `data: {x: "${'x'.repeat(1100 * KiB)}"}`, 'LimitExceeded'),
  yaml('a file of 60 MB', Buffer.alloc(60 * KiB * KiB, 'x'), 'LimitExceeded'),
  yaml('a file of 100 MB', Buffer.alloc(100 * KiB * KiB, 'x'), 'TooLarge'),
  yaml('100,000 documents', '---\n'.repeat(100_000) + CONFIG_MAP, 'DuplicateObject'),
  yaml('a block of 150,000 lines', `data:\n  x: |\n${'    l\n'.repeat(150_000)}`, 'Ready'),
];

const ODD: readonly Attack[] = [
  yaml('a tag for a function', 'd: !!js/function "function () { return process }"', 'ReconciliationFailed'),
  yaml('a tag for a call', 'd: !!python/object/apply:os.system ["true"]', 'ReconciliationFailed'),
  yaml('a binary that is none', 'data: {x: !!binary "%%%"}', 'YamlSyntax'),
  yaml('a key twice', 'data: {a: "1"}\ndata: {a: "2"}', 'YamlSyntax'),
  yaml('keys that are special to JavaScript', 'data: {__proto__: x, constructor: y, toString: z}', 'Ready'),
  yaml(
    'a prototype with a status',
    '__proto__: {polluted: yes}\nconstructor: {prototype: {polluted: yes}}',
    'ReconciliationFailed',
  ),
  yaml('a map as a key', 'data: {? {a: b} : c}', 'YamlSyntax'),
  yaml('a byte of nought', 'data: {x: "a\0b"}', 'YamlSyntax'),
  yaml(
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from(CONFIG_MAP), Buffer.from([0xc3, 0x28, 0xff, 0xfe])]),
    'YamlSyntax',
  ),
  yaml('half of a pair of surrogates', 'data: {x: "\\ud800"}', 'YamlSyntax'),
  yaml('a mark of byte order', Buffer.from(`\ufeff${CONFIG_MAP}`), 'Ready'),
  yaml('UTF-16', Buffer.from(`\ufeff${CONFIG_MAP}`, 'utf16le'), 'YamlSyntax'),
  yaml('tabs for blanks', 'data:\n\tx: y', 'YamlSyntax'),
  yaml('a number beyond all', 'data: {x: 1e999999999}', 'Ready'),
];

const CLEAR = '\\e[2J\\e]0;owned\\a';
const TURNED = '\u202egnp.txt\u2066';

function named(name: string): string {
  return CONFIG_MAP.replace('hostile', `"${name}"`);
}

const BUILD = [
  'InvalidObject',
  'KindUnknown',
  'NotAnObject',
  'YamlSyntax',
  'ReconciliationFailed',
  'KustomizationInvalid',
];

/** What is wrong here is told with the words that are wrong. */
const SPOKEN: readonly Attack[] = [
  files('a name that clears the screen', { 'a.yaml': named(CLEAR) }, BUILD),
  files('a name that is read backwards', { 'a.yaml': named(TURNED) }, BUILD),
  files('a name that ends a line', { 'a.yaml': named('x\\nReady: all is well') }, BUILD),
  files('a name of half a pair of surrogates', { 'a.yaml': named('x\\ud800') }, BUILD),
  files('a kind that clears the screen', { 'a.yaml': CONFIG_MAP.replace('ConfigMap', `"${CLEAR}${TURNED}"`) }, BUILD),
  files('a version that clears the screen', { 'a.yaml': CONFIG_MAP.replace('v1', `"x/${CLEAR}${TURNED}"`) }, BUILD),
  files(
    'a namespace that clears the screen',
    { 'a.yaml': CONFIG_MAP.replace('}', `, namespace: "${CLEAR}${TURNED}"}`) },
    BUILD,
  ),
  files('a key of data that clears the screen', { 'a.yaml': `${CONFIG_MAP}data: {"${CLEAR}${TURNED}": x}\n` }, BUILD),
  files(
    'a label that clears the screen',
    { 'a.yaml': CONFIG_MAP.replace('}', `, labels: {"${CLEAR}": "${TURNED}"}}`) },
    BUILD,
  ),
  files(
    'a line that cannot be read and clears the screen',
    { 'a.yaml': `${CONFIG_MAP}d: ["\x1b[2J${TURNED}" x\n` },
    BUILD,
  ),
  files(
    'a field of a kustomization that clears the screen',
    { 'kustomization.yaml': `"${CLEAR}${TURNED}": x\n` },
    BUILD,
  ),
  files('a file whose name clears the screen', { '\x1b[2J\x07\u202e.yaml': 'd: [' }, BUILD),
  files('a file whose name ends a line', { 'a\nReady: all is well.yaml': 'd: [' }, BUILD),
  files(
    'a resource whose name clears the screen',
    { 'kustomization.yaml': `resources: ["${CLEAR}${TURNED}.yaml"]\n` },
    'PathNotFound',
  ),
];

export const TEXT_ATTACKS: readonly Attack[] = [...NESTED, ...EXPANDED, ...ODD];
export const SPOKEN_ATTACKS = SPOKEN;
