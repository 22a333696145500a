/**
 * All generators of a kustomization in the order of kustomize: configMapGenerator, secretGenerator, helmCharts,
 * `generators`.
 */
import { locateItems } from '../../../object/yaml/locate.ts';
import { atField, builtInOrigin, type Layer } from '../layer.ts';
import type { Resource } from '../resource.ts';
import { generateConfigMap, generateSecret } from './config-maps.ts';
import { configuredGenerators } from './configured.ts';
import { chartHomeOf, chartsOf, generateChart } from './helm-charts.ts';

/**
 * Yields the generated objects one by one, so that the caller adds each of them before a later entry can fail. So the
 * problem of the earlier entry is the one that is reported.
 */
export function* generateAll(layer: Layer): Generator<Resource> {
  const { configMapGenerator, secretGenerator, generatorOptions } = layer.kustomization;
  const configMapLines = locateLines(layer, 'configMapGenerator');
  for (const [index, args] of configMapGenerator.entries()) {
    yield atField(layer, ['configMapGenerator', index], () => {
      const resource = generateConfigMap(layer, args, generatorOptions);
      resource.line = configMapLines[index] ?? 1;
      return withOrigin(layer, resource, 'ConfigMapGenerator');
    });
  }
  const secretLines = locateLines(layer, 'secretGenerator');
  for (const [index, args] of secretGenerator.entries()) {
    yield atField(layer, ['secretGenerator', index], () => {
      const resource = generateSecret(layer, args, generatorOptions);
      resource.line = secretLines[index] ?? 1;
      return withOrigin(layer, resource, 'SecretGenerator');
    });
  }
  const chartLines = locateLines(layer, 'helmCharts');
  for (const [index, { args, isDeprecated }] of chartsOf(layer.kustomization).entries()) {
    const own = layer.kustomization.helmCharts?.length ?? 0;
    const at = isDeprecated ? ['helmChartInflationGenerator', index - own] : ['helmCharts', index];
    const namespace = args.namespace || layer.kustomization.namespace || layer.helmNamespace;
    const generator = { args, namespace, chartHome: chartHomeOf(layer.kustomization), line: chartLines[index] ?? 1 };
    const resources = atField(layer, at, () => generateChart(layer, generator));
    for (const resource of resources) yield withOrigin(layer, resource, 'HelmChartInflationGenerator');
  }
  yield* configuredGenerators(layer);
}

/** The lines of the entries: the manifest of a generated object is its entry. */
function locateLines(
  { kustomization }: Layer,
  field: 'configMapGenerator' | 'secretGenerator' | 'helmCharts',
): readonly number[] {
  return (kustomization[field] ?? []).length === 0 ? [] : locateItems(kustomization.source, field);
}

function withOrigin(layer: Layer, resource: Resource, kind: string): Resource {
  if (layer.build.shouldTrackOrigin) resource.origin = builtInOrigin(layer, kind);
  return resource;
}
