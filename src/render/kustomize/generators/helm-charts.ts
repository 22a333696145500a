/**
 * Charts in a kustomization (`helmCharts`), as `kustomize build --enable-helm` renders them. The objects come from the
 * output of helm, which is a need: until it is there, a chart gives no objects.
 *
 * Invariant: values, names and flags reach helm as kustomize hands them over. Values of the kustomization are merged
 * into a copy of the values of the chart, by the rules of `valuesMerge`.
 */
import { posix } from 'node:path';
import { stringifyJson } from '../../../object/json.ts';
import { isMap, newMap, type ValueMap } from '../../../object/value.ts';
import { nodeToValue } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { ask } from '../../file-loader.ts';
import { openPlace, identityOf, shownPath, treePlace, within, type OpenPlace } from '../../helm/chart-place.ts';
import { readChartYaml } from '../../helm/chart-yaml.ts';
import { chartNeed, chartOfNeed, findDependencies } from '../../helm/dependencies.ts';
import { checkSameText, readForKustomize } from '../../helm/output.ts';
import { askHelm, templateFile } from '../../helm/render-chart.ts';
import { readValuesFile, refuseSealedDefaults, withOpenedFiles } from '../../helm/sealed-values.ts';
import { readDocuments } from '../../manifest-text.ts';
import { joinInTree } from '../../mounted-trees.ts';
import type { HelmValues } from '../../needs.ts';
import { HELM_CHART, type Kustomization } from '../kustomization.ts';
import { locateFile, type Layer } from '../layer.ts';
import { newResource, type Resource } from '../resource.ts';
import type { Decoded } from '../decode.ts';

export type HelmChartArgs = Decoded<typeof HELM_CHART>;

export interface ChartGenerator {
  readonly args: HelmChartArgs;
  /** Folder of the charts; '' is the default. */
  readonly chartHome: string;
  /** Empty: that of the kustomization, or of one that names it. */
  readonly namespace: string;
  /** Line of the entry in the kustomization. */
  readonly line: number;
}

const DEFAULT_HOME = 'charts';

/** No objects while a need is open. Fails with the first problem. */
export function generateChart(layer: Layer, generator: ChartGenerator): Resource[] {
  const { args, namespace } = generator;
  const { context } = layer.build;
  checkArguments(args);
  const chart = locateChart(layer, generator);
  if (chart === undefined) return [];
  refuseSealedDefaults(context, chart);
  const values = chartValues(layer, chart, args);
  const dependencies = findDependencies(context, chart, readChartYaml(context, chart));
  if (dependencies === undefined || values === undefined) return [];
  const run = {
    chart: treePlace(chart),
    chartOid: identityOf(chart),
    dependencies,
    values,
    parameters: [],
    // kustomize asks for a generated name, and helm template gives this one.
    releaseName: args.releaseName || 'release-name',
    ...(args.nameTemplate === '' ? {} : { nameTemplate: args.nameTemplate }),
    namespace,
    kubeVersion: args.kubeVersion || undefined,
    apiVersions: args.apiVersions,
    includeCrds: args.includeCRDs,
    skipTests: args.skipTests,
    skipHooks: args.skipHooks,
  };
  const output = askHelm(context, run, chart);
  if (output === undefined) return [];
  checkSameText(context, output, templateFile(chart));
  return readForKustomize(context, output.text, templateFile(chart)).map(({ node, file }) => {
    return { ...newResource(node, { file, line: 1 }), isFromHelm: true };
  });
}

function checkArguments({ name, releaseName, nameTemplate, valuesMerge }: HelmChartArgs): void {
  if (name === '') fail('KustomizationInvalid', 'a chart needs a name');
  if (name.startsWith('-')) fail('KustomizationInvalid', `the name of a chart must not begin with -, but is ${name}`);
  if (releaseName.startsWith('-')) {
    fail('KustomizationInvalid', `releaseName must not begin with -, but is ${releaseName}`);
  }
  if (releaseName !== '' && nameTemplate !== '') {
    fail('KustomizationInvalid', 'a chart has both releaseName and nameTemplate; helm accepts only one of them');
  }
  if (!['', 'override', 'merge', 'replace'].includes(valuesMerge)) {
    fail('KustomizationInvalid', `valuesMerge must be override, merge or replace, but is ${valuesMerge}`);
  }
}

/** The folder of the chart, or the chart of its repository; undefined while that is open. */
function locateChart(layer: Layer, { args, chartHome, line }: ChartGenerator): OpenPlace | undefined {
  const { context } = layer.build;
  const { name, repo, version, devel } = args;
  const home = posix.join(chartHome || DEFAULT_HOME, version !== '' && repo !== '' ? `${name}-${version}` : '');
  const path = home.startsWith('/') ? undefined : joinInTree(context, layer.folder, posix.join(home, name));
  if (path === undefined) return fail('PathEscapesRoot', `the charts in ${home} are outside the repository`);
  const resolved = context.tree.resolve(path);
  if (resolved !== undefined && context.tree.find(resolved).type === 'folder') return openPlace(context, resolved);
  if (repo === '') {
    return fail('PathNotFound', `there is no chart in ${path}, and the entry names no repo`, {
      hint: 'Commit the chart, or name its repository.',
    });
  }
  const need = chartNeed({
    repoURL: repo.replace(/\/+$/, ''),
    name,
    version: version === '' && devel ? '>0.0.0-0' : version,
    file: layer.kustomization.file,
    line,
  });
  return ask(context, need)?.type === 'tree' ? chartOfNeed(context, need) : undefined;
}

/** undefined while a sealed file is not opened yet. */
function chartValues(layer: Layer, chart: OpenPlace, args: HelmChartArgs): readonly HelmValues[] | undefined {
  const file = args.valuesFile === '' ? within(chart, 'values.yaml') : placeOfFile(layer, args.valuesFile);
  const inline = args.valuesInline === undefined ? {} : nodeToValue(args.valuesInline);
  if (!isMap(inline)) return fail('KustomizationInvalid', 'valuesInline is no map');
  const others = args.additionalValuesFiles.map((path) => fileValues(placeOfFile(layer, path)));
  const { context } = layer.build;
  if (Object.keys(inline).length === 0) return withOpenedFiles(context, [fileValues(file), ...others]);
  const merged = mergedValues(layer, { file, inline, how: args.valuesMerge });
  const opened = withOpenedFiles(context, others);
  if (merged === undefined || opened === undefined) return undefined;
  return [{ type: 'text', text: stringifyJson(merged.values), isSecret: merged.isSealed }, ...opened];
}

function placeOfFile(layer: Layer, path: string): OpenPlace {
  return openPlace(layer.build.context, locateFile(layer, path));
}

function fileValues(place: OpenPlace): HelmValues {
  const found = place.files.find(place.path);
  if (found.type !== 'file') return fail('PathNotFound', `there is no file ${shownPath(place)} with values`);
  return { type: 'file', place: treePlace(place), oid: found.oid };
}

interface Merge {
  readonly file: OpenPlace;
  readonly inline: ValueMap;
  readonly how: string;
}

interface Merged {
  readonly values: ValueMap;
  readonly isSealed: boolean;
}

/** undefined while the file is sealed and not opened yet. */
function mergedValues({ build }: Layer, { file, inline, how }: Merge): Merged | undefined {
  if (how === 'replace') return { values: inline, isSealed: false };
  fileValues(file);
  const { text, isSealed, isPending } = readValuesFile(build.context, file);
  if (isPending) return undefined;
  const source = { text: text(), file: shownPath(file), limits: build.context.limits };
  const root = readDocuments(source, { dialect: 'v3', duplicateKeys: 'error' })[0]?.root;
  const own = root === undefined ? newMap() : nodeToValue(root);
  if (!isMap(own)) return fail('ValuesInvalid', `${shownPath(file)} is no map`, { file: shownPath(file) });
  return { values: how === 'merge' ? merge(own, inline) : merge(inline, own), isSealed };
}

/** `source` wins over `destination`. Maps are merged; a null of the source removes the key, so that nothing sets it. */
function merge(source: ValueMap, destination: ValueMap): ValueMap {
  const merged = newMap(Object.entries(destination));
  for (const [key, value] of Object.entries(source)) {
    const present = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isMap(value) ? merge(value, isMap(present) ? present : newMap()) : value;
  }
  return merged;
}

/** The entries of helmCharts, and those of the deprecated field behind them. */
export function chartsOf(kustomization: Kustomization): { args: HelmChartArgs; isDeprecated: boolean }[] {
  const { helmCharts = [], helmChartInflationGenerator = [] } = kustomization;
  return [
    ...helmCharts.map((args) => ({ args, isDeprecated: false })),
    ...helmChartInflationGenerator.map((old) => ({ args: convertOld(old), isDeprecated: true })),
  ];
}

type OldArgs = NonNullable<Kustomization['helmChartInflationGenerator']>[number];

function convertOld(old: OldArgs): HelmChartArgs {
  return {
    ...HELM_CHART.zero(),
    name: old.chartName,
    version: old.chartVersion,
    repo: old.chartRepoUrl,
    valuesFile: old.values,
    valuesInline: old.valuesLocal,
    valuesMerge: old.valuesMerge,
    releaseName: old.releaseName,
  };
}

/** helmGlobals, or else the last folder that an entry of the deprecated field names. */
export function chartHomeOf({ helmGlobals, helmChartInflationGenerator = [] }: Kustomization): string {
  if (helmGlobals !== undefined) return helmGlobals.chartHome;
  return helmChartInflationGenerator.findLast(({ chartHome }) => chartHome !== '')?.chartHome ?? '';
}
