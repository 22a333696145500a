/**
 * Updates references: if an object was renamed, every field with its old name gets the new name.
 *
 * Invariants: candidates are looked up by old name and namespace, never by walking all objects. The names of objects do
 * not change during the update.
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
import { fail, withPlace } from '../fail.ts';
import type { NameReference } from './field-specs/name-references.ts';
import { fieldOfSpec, visitField, type Field } from './field-spec.ts';
import { placeOf } from './layer.ts';
import {
  currentId,
  effectiveNamespace,
  formatResourceId,
  isClusterScoped,
  isSelected,
  NO_NAMESPACE,
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
    const selected = entries.filter(({ field }) => isSelected(id, field.spec));
    if (selected.length === 0) continue;
    withPlace(placeOf(resource), () => {
      const namespaces = subjectNamespaces(resource);
      for (const { field, target } of selected) fixField({ index, resource, namespaces, field, target });
    });
  }
}

/** A field that refers to objects of the kind `target`, and its position in the table of references. */
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

/** Renamed objects by each of their old names, then by their current effective namespace. */
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

interface ReferenceFix {
  readonly index: OldNames;
  /** The object that refers to another one. */
  readonly resource: Resource;
  /** Namespaces of the service accounts that the object names, if it is a RoleBinding. */
  readonly namespaces: ReadonlySet<string>;
  readonly field: Field;
  /** The kind of object that the field refers to. */
  readonly target: Gvk;
}

function fixField(fix: ReferenceFix): void {
  visitField(fix.resource.node, fix.field, { create: undefined, set: (found) => fixNode(fix, found) });
}

function fixNode(fix: ReferenceFix, node: YamlNode): YamlNode {
  if (isNothing(node)) return node;
  if (isYamlMap(node)) return fixMap(fix, node);
  if (!isYamlList(node)) return fixName(fix, node);
  node.forEach((item, index) => {
    if (isNothing(item)) return;
    if (isYamlList(item)) fail('InvalidObject', `the field ${fix.field.spec.path} contains a list in a list`);
    node[index] = isYamlMap(item) ? fixMap(fix, item) : fixName(fix, item);
  });
  return node;
}

function fixName(fix: ReferenceFix, node: YamlNode): YamlNode {
  const name = textOf(node);
  const found = chooseReferent(fix, candidatesFor(fix, name), (a, b) => nameOf(a) === nameOf(b));
  return found === undefined || nameOf(found) === name ? node : nameOf(found);
}

/** Updates a reference with a name and possibly a namespace, such as a subject of a role binding. */
function fixMap(fix: ReferenceFix, map: YamlMap): YamlMap {
  if (!map.has('name')) fail('InvalidObject', `the field ${fix.field.spec.path} has no name`);
  const name = textOf(map.get('name'));
  const candidates = candidatesFor(fix, name, map.has('namespace') ? textOf(map.get('namespace')) : undefined);
  const found = chooseReferent(fix, candidates, (a, b) => nameOf(a) === nameOf(b) && namespaceOf(a) === namespaceOf(b));
  if (found === undefined) return map;
  if (nameOf(found) !== name) map.set('name', nameOf(found));
  if (namespaceOf(found) !== '') map.set('namespace', namespaceOf(found));
  return map;
}

/** Objects of the target kind that had the name, in the namespaces to which the object may refer. */
function candidatesFor(fix: ReferenceFix, name: string, namespace?: string): Resource[] {
  const byNamespace = fix.index.get(name);
  if (byNamespace === undefined) return [];
  const inScope = objectsInScope(fix, byNamespace);
  const candidates = namespace === undefined ? inScope : ofNamespace(inScope, namespace);
  const roleKind = fix.field.spec.path.endsWith('roleRef/name') ? roleRefKind(fix.resource.node) : undefined;
  return candidates.filter((candidate) => {
    const ids = previousIds(candidate);
    return (
      ids.some((id) => isSelected(id, fix.target)) &&
      (roleKind === undefined || ids.some((id) => isSelected(id, roleKind)))
    );
  });
}

function objectsInScope(fix: ReferenceFix, byNamespace: ReadonlyMap<string, Resource[]>): Resource[] {
  const id = currentId(fix.resource.node);
  if (isClusterScoped(id)) return [...byNamespace.values()].flat();
  const clusterScoped = byNamespace.get(NO_NAMESPACE) ?? [];
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
    if (!isText(namespace)) fail('InvalidObject', 'the namespace of a subject is empty or not a text');
    namespaces.add(textOf(namespace));
  }
  return namespaces;
}

/** The objects that were in the namespace originally; if there are none, the objects that are in it now. */
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

/**
 * The object to which the reference points. If there are several candidates, those with the same prefixes and suffixes
 * count, because they passed the same layers. Fails if the reference is still ambiguous.
 */
function chooseReferent(
  fix: ReferenceFix,
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
    `${fix.field.spec.path} of ${formatResourceId(currentId(fix.resource.node))} is ambiguous: it may refer to ${ids}`,
  );
}

/**
 * Whether the longer list of prefixes ends with the shorter one, and the same for suffixes. With `isEmptyAllowed` an
 * empty list agrees with every list.
 */
function hasSameAffixes(a: Resource, b: Resource, isEmptyAllowed: boolean): boolean {
  const agree = (left: readonly string[], right: readonly string[]): boolean =>
    (isEmptyAllowed && (left.length === 0 || right.length === 0)) || hasSameEnd(left, right);
  return agree(a.prefixes, b.prefixes) && agree(a.suffixes, b.suffixes);
}

function hasSameEnd(a: readonly string[], b: readonly string[]): boolean {
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
