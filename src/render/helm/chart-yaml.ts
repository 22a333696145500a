/**
 * The parts of Chart.yaml and its lock file that decide which dependencies helm needs. Everything else in them is read
 * by helm alone.
 */
import { createHash } from 'node:crypto';
import { isMap, newMap, own, stringAt, type Value, type ValueMap } from '../../object/value.ts';
import { nodeToValue } from '../../object/yaml/node.ts';
import { fail } from '../fail.ts';
import { readText, type RenderContext } from '../file-loader.ts';
import { readDocuments } from '../manifest-text.ts';
import { shownPath, within, type OpenPlace } from './chart-place.ts';

export interface Dependency {
  readonly name: string;
  /** A version or a range; empty: any. */
  readonly version: string;
  readonly repository: string;
}

export interface ChartYaml {
  readonly name: string;
  readonly dependencies: readonly Dependency[];
  /** The exact versions; undefined if there is no lock file. */
  readonly lock: readonly Dependency[] | undefined;
}

/** Fails with ChartInvalid, or like `readText`. */
export function readChartYaml(context: RenderContext, chart: OpenPlace): ChartYaml {
  const metadata = readMap(context, chart, 'Chart.yaml');
  if (metadata === undefined) {
    return fail('ChartInvalid', `there is no Chart.yaml in ${shownPath(chart) || 'the root'}`, {
      file: shownPath(chart),
    });
  }
  // Charts of Helm 2 have their dependencies in a file of their own.
  const older = readMap(context, chart, 'requirements.yaml');
  const dependencies = mapsIn(own(older ?? metadata, 'dependencies') ?? own(metadata, 'dependencies'));
  const lockFile = older === undefined ? 'Chart.lock' : 'requirements.lock';
  const lock = dependencies.length === 0 ? undefined : readMap(context, chart, lockFile);
  const locked = lock === undefined ? undefined : mapsIn(own(lock, 'dependencies'));
  if (lock !== undefined && locked !== undefined) {
    const digest = stringAt(lock, 'digest') ?? '';
    const digests = [digestOf([dependencies, locked]), digestOf({ dependencies })];
    if (!digests.includes(digest)) {
      fail('ChartInvalid', `${lockFile} does not fit the dependencies of the chart`, {
        file: shownPath(within(chart, lockFile)),
        hint: 'Run helm dependency update, and commit the result.',
      });
    }
  }
  return {
    name: asText(own(metadata, 'name')),
    dependencies: dependencies.map(toDependency),
    lock: locked?.map(toDependency),
  };
}

/** The map that a file of the chart holds; undefined if there is no such file. */
function readMap(context: RenderContext, chart: OpenPlace, name: string): ValueMap | undefined {
  const place = within(chart, name);
  if (chart.files.find(place.path).type !== 'file') return undefined;
  const file = shownPath(place);
  const text = readText({ ...context, tree: chart.files }, place.path);
  const options = { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' } as const;
  const root = readDocuments({ text, file, limits: context.limits }, options)[0]?.root;
  const value = root === undefined ? null : nodeToValue(root);
  return isMap(value) ? value : fail('ChartInvalid', `${name} of the chart is no map`, { file });
}

function mapsIn(value: Value | undefined): readonly ValueMap[] {
  return Array.isArray(value) ? value.filter((item) => isMap(item)) : [];
}

function toDependency(map: ValueMap): Dependency {
  return {
    name: asText(own(map, 'name')),
    version: asText(own(map, 'version')),
    repository: asText(own(map, 'repository')),
  };
}

/** helm takes a number or a boolean for a text where it wants one. */
function asText(value: Value | undefined): string {
  return typeof value === 'object' || value === undefined ? '' : String(value);
}

/** The fields of a dependency in the order in which helm writes them; those without a star are left out if empty. */
const FIELDS = ['name*', 'version', 'repository*', 'condition', 'tags', 'enabled', 'import-values', 'alias'];

const TEXTS = new Set(['name', 'version', 'repository', 'condition', 'alias']);

function textsOf(value: Value | undefined): Value {
  return Array.isArray(value) ? value.map(asText) : [];
}

type Digested = readonly [readonly ValueMap[], readonly ValueMap[]] | { readonly dependencies: readonly ValueMap[] };

/** The digest that helm writes into a lock file: that of both lists, or in Helm 2 that of the first one. */
function digestOf(lists: Digested): string {
  const ordered = (maps: readonly ValueMap[]): Value[] => maps.map(inOrder);
  const value: Value = 'dependencies' in lists ? { dependencies: ordered(lists.dependencies) } : lists.map(ordered);
  // Go escapes these characters in JSON, so that it can stand in HTML.
  const json = JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `sha256:${createHash('sha256').update(json).digest('hex')}`;
}

function inOrder(map: ValueMap): Value {
  const ordered = newMap();
  for (const field of FIELDS) {
    const name = field.replace('*', '');
    const found = own(map, name);
    const value = TEXTS.has(name) ? asText(found) : name === 'tags' ? textsOf(found) : sorted(found ?? null);
    const isEmpty = !value || (Array.isArray(value) && value.length === 0);
    if (!isEmpty || field.endsWith('*')) ordered[name] = value;
  }
  return ordered;
}

/** Go writes the keys of a map in their order. */
function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  return newMap(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] as Value)]),
  );
}
