/**
 * The entries of `generators`, `transformers` and `validators`: configurations of built-in generators and transformers,
 * written inline, in a file, or built by a kustomization of their own. Configurations of plugins are refused.
 */
import { locateLine } from '../../object/yaml/locate.ts';
import { nodeToValue, textOf, valueToNode } from '../../object/yaml/node.ts';
import { fail, problemOf } from '../fail.ts';
import { readObjects } from '../manifest-text.ts';
import { decode, type Decoder } from './decode.ts';
import { atField, placeOf, type Layer, type PathEntry } from './layer.ts';
import { originOf } from './origins.ts';
import { currentId } from './resource-id.ts';
import { newResource, textMap, type Origin, type Resource } from './resource.ts';

/** Reads the configurations of one field; inline ones come first. */
export function readConfigs(layer: Layer, field: 'generators' | 'transformers' | 'validators'): Resource[] {
  const inline: Resource[] = [];
  const paths: PathEntry[] = [];
  layer.kustomization[field].forEach((path, index) => {
    const at = [field, index];
    const found = atField(layer, at, () => readInline(layer, { path, at }));
    if (found === undefined) paths.push({ path, at });
    else inline.push(...found);
  });
  return [...inline, ...layer.build.gather(layer, paths)];
}

/** The objects of an inline entry; undefined if the entry is a path. */
function readInline(layer: Layer, { path: entry, at }: PathEntry): Resource[] | undefined {
  const { file, fileName, source } = layer.kustomization;
  try {
    const objects = readObjects({ text: entry, file, limits: layer.build.context.limits });
    const line = locateLine(source, at)?.line ?? 1;
    return objects.map(({ node }) => {
      const resource = newResource(node, { file, line });
      if (layer.build.shouldTrackOrigin) resource.origin = originOf(layer.originPlace, fileName);
      return resource;
    });
  } catch (error) {
    const problem = problemOf(error);
    if (entry.includes('\n')) fail(problem.code, problem.message);
    return undefined;
  }
}

/** The built-in generator or transformer that a configuration is for. Fails for plugins. */
export function builtInKind(config: Resource): string {
  const kind = textOf(config.node.get('kind'));
  if (textOf(config.node.get('apiVersion')) !== 'builtin') {
    fail(
      'Unsupported',
      `${kind} is ${pluginType(config)}; only the built-in generators and transformers of kustomize are run`,
      placeOf(config),
    );
  }
  return kind;
}

/** The type of plugin, for the message of the refusal. */
function pluginType(config: Resource): string {
  const annotations = textMap(config, 'annotations');
  const runtime = annotations.get('config.kubernetes.io/function') ?? annotations.get('config.k8s.io/function') ?? '';
  if (/\bstarlark\s*:/.test(runtime)) return 'a Starlark function';
  if (/\bcontainer\s*:/.test(runtime)) return 'a container function';
  if (/\bexec\s*:/.test(runtime)) return 'an exec function';
  return 'a Go or exec plugin';
}

/** Decodes a configuration. kustomize writes it out and reads it again, which gives scalars their canonical form. */
export function decodeConfig<T>(decoder: Decoder<T>, config: Resource): T {
  return decode(decoder, valueToNode(nodeToValue(config.node)), '', 'lenient');
}

/** The origin of objects that a configuration made or changed; undefined if origins are not recorded. */
export function configOrigin(config: Resource): Origin | undefined {
  if (config.origin === undefined) return undefined;
  const { kind, name, namespace } = currentId(config.node);
  const apiVersion = textOf(config.node.get('apiVersion'));
  const { repo = '', ref = '', path: configuredIn = '' } = config.origin;
  return { repo, ref, configuredIn, configuredBy: { apiVersion, kind, name, namespace } };
}
