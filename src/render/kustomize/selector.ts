/**
 * Selectors of patches and replacements: regular expressions for group, version, kind, name and namespace, and label
 * selectors for labels and annotations.
 */
import { fail } from '../fail.ts';
import type { Decoded } from './decode.ts';
import type { SELECTOR } from './kustomization.ts';
import { compileSelector, type LabelMatcher } from './label-selector.ts';
import { compileWhole, isLiteral, type Matcher } from './pattern.ts';
import { currentId, effectiveNamespace, type Gvk, type ResourceId } from './resource-id.ts';
import { findByName, type ResourceSet } from './resource-set.ts';
import { originalId, textMap, type Resource } from './resource.ts';

export type Selector = Decoded<typeof SELECTOR>;

export interface CompiledSelector {
  readonly gvk: (gvk: Gvk) => boolean;
  readonly name: Matcher;
  readonly namespace: Matcher;
  readonly labels: LabelMatcher;
  readonly annotations: LabelMatcher;
}

export function compileTarget(selector: Selector): CompiledSelector {
  const part = (name: 'group' | 'version' | 'kind' | 'name' | 'namespace'): Matcher => {
    const pattern = selector[name];
    if (pattern === '') return () => true;
    return (
      compileWhole(pattern) ??
      fail('KustomizationInvalid', `"${pattern}" (${name} of a target) is not a regular expression`)
    );
  };
  const [group, version, kind] = [part('group'), part('version'), part('kind')];
  return {
    gvk: (gvk) => group(gvk.group) && version(gvk.version) && kind(gvk.kind),
    name: part('name'),
    namespace: part('namespace'),
    labels: compileSelector(selector.labelSelector),
    annotations: compileSelector(selector.annotationSelector),
  };
}

/** The objects that a selector matches by their current or their original name and namespace. */
export function select(set: ResourceSet, selector: Selector): Resource[] {
  const compiled = compileTarget(selector);
  const selected: Resource[] = [];
  const isOneName = selector.name !== '' && isLiteral(selector.name);
  for (const resource of isOneName ? findByName(set, selector.name) : set.all) {
    const current = currentId(resource.node);
    if (!compiled.gvk(current)) continue;
    const original = originalId(resource);
    if (!compiled.name(original.name) && !compiled.name(current.name)) continue;
    if (!matchesNamespace(compiled, original) && !matchesNamespace(compiled, current)) continue;
    if (matchesMetadata(compiled, resource)) selected.push(resource);
  }
  return selected;
}

export function matchesMetadata(compiled: CompiledSelector, resource: Resource): boolean {
  return compiled.labels(textMap(resource, 'labels')) && compiled.annotations(textMap(resource, 'annotations'));
}

function matchesNamespace(compiled: CompiledSelector, id: ResourceId): boolean {
  return compiled.namespace(effectiveNamespace(id));
}
