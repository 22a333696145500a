/** The field `generators`: configurations of the built-in generators of kustomize. */
import type { YamlMap, YamlNode } from '../../../object/yaml/node.ts';
import { fail, withPlace } from '../../fail.ts';
import { embedded, struct, text } from '../decode.ts';
import { CONFIG_MAP, HELM_CHART, SECRET } from '../kustomization.ts';
import { placeOf, type Layer } from '../layer.ts';
import { builtInKind, configOrigin, decodeConfig, readConfigs } from '../plugin-configs.ts';
import { newResource, type Resource } from '../resource.ts';
import { generateConfigMap, generateSecret } from './config-maps.ts';
import { generateChart } from './helm-charts.ts';

export function configuredGenerators(layer: Layer): Resource[] {
  const { generators } = layer.kustomization;
  if (generators.length === 0) return [];
  return readConfigs(layer, 'generators').flatMap((config) => {
    const kind = builtInKind(config);
    if (kind === 'HelmChartInflationGenerator') return configuredChart(layer, config);
    const generate = Object.hasOwn(BUILT_IN, kind) ? BUILT_IN[kind] : undefined;
    if (generate === undefined) fail('Unsupported', `there is no built-in generator ${kind}`, placeOf(config));
    const resource = withPlace(placeOf(config), () => generate(layer, config));
    const origin = configOrigin(config);
    if (origin !== undefined) resource.origin = origin;
    return resource;
  });
}

/**
 * The name and namespace of the generated object may also be given in the metadata of the configuration. Its field
 * `env` has no effect: kustomize knows that old name of `envs` only in a kustomization.
 */
const METADATA = struct({ metadata: struct({ name: text, namespace: text }) });

function withMetadata<T extends { readonly name: string; readonly namespace: string; readonly env: string }>(
  args: T,
  config: Resource,
): T {
  const { metadata } = decodeConfig(METADATA, config);
  return { ...args, env: '', name: args.name || metadata.name, namespace: args.namespace || metadata.namespace };
}

/** The name of the chart is a field of its own, and the namespace of the kustomization does not count. */
function configuredChart(layer: Layer, config: Resource): Resource[] {
  const place = placeOf(config);
  const origin = configOrigin(config);
  return withPlace(place, () => {
    const args = decodeConfig(HELM_CHART, config);
    const { chartHome } = decodeConfig(struct({ chartHome: text }), config);
    const resources = generateChart(layer, { args, chartHome, namespace: args.namespace, line: place.line });
    return resources.map((resource) => (origin === undefined ? resource : { ...resource, origin }));
  });
}

const POLICY = struct({
  cloud: embedded(text),
  kubernetesService: embedded(struct({ name: text, namespace: text })),
  serviceAccount: embedded(struct({ name: text, projectId: text })),
});

const BUILT_IN: Readonly<Record<string, (layer: Layer, config: Resource) => Resource>> = {
  ConfigMapGenerator: (layer, config) => {
    return generateConfigMap(layer, withMetadata(decodeConfig(CONFIG_MAP, config), config), undefined);
  },
  SecretGenerator: (layer, config) =>
    generateSecret(layer, withMetadata(decodeConfig(SECRET, config), config), undefined),
  IAMPolicyGenerator: (_layer, config) => {
    const { cloud, kubernetesService, serviceAccount } = decodeConfig(POLICY, config);
    if (cloud !== 'gke') fail('KustomizationInvalid', `the cloud must be gke, but is "${cloud}"`);
    const account = `${serviceAccount.name}@${serviceAccount.projectId}.iam.gserviceaccount.com`;
    const metadata: YamlMap = new Map<string, YamlNode>([
      ['annotations', new Map([['iam.gke.io/gcp-service-account', account]])],
      ['name', kubernetesService.name],
    ]);
    if (kubernetesService.namespace !== '') metadata.set('namespace', kubernetesService.namespace);
    const entries: [string, YamlNode][] = [
      ['apiVersion', 'v1'],
      ['kind', 'ServiceAccount'],
      ['metadata', metadata],
    ];
    return newResource(new Map(entries), placeOf(config));
  },
};
