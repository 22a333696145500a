/**
 * Makes names follow: where an object was renamed, every field that holds its old name gets the new one.
 *
 * Invariant: candidates are found by kind, old name and namespace, never by walking all objects; names of objects do
 * not change meanwhile.
 */
import {
  isNothing,
  isText,
  isYamlList,
  isYamlMap,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { fail, within } from '../fail.ts';
import type { NameReference } from './field-specs/name-references.ts';
import { fieldOfSpec, visitField, type Field } from './field-spec.ts';
import { placeOf } from './layer.ts';
import {
  currentId,
  effectiveNamespace,
  formatResourceId,
  isClusterScoped,
  isSelected,
  type Gvk,
} from './resource-id.ts';
import type { ResourceSet } from './resource-set.ts';
import { originalId, previousIds, type Resource } from './resource.ts';

export function fixNameReferences(set: ResourceSet, references: readonly NameReference[]): void {
  const index = indexByOldName(set);
  const byKind = indexByReferrer(references);
  for (const resource of set.all) {
    const id = originalId(resource);
    const entries = mergeInOrder(byKind.get(id.kind) ?? [], byKind.get('') ?? []);
    const mine = entries.filter(({ field }) => isSelected(id, field.spec));
    if (mine.length === 0) continue;
    within(placeOf(resource), () => {
      const namespaces = subjectNamespaces(resource);
      for (const { field, target } of mine) fixField({ index, resource, namespaces, field, target });
    });
  }
}

interface Entry {
  readonly field: Field;
  readonly target: Gvk;
  readonly position: number;
}

function indexByReferrer(references: readonly NameReference[]): Map<string, Entry[]> {
  const byKind = new Map<string, Entry[]>();
  let position = 0;
  for (const target of references) {
    for (const spec of target.fieldSpecs) {
      const entry = { field: fieldOfSpec(spec), target, position: position++ };
      const known = byKind.get(spec.kind);
      if (known) known.push(entry);
      else byKind.set(spec.kind, [entry]);
    }
  }
  return byKind;
}

function mergeInOrder(a: readonly Entry[], b: readonly Entry[]): readonly Entry[] {
  return b.length === 0 ? a : [...a, ...b].sort((x, y) => x.position - y.position);
}

/** Renamed objects by an old name, then by their present effective namespace. */
type OldNames = Map<string, Map<string, Resource[]>>;

function indexByOldName(set: ResourceSet): OldNames {
  const index: OldNames = new Map();
  for (const resource of set.all) {
    const namespace = effectiveNamespace(currentId(resource.node));
    for (const name of new Set(resource.previous.map((previous) => previous.name))) {
      let byNamespace = index.get(name);
      if (byNamespace === undefined) index.set(name, (byNamespace = new Map()));
      const known = byNamespace.get(namespace);
      if (known) known.push(resource);
      else byNamespace.set(namespace, [resource]);
    }
  }
  return index;
}

interface Fix {
  readonly index: OldNames;
  /** The object that refers to another. */
  readonly resource: Resource;
  /** Namespaces of service accounts that it names, if it is a role binding. */
  readonly namespaces: ReadonlySet<string>;
  readonly field: Field;
  /** What it refers to. */
  readonly target: Gvk;
}

function fixField(fix: Fix): void {
  visitField(fix.resource.node, fix.field, { create: undefined, set: (found) => fixNode(fix, found) });
}

function fixNode(fix: Fix, node: YamlNode): YamlNode {
  if (isNothing(node)) return node;
  if (isYamlMap(node)) return fixMap(fix, node);
  if (!isYamlList(node)) return fixName(fix, node);
  node.forEach((item, index) => {
    if (isNothing(item)) return;
    if (isYamlList(item)) fail('InvalidObject', `the field ${fix.field.spec.path} holds a list inside a list`);
    node[index] = isYamlMap(item) ? fixMap(fix, item) : fixName(fix, item);
  });
  return node;
}

function fixName(fix: Fix, node: YamlNode): YamlNode {
  const name = textOf(node);
  const found = choose(fix, candidatesFor(fix, name), (a, b) => nameOf(a) === nameOf(b));
  return found === undefined || nameOf(found) === name ? node : nameOf(found);
}

/** A reference that holds a name and maybe a namespace, such as a subject of a role binding. */
function fixMap(fix: Fix, map: YamlMap): YamlMap {
  if (!map.has('name')) fail('InvalidObject', `the field ${fix.field.spec.path} has no name`);
  const name = textOf(map.get('name'));
  const candidates = candidatesFor(fix, name, map.has('namespace') ? textOf(map.get('namespace')) : undefined);
  const found = choose(fix, candidates, (a, b) => nameOf(a) === nameOf(b) && namespaceOf(a) === namespaceOf(b));
  if (found === undefined) return map;
  if (nameOf(found) !== name) map.set('name', nameOf(found));
  if (namespaceOf(found) !== '') map.set('namespace', namespaceOf(found));
  return map;
}

/** Objects of the wanted kind that had the name and that the referrer may see. */
function candidatesFor(fix: Fix, name: string, namespace?: string): Resource[] {
  const byNamespace = fix.index.get(name);
  if (byNamespace === undefined) return [];
  let seen = visible(fix, byNamespace);
  if (namespace !== undefined) seen = ofNamespace(seen, namespace);
  const roleKind = fix.field.spec.path.endsWith('roleRef/name') ? roleRefKind(fix.resource.node) : undefined;
  return seen.filter((one) => {
    const ids = previousIds(one);
    return (
      ids.some((id) => isSelected(id, fix.target)) &&
      (roleKind === undefined || ids.some((id) => isSelected(id, roleKind)))
    );
  });
}

function visible(fix: Fix, byNamespace: ReadonlyMap<string, Resource[]>): Resource[] {
  const id = currentId(fix.resource.node);
  if (isClusterScoped(id)) return [...byNamespace.values()].flat();
  const clusterScoped = byNamespace.get('_non_namespaceable_') ?? [];
  const own = byNamespace.get(effectiveNamespace(id)) ?? [];
  // A role binding may name service accounts of other namespaces.
  const others = [...fix.namespaces]
    .filter((namespace) => namespace !== effectiveNamespace(id))
    .flatMap((namespace) =>
      (byNamespace.get(namespace || 'default') ?? []).filter((one) => namespaceOf(one) === namespace),
    )
    .filter((one) => textOf(one.node.get('kind')) === 'ServiceAccount');
  return [...clusterScoped, ...own, ...others];
}

function subjectNamespaces(referrer: Resource): Set<string> {
  const isBinding = textOf(referrer.node.get('kind')) === 'RoleBinding';
  const subjects = isBinding ? referrer.node.get('subjects') : undefined;
  const namespaces = new Set<string>();
  if (!isYamlList(subjects)) return namespaces;
  for (const subject of subjects) {
    if (!isYamlMap(subject) || textOf(subject.get('kind')) !== 'ServiceAccount' || !subject.has('namespace')) continue;
    const namespace = subject.get('namespace');
    if (!isText(namespace)) fail('InvalidObject', 'the namespace of a subject is blank or no text');
    namespaces.add(textOf(namespace));
  }
  return namespaces;
}

/** Those that were in the namespace at first, else those that are in it now. */
function ofNamespace(resources: readonly Resource[], namespace: string): Resource[] {
  const first = resources.filter((one) => effectiveNamespace(originalId(one)) === namespace);
  if (first.length > 0) return first;
  return resources.filter((one) => effectiveNamespace(currentId(one.node)) === namespace);
}

function roleRefKind(node: YamlMap): Gvk | undefined {
  const roleRef = node.get('roleRef');
  if (!isYamlMap(roleRef) || !roleRef.has('apiGroup') || !roleRef.has('kind')) return undefined;
  return { group: textOf(roleRef.get('apiGroup')), version: '', kind: textOf(roleRef.get('kind')) };
}

/** The one that is meant: of several, those that passed the same layers as the referrer. */
function choose(
  fix: Fix,
  found: readonly Resource[],
  isSame: (a: Resource, b: Resource) => boolean,
): Resource | undefined {
  if (found.length === 1) return found[0];
  let candidates = found.filter((one) => hasSameAffixes(one, fix.resource, true));
  if (candidates.length > 1) candidates = candidates.filter((one) => hasSameAffixes(one, fix.resource, false));
  const [first] = candidates;
  if (first === undefined || candidates.length === 1 || candidates.every((one) => isSame(one, first))) return first;
  const ids = candidates.map((one) => formatResourceId(currentId(one.node))).join(', ');
  return fail(
    'KustomizationInvalid',
    `${fix.field.spec.path} of ${formatResourceId(currentId(fix.resource.node))} may mean any of ${ids}`,
  );
}

/** Whether the shorter list of prefixes ends the longer one, and so for suffixes; `lenient`: or one is empty. */
function hasSameAffixes(a: Resource, b: Resource, lenient: boolean): boolean {
  return (
    ((lenient && (a.prefixes.length === 0 || b.prefixes.length === 0)) || endsAlike(a.prefixes, b.prefixes)) &&
    ((lenient && (a.suffixes.length === 0 || b.suffixes.length === 0)) || endsAlike(a.suffixes, b.suffixes))
  );
}

function endsAlike(a: readonly string[], b: readonly string[]): boolean {
  const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
  if (shorter.length === 0) return longer.length === 0;
  return shorter.every((text, index) => longer[longer.length - shorter.length + index] === text);
}

function nameOf(resource: Resource): string {
  return currentId(resource.node).name;
}

function namespaceOf(resource: Resource): string {
  return currentId(resource.node).namespace;
}
