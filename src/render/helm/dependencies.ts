/**
 * The dependencies of a chart that are not in its folder `charts`: folders of the same tree, or charts of repositories,
 * which are needs. helm itself gets no network.
 */
import { fail } from '../fail.ts';
import { ask, joinPath, type RenderContext } from '../file-loader.ts';
import type { ChartNeed, HelmRun } from '../needs.ts';
import { digestValue } from '../../object/digest.ts';
import { identityOf, shownPath, treePlace, within, type OpenPlace } from './chart-place.ts';
import { readChartYaml, type ChartYaml, type Dependency } from './chart-yaml.ts';

type Placed = HelmRun['dependencies'][number];

/** undefined while an answer is open. Fails with DependencyMissing, or with the problem of an answer. */
export function findDependencies(
  context: RenderContext,
  chart: OpenPlace,
  yaml: ChartYaml,
): readonly Placed[] | undefined {
  const vendored = vendoredNames(context, chart);
  const placed = new Map<string, Placed>();
  let isOpen = false;
  for (const [index, dependency] of yaml.dependencies.entries()) {
    if (dependency.name === '' || vendored.has(dependency.name)) continue;
    const found = findDependency(context, chart, { dependency, locked: yaml.lock?.[index] });
    // The same chart under several aliases is placed once. Two versions of it need two folders.
    if (found === undefined) isOpen = true;
    else if (!placed.has(found.oid)) placed.set(found.oid, { ...found, name: `${dependency.name}-${placed.size}` });
  }
  return isOpen ? undefined : [...placed.values()];
}

/** Names of the charts in the folder `charts`. A packed one is known by the name of its file. */
function vendoredNames(context: RenderContext, chart: OpenPlace): { has(name: string): boolean } {
  const charts = within(chart, 'charts');
  const names = new Set<string>();
  const files: string[] = [];
  for (const { name } of chart.files.list(charts.path)) {
    if (/^[_.]/.test(name)) continue;
    const entry = within(charts, name);
    const { type } = chart.files.find(entry.path);
    if (type === 'file') files.push(name);
    else if (type === 'folder' && chart.files.find(within(entry, 'Chart.yaml').path).type === 'file') {
      names.add(readChartYaml(context, entry).name);
    }
  }
  return {
    has: (name) => names.has(name) || files.some((file) => file.startsWith(`${name}-`) && /\.t(ar\.)?gz$/.test(file)),
  };
}

interface Wanted {
  readonly dependency: Dependency;
  readonly locked: Dependency | undefined;
}

function findDependency(context: RenderContext, chart: OpenPlace, wanted: Wanted): Placed | undefined {
  const { name, repository } = wanted.dependency;
  const file = shownPath(within(chart, 'Chart.yaml'));
  if (repository.startsWith('file://')) return localDependency(chart, wanted.dependency);
  if (/^(https?|oci):\/\//.test(repository)) return repositoryDependency(context, { ...wanted, file });
  const isNamed = /^(@|alias:)/.test(repository);
  const why = isNamed
    ? `the name ${repository} of its repository is known only on the machine where it was added`
    : 'Chart.yaml names no repository for it';
  return fail('DependencyMissing', `the chart needs ${name}, which is not in its folder charts, and ${why}`, {
    file,
    hint: isNamed ? 'Write the address of the repository into Chart.yaml.' : `Commit it as charts/${name}.`,
  });
}

function localDependency(chart: OpenPlace, { name, repository }: Dependency): Placed {
  const file = shownPath(within(chart, 'Chart.yaml'));
  const path = joinPath(chart.path, repository.slice('file://'.length));
  if (path === undefined || repository.startsWith('file:///')) {
    return fail('PathEscapesRoot', `the dependency ${name} is at ${repository}, outside the repository`, { file });
  }
  const place = { ...chart, path: chart.files.resolve(path) ?? path };
  if (chart.files.find(place.path).type !== 'folder') {
    fail('DependencyMissing', `the chart needs ${name} at ${repository}, and there is no folder ${path}`, { file });
  }
  return { name, place: treePlace(place), oid: identityOf(place) };
}

function repositoryDependency(
  context: RenderContext,
  { dependency, locked, file }: Wanted & { readonly file: string },
) {
  const { name, repository: repoURL } = dependency;
  const version = locked?.name === name ? locked.version : dependency.version;
  const need = chartNeed({ repoURL, name, version, file });
  if (ask(context, need)?.type !== 'tree') return undefined;
  const place = chartOfNeed(context, need);
  return { name, place: treePlace(place), oid: identityOf(place) };
}

/** `version` as in `ChartNeed`. */
export function chartNeed(wanted: Omit<ChartNeed, 'type' | 'key'>): ChartNeed {
  const { repoURL, name, version } = wanted;
  return { ...wanted, type: 'chart', key: `chart:${digestValue({ repoURL, name, version })}` };
}

/** The folder of a chart whose need is answered by a tree. */
export function chartOfNeed({ trees }: Pick<RenderContext, 'trees'>, { key, name }: ChartNeed): OpenPlace {
  const found = trees.get(key);
  if (found === undefined) throw new Error(`the tree of the chart ${name} is not open`);
  return { tree: key, path: found.path, files: found.tree, shownAs: name };
}
