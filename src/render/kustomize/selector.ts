/**
 * Targets of patches and replacements: regular expressions for group, version, kind, name and namespace; selectors for
 * labels and annotations.
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
      fail('KustomizationInvalid', `"${pattern}" is no regular expression (${name} of a target)`)
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

/** Objects that a target selects: name and namespace may be the present or the first ones. */
export function select(set: ResourceSet, selector: Selector): Resource[] {
  const compiled = compileTarget(selector);
  const selected: Resource[] = [];
  const isOneName = selector.name !== '' && isLiteral(selector.name);
  for (const resource of isOneName ? findByName(set, selector.name) : set.all) {
    const now = currentId(resource.node);
    if (!compiled.gvk(now)) continue;
    const first = originalId(resource);
    if (!compiled.name(first.name) && !compiled.name(now.name)) continue;
    if (!matchesNamespace(compiled, first) && !matchesNamespace(compiled, now)) continue;
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
