/**
 * Reads the versions of one chart out of the index.yaml of a Helm repository. It works on untrusted text, so it runs in
 * the sandbox.
 *
 * Only the part of the chart is parsed: an index of tens of megabytes costs one look at each of its lines. Files that
 * are not laid out as `helm repo index` does it (JSON, flow style) are parsed as a whole.
 */
import { readFileSync } from 'node:fs';
import { isYamlList, isYamlMap, textOf, type YamlMap, type YamlNode } from '../object/yaml/node.ts';
import { readYaml } from '../object/yaml/read.ts';
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';
import type { RegistryLimits } from './limits.ts';
import { malformedAnswer } from './registry-error.ts';

export interface ListedVersion {
  readonly version: string;
  /** `sha256:` and 64 hex digits of the archive; undefined: the index names none. */
  readonly digest: string | undefined;
  /** Where the archive is, absolute or relative to the repository. */
  readonly urls: readonly string[];
  readonly isDeprecated: boolean;
  /** As the index writes it. */
  readonly created: string | undefined;
}

/** Plain data, since it crosses to the sandbox. */
export interface ReadIndexInput {
  readonly path: string;
  readonly chart: string;
  /** The address of the repository, for messages. */
  readonly label: string;
  readonly limits: Pick<RegistryLimits, 'maxChartVersions'>;
}

const MAX_NODES = 2_000_000;
const MAX_DEPTH = 64;
const MAX_URLS = 10;
const MAX_TEXT_CHARS = 4_096;

/** The job `readChartIndex`: the answer is JSON of `readChartIndex`, or `null`. */
export function readIndexJob({ path, ...options }: ReadIndexInput): Uint8Array {
  const versions = readChartIndex(readFileSync(path, 'utf8'), options);
  return Buffer.from(JSON.stringify(versions ?? null));
}

/** undefined: the index does not know the chart. Throws StageError MalformedAnswer or TooLarge. */
export function readChartIndex(
  text: string,
  { chart, label, limits }: Omit<ReadIndexInput, 'path'>,
): ListedVersion[] | undefined {
  const entries = entriesOf(text, chart, label);
  if (!entries) return undefined;
  if (entries.length > limits.maxChartVersions) {
    throw sourceError(
      'TooLarge',
      `The index of ${label} lists more than ${limits.maxChartVersions} versions of ${cleanText(chart)} (maxChartVersions).`,
    );
  }
  return entries.flatMap((entry) => (isYamlMap(entry) ? (readEntry(entry) ?? []) : []));
}

function entriesOf(text: string, chart: string, label: string): readonly YamlNode[] | undefined {
  const part = partOf(text, chart);
  if (part === 'absent') return undefined;
  const read = readYaml(part === 'unknown' ? text : part, { maxNodes: MAX_NODES, maxDepth: MAX_DEPTH });
  const root = read.ok ? read.documents[0]?.root : undefined;
  if (!read.ok || !isYamlMap(root)) throw malformedAnswer(label, 'is no index of a Helm repository');
  const entries = root.get('entries');
  if (entries === undefined) throw malformedAnswer(label, 'is no index of a Helm repository: it has no entries');
  const found = isYamlMap(entries) ? entries.get(chart) : undefined;
  return isYamlList(found) ? found : undefined;
}

/**
 * The index with the entries of one chart alone, as text. `unknown`: the text is not laid out in lines that show where
 * a chart begins.
 */
function partOf(text: string, chart: string): string {
  const head = /^entries:[ \t\r]*(?:#[^\n]*)?\n/m.exec(text);
  if (!head) return 'unknown';
  let indent = -1;
  let start = -1;
  for (let at = head.index + head[0].length; at < text.length;) {
    const end = lineEnd(text, at);
    const line = text.slice(at, Math.min(end, at + MAX_TEXT_CHARS));
    const [blanks = ''] = /^ */.exec(line) ?? [];
    const rest = line.slice(blanks.length);
    const isContent = rest.trim() !== '' && !rest.startsWith('#');
    if (isContent && indent < 0) indent = blanks.length;
    // The list of a chart may stand as far to the left as its name.
    if (isContent && blanks.length <= indent && !/^-(?:\s|$)/.test(rest)) {
      if (start >= 0) return `entries:\n${text.slice(start, at)}`;
      if (blanks.length < indent || indent === 0) return 'absent';
      const name = keyOf(rest);
      if (name === undefined) return 'unknown';
      if (name === chart) start = at;
    }
    at = end + 1;
  }
  return start < 0 ? 'absent' : `entries:\n${text.slice(start)}`;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/** The key of a line `key:`. undefined: the line is written in another way. */
function keyOf(line: string): string | undefined {
  const [, single, double, plain] = /^(?:'([^'\\]+)'|"([^"\\]+)"|([\w.-]+)):(?:\s|$)/.exec(line) ?? [];
  return single ?? double ?? plain;
}

/** undefined: the entry names no version. */
function readEntry(entry: YamlMap): ListedVersion | undefined {
  const read = (key: string): string | undefined => {
    const text = textOf(entry.get(key));
    return text === '' || text.length > MAX_TEXT_CHARS ? undefined : text;
  };
  const version = read('version');
  if (version === undefined) return undefined;
  const urls = entry.get('urls');
  const texts = isYamlList(urls) ? urls.slice(0, MAX_URLS).map(textOf) : [];
  const hex = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(read('digest') ?? '')?.[1]?.toLowerCase();
  return {
    version,
    digest: hex && `sha256:${hex}`,
    urls: texts.filter((url) => url !== '' && url.length <= MAX_TEXT_CHARS),
    isDeprecated: read('deprecated') === 'true',
    created: read('created'),
  };
}
