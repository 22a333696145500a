/**
 * Keeps the content of opened files out of the problems and warnings of a render.
 *
 * Invariants: a problem at an opened file shows nothing of its text. A problem at another file, and a warning, shows
 * no value of an opened file that is longer than a few characters.
 */
import type { Problem } from '../../object/problem.ts';
import { MASK } from '../../object/redact.ts';
import { isYamlList, isYamlMap, textOf, type YamlNode } from '../../object/yaml/node.ts';
import { readYaml } from '../../object/yaml/read.ts';
import type { RenderContext, SealedContent } from '../file-loader.ts';
import type { RenderLimits } from '../manifests.ts';

interface Said {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export function hideOpened(context: RenderContext, problems: readonly Problem[]): Said {
  const { sealedFiles, warnings } = context;
  const contents = [...sealedFiles.values()].filter(({ opened }) => opened !== undefined);
  if (contents.length === 0 || (problems.length === 0 && warnings.length === 0)) return { problems, warnings };
  const values = secretValues(contents, context);
  const isTooMuch = values.length > MAX_VALUES || values.length * (problems.length + warnings.length) > MAX_WORK;
  const hide = (text: string): string => values.reduce((clean, value) => clean.replaceAll(value, MASK), text);
  return {
    problems: problems.map((problem) => {
      const isAtSealed = problem.file !== undefined && sealedFiles.has(problem.file);
      return isAtSealed || isTooMuch ? withoutContent(problem) : hideIn(problem, hide);
    }),
    warnings: isTooMuch ? [] : warnings.map(hide),
  };
}

/** Their messages are about the sealed file and its metadata. */
const ABOUT_METADATA: ReadonlySet<Problem['code']> = new Set(['Sealed', 'DecryptionFailed', 'LimitExceeded']);

/** The line would be one of the opened text, which the reader of the message does not see. */
function withoutContent(problem: Problem): Problem {
  const { code, file } = problem;
  if (ABOUT_METADATA.has(code)) return problem;
  return {
    code,
    message: 'the content of the sealed file cannot be used (the reason is not shown, because it may repeat a value)',
    ...(file === undefined ? {} : { file }),
    hint: 'Run tautline render with --sops, which shows the objects, or sops decrypt, and check the opened file.',
  };
}

function hideIn(problem: Problem, hide: (text: string) => string): Problem {
  const { message, excerpt, hint } = problem;
  return {
    ...problem,
    message: hide(message),
    ...(excerpt === undefined ? {} : { excerpt: hide(excerpt) }),
    ...(hint === undefined ? {} : { hint: hide(hint) }),
  };
}

/** Shorter values occur in ordinary words. */
const MIN_CHARS = 4;
/** Values of one render that are looked for. */
const MAX_VALUES = 10_000;
/** Values times texts that are searched. */
const MAX_WORK = 1_000_000;

/** The values that only the opened files hold, the longest first; more than `MAX_VALUES` if there are too many. */
function secretValues(contents: readonly SealedContent[], { limits }: RenderContext): readonly string[] {
  const secret = new Set<string>();
  for (const { sealed, opened } of contents) {
    const known = new Set(valuesOf(sealed, limits));
    for (const value of valuesOf(opened ?? sealed, limits)) if (!known.has(value)) secret.add(value);
  }
  return [...secret].sort((a, b) => b.length - a.length);
}

/** Scalars of YAML and JSON, and the lines and values of lines of any text. */
function valuesOf(bytes: Uint8Array, { maxNodes, maxDepth }: RenderLimits): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const read = readYaml(text, { maxNodes, maxDepth, nonTextKeys: 'text', duplicateKeys: 'last' });
  const values: string[] = [];
  if (read.ok) for (const { root } of read.documents) if (root !== undefined) collect(root, values);
  for (const line of text.split('\n')) values.push(line, line.slice(line.indexOf('=') + 1));
  return values.map((value) => value.trim()).filter((value) => value.length >= MIN_CHARS);
}

function collect(node: YamlNode, values: string[]): void {
  if (isYamlList(node)) for (const item of node) collect(item, values);
  else if (isYamlMap(node)) for (const item of node.values()) collect(item, values);
  else for (const line of textOf(node).split('\n')) values.push(line);
}
