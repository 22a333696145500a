/**
 * The values of a chart in the order in which helm merges them: files, then ConfigMaps and Secrets, then the values of
 * the Application. A later one wins over an earlier one, and all win over values.yaml of the chart.
 */
import type { HelmOptions } from '../../application/render-schema.ts';
import { stringifyJson } from '../../object/json.ts';
import type { Value } from '../../object/value.ts';
import { isNothing, isYamlMap } from '../../object/yaml/node.ts';
import { readYaml } from '../../object/yaml/read.ts';
import { fail } from '../fail.ts';
import { ask, joinPath, type RenderContext } from '../file-loader.ts';
import { compileGlob, fixedPartOf, isGlob } from '../glob.ts';
import { dataNeed, type HelmValues } from '../needs.ts';
import { shownPath, treePlace, type OpenPlace } from './chart-place.ts';
import { withOpenedFiles } from './sealed-values.ts';

/** undefined while an answer is open. Fails with PathNotFound, PathEscapesRoot or ValuesInvalid. */
export function valuesOf(
  context: RenderContext,
  chart: OpenPlace,
  options: HelmOptions,
): readonly HelmValues[] | undefined {
  const files = withOpenedFiles(context, valueFiles(context, chart, options));
  const fromObjects = (options.valuesFrom ?? []).map((from) => valuesFrom(context, from));
  if (files === undefined || fromObjects.includes(undefined)) return undefined;
  return [...files, ...fromObjects.flatMap((values) => values ?? []), ...inlineValues(options.values)];
}

function inlineValues(values: HelmOptions['values']): HelmValues[] {
  if (values === undefined || Object.keys(values).length === 0) return [];
  return [{ type: 'text', text: stringifyJson(values as Value), isSecret: false }];
}

const PLACE = 'spec.render.helm.valueFiles';

function valueFiles(context: RenderContext, chart: OpenPlace, options: HelmOptions): HelmValues[] {
  const entries = (options.valueFiles ?? []).map((entry) => ({ entry, place: locate(context, chart, entry) }));
  const explicit = new Set(entries.filter(({ entry }) => !isGlob(entry)).map(({ place }) => keyOf(place)));
  const found = new Map<string, HelmValues>();
  for (const { entry, place } of entries) {
    const places = isGlob(entry) ? expand(context, place).filter((one) => !explicit.has(keyOf(one))) : [place];
    const present = places.flatMap((one) => fileAt(one, options));
    if (present.length === 0 && !options.ignoreMissingValueFiles && isGlob(entry) && places.length === 0) {
      const isExplicit = expand(context, place).length > 0;
      if (!isExplicit) fail('PathNotFound', `${PLACE}: no file matches ${entry}`);
    }
    // A file that two patterns match stays where the first one puts it.
    for (const [key, values] of present) if (!isGlob(entry) || !found.has(key)) found.set(key, values);
  }
  return [...found.values()];
}

function keyOf({ tree, path }: OpenPlace): string {
  return `${tree}\0${path}`;
}

/** `$name/…` in a source of spec.sources, `/…` from the root of the repository, anything else from the chart. */
function locate(context: RenderContext, chart: OpenPlace, entry: string): OpenPlace {
  if (!entry.startsWith('$')) {
    const base = entry.startsWith('/') ? { ...chart, path: '' } : chart;
    return inTree(base, entry);
  }
  const [name = '', ...rest] = entry.split('/');
  const source = context.trees.get(name);
  if (source === undefined) {
    const known = [...context.trees.keys()].filter((one) => one.startsWith('$')).join(', ');
    return fail('ValuesInvalid', `${PLACE}: ${entry} names no source; spec.sources has ${known || 'none'}`);
  }
  return inTree({ tree: name, path: source.path, files: source.tree, shownAs: name }, rest.join('/'));
}

function inTree(base: OpenPlace, path: string): OpenPlace {
  const joined = joinPath(base.path, path);
  if (joined === undefined) return fail('PathEscapesRoot', `${PLACE}: ${path} leads out of the repository`);
  return { ...base, path: joined };
}

function fileAt(place: OpenPlace, { ignoreMissingValueFiles }: HelmOptions): [string, HelmValues][] {
  const shown = shownPath(place);
  const found = place.files.find(place.path);
  if (found.type === 'outside') fail('PathEscapesRoot', `${PLACE}: ${shown} is a link that leaves the repository`);
  if (found.type === 'file') {
    return [[keyOf(place), { type: 'file', place: treePlace(place), oid: found.oid }]];
  }
  if (ignoreMissingValueFiles) return [];
  const what = found.type === 'folder' ? `${shown} is a folder` : `there is no file ${shown}`;
  return fail('PathNotFound', `${PLACE}: ${what}`, {
    hint: 'Correct the path, or set ignoreMissingValueFiles: true.',
  });
}

/** The files that match a pattern, in the order of their paths. */
function expand({ limits }: RenderContext, pattern: OpenPlace): OpenPlace[] {
  const { files } = pattern;
  const found: OpenPlace[] = [];
  const folders = [fixedPartOf(pattern.path)];
  const matches = compileGlob(pattern.path);
  let listed = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, type } of files.list(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      listed += 1;
      if (listed > limits.maxFiles) fail('LimitExceeded', `${PLACE}: more than ${limits.maxFiles} files are searched`);
      // A link to a folder is not followed, since it may lead to a folder above it.
      if (type === 'folder') folders.push(path);
      else if (matches(path) && files.find(path).type === 'file') found.push({ ...pattern, path });
    }
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function valuesFrom(
  context: RenderContext,
  { kind, name, key, optional }: NonNullable<HelmOptions['valuesFrom']>[number],
): HelmValues[] | undefined {
  const answer = ask(context, dataNeed(kind, name));
  if (answer === undefined) return undefined;
  const text = answer.type === 'data' && Object.hasOwn(answer.data, key) ? answer.data[key] : undefined;
  const place = `spec.render.helm.valuesFrom: the ${kind} ${name}`;
  if (text === undefined) {
    if (optional) return [];
    const what = answer.type === 'data' ? `has no key ${key}` : 'does not exist';
    return fail('ValuesInvalid', `${place} ${what}`, { hint: 'Create it, or set optional: true.' });
  }
  checkText(context, text, `${place} has values under ${key}`);
  return [{ type: 'text', text, isSecret: kind === 'Secret' }];
}

/** The message never shows a part of the text. */
function checkText({ limits }: RenderContext, text: string, place: string): void {
  const result = readYaml(text, {
    maxNodes: limits.maxNodes,
    maxDepth: limits.maxDepth,
    dialect: 'v2',
    duplicateKeys: 'last',
    nonTextKeys: 'text',
  });
  if (!result.ok) {
    const line = text.slice(0, result.failure.offset).split('\n').length;
    fail('ValuesInvalid', `${place} that are not YAML: line ${line}`);
  }
  const isMap = result.documents.every(({ root }) => root === undefined || isNothing(root) || isYamlMap(root));
  if (!isMap) fail('ValuesInvalid', `${place} that are no map`);
}
