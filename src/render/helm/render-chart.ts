/**
 * Renders a chart: asks for the output of helm, and reads the objects from it once it is there.
 *
 * Invariant: the key of the need is a digest of everything that the output depends on, but for the cluster's own
 * version and API versions, which the answerer adds.
 */
import type { HelmOptions } from '../../application/render-schema.ts';
import { digestValue } from '../../object/digest.ts';
import type { Value } from '../../object/value.ts';
import { fail } from '../fail.ts';
import { ask, type RenderContext } from '../file-loader.ts';
import type { BuiltObject } from '../built-object.ts';
import type { Answer, HelmNeed, HelmRun, Release } from '../needs.ts';
import { identityOf, shownPath, treePlace, within, type OpenPlace } from './chart-place.ts';
import { readChartYaml } from './chart-yaml.ts';
import { findDependencies } from './dependencies.ts';
import { checkSameText, readOutput, type FileOf } from './output.ts';
import { refuseSealedDefaults } from './sealed-values.ts';
import { valuesOf } from './values.ts';

export interface ChartRender {
  readonly chart: OpenPlace;
  readonly options: HelmOptions;
  /** undefined at the command line. */
  readonly release: Release | undefined;
}

type HelmOutput = Extract<Answer, { readonly type: 'text' }>;

/** As the schema fills them in. */
export const NO_HELM_OPTIONS: HelmOptions = { ignoreMissingValueFiles: false, skipCRDs: false, skipTests: true };

/** No objects while a need is open. Fails with the first problem; a chart is never rendered partly. */
export function renderChart(context: RenderContext, render: ChartRender): BuiltObject[] {
  const run = runOf(context, render);
  const output = run === undefined ? undefined : askHelm(context, run, render.chart);
  if (output === undefined) return [];
  const fileOf = templateFile(render.chart);
  checkSameText(context, output, fileOf);
  return readOutput(context, output.text, fileOf);
}

/** undefined while a part of the chart or of its values is open. Fails if one is missing. */
function runOf(context: RenderContext, { chart, options, release }: ChartRender): HelmRun | undefined {
  const dependencies = findDependencies(context, chart, readChartYaml(context, chart));
  refuseSealedDefaults(context, chart);
  const values = valuesOf(context, chart, options);
  if (dependencies === undefined || values === undefined) return undefined;
  return {
    chart: treePlace(chart),
    chartOid: identityOf(chart),
    dependencies,
    values,
    parameters: (options.parameters ?? []).map(({ name, value, forceString }) => ({
      name,
      value,
      isText: forceString,
    })),
    releaseName: options.releaseName ?? releaseNameOf(release),
    namespace: options.namespace ?? release?.namespace ?? '',
    kubeVersion: options.kubeVersion,
    apiVersions: options.apiVersions ?? [],
    includeCrds: !options.skipCRDs,
    skipTests: options.skipTests,
    skipHooks: false,
  };
}

const MAX_RELEASE_NAME = 53;

/** The name of the Application, as in Argo CD. Without an Application it is that which helm makes up. */
function releaseNameOf(release: Release | undefined): string {
  return release === undefined ? 'release-name' : release.name.slice(0, MAX_RELEASE_NAME).replace(/[-.]+$/, '');
}

/**
 * The output of a run; undefined while it is open. Fails with the problem that helm reports, at the file of the chart
 * that it blames.
 */
export function askHelm(context: RenderContext, run: HelmRun, chart: OpenPlace): HelmOutput | undefined {
  const need: HelmNeed = {
    type: 'helm',
    key: `helm:${digestValue(run as unknown as Value)}`,
    run,
    file: shownPath(chart),
  };
  const answer = context.answers.get(need.key);
  if (answer?.type === 'refused') failAtBlamed(answer, chart);
  // Helm would read a chart without these files.
  const isIncomplete = context.needs.some(({ type }) => type === 'submodule' || type === 'lfs');
  const asked = isIncomplete ? undefined : ask(context, need);
  return asked?.type === 'text' ? asked : undefined;
}

function failAtBlamed({ problem, blamed }: Extract<Answer, { readonly type: 'refused' }>, chart: OpenPlace): never {
  const { code, message, ...rest } = problem;
  const { path = '', line } = blamed ?? {};
  const place = within(chart, path);
  if (path === '' || chart.files.find(place.path).type !== 'file') {
    // A packed dependency has no file of its own in the tree.
    const name = path === '' ? '' : `${path}: `;
    return fail(code, `${name}${message}`, { ...rest, file: shownPath(within(chart, 'Chart.yaml')) });
  }
  return fail(code, message, { ...rest, file: shownPath(place), ...(line === undefined ? {} : { line }) });
}

/** The first part of the names that helm gives is the name of the chart. */
export function templateFile(chart: OpenPlace): FileOf {
  return (name) => shownPath(within(chart, name.slice(name.indexOf('/') + 1)));
}
