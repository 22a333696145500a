/** vars (deprecated): `$(NAME)` in certain fields stands for a field of another object. */
import {
  assign,
  isText,
  isUntyped,
  isYamlList,
  isYamlMap,
  textOf,
  type YamlNode,
  type YamlScalar,
} from '../../object/yaml/node.ts';
import { fail, within } from '../fail.ts';
import { countMade, type RenderContext } from '../file-loader.ts';
import { fieldsByKind, visitField, type FieldSpec } from './field-spec.ts';
import { lookup, smartPath } from './field-path.ts';
import type { Decoded } from './decode.ts';
import type { VAR } from './kustomization.ts';
import { atField, placeOf, type Layer } from './layer.ts';
import { currentId, effectiveNamespace, isClusterScoped, type ResourceId } from './resource-id.ts';
import { findByName, type ResourceSet } from './resource-set.ts';
import { previousIds, type Resource } from './resource.ts';

interface Var extends Decoded<typeof VAR> {
  /** Runs something, and says of what it throws where the var stands. */
  readonly at: <T>(run: () => T) => T;
}

/** Vars by name. */
export type VarSet = Map<string, Var>;

/** Takes in the vars of a kustomization, and notes them at the objects that they read. */
export function mergeVars(vars: VarSet, layer: Pick<Layer, 'kustomization'>, set: ResourceSet): void {
  const incoming = (layer.kustomization.vars ?? []).map((one, index): Var => {
    return { ...one, at: (run) => atField(layer, ['vars', index], run) };
  });
  for (const one of incoming) {
    const found = findSource(set, one);
    if (found.length > 1)
      one.at(() =>
        fail('KustomizationInvalid', `the var ${one.name} is read from ${found.length} objects; which is not clear`),
      );
    found[0]?.varNames.push(one.name);
  }
  for (const one of incoming) addVar(vars, one);
}

export function mergeVarSets(vars: VarSet, incoming: VarSet): void {
  for (const one of incoming.values()) addVar(vars, one);
}

function addVar(vars: VarSet, one: Var): void {
  if (vars.has(one.name)) one.at(() => fail('KustomizationInvalid', `the var ${one.name} is there twice`));
  vars.set(one.name, one);
}

function findSource(set: ResourceSet, { objref }: Var): Resource[] {
  const slash = objref.apiVersion.indexOf('/');
  const group = slash < 0 ? objref.group : objref.apiVersion.slice(0, slash);
  const version = objref.apiVersion === '' ? objref.version : objref.apiVersion.slice(slash + 1);
  const wanted: ResourceId = { group, version, kind: objref.kind, name: objref.name, namespace: objref.namespace };
  const anyNamespace = wanted.namespace === '' && !isClusterScoped(wanted);
  const isMeant = (id: ResourceId): boolean =>
    id.group === wanted.group &&
    id.version === wanted.version &&
    id.kind === wanted.kind &&
    id.name === wanted.name &&
    (anyNamespace || effectiveNamespace(id) === effectiveNamespace(wanted));
  return findByName(set, wanted.name).filter((one) => [...previousIds(one), currentId(one.node)].some(isMeant));
}

/** Replaces every `$(NAME)` in the fields where vars are looked for. */
export function resolveVars(context: RenderContext, set: ResourceSet, vars: VarSet, specs: readonly FieldSpec[]): void {
  if (vars.size === 0) return;
  const texts = new Map<string, string | YamlScalar | undefined>();
  const values: Values = {
    get: (name) => {
      const value = texts.get(name);
      countMade(context, value === undefined ? 0 : textOf(value).length);
      return value;
    },
  };
  const readers = new Map<string, Resource>();
  for (const resource of set.all)
    for (const name of resource.varNames) if (!readers.has(name)) readers.set(name, resource);
  for (const one of [...vars.values()].sort((a, b) => (a.name < b.name ? -1 : 1)))
    texts.set(
      one.name,
      one.at(() => readVar(one, readers.get(one.name))),
    );
  const fieldsOf = fieldsByKind(specs);
  for (const resource of set.all) {
    within(placeOf(resource), () => {
      for (const field of fieldsOf(resource.node))
        visitField(resource.node, field, { create: undefined, set: (found) => replaceIn(found, values) });
    });
  }
}

function readVar(one: Var, source: Resource | undefined): string | YamlScalar | undefined {
  if (source === undefined)
    return fail('KustomizationInvalid', `the var ${one.name} names an object that is not there`);
  const path = one.fieldref.fieldPath || 'metadata.name';
  const found = lookup(source.node, indexedPath(path));
  if (found === undefined)
    return fail('KustomizationInvalid', `the var ${one.name} names the field ${path}, which is not there`);
  // Maps and lists cannot stand in a text; their var is left as it is written.
  return isYamlMap(found) || isYamlList(found) ? undefined : found;
}

/** `ports[0].port` as `ports`, `0`, `port`. */
function indexedPath(path: string): string[] {
  return smartPath(path).flatMap((part) => {
    const match = /^(.*)\[(\d+)\]$/.exec(part);
    if (!match) return [part];
    const [, name = '', index = ''] = match;
    return name === '' ? [index] : [name, index];
  });
}

type Values = Pick<ReadonlyMap<string, string | YamlScalar | undefined>, 'get'>;

function replaceIn(node: YamlNode, values: Values): YamlNode {
  if (isYamlMap(node)) {
    for (const [key, value] of node) if (isTextOrUntyped(value)) assign(node, key, expand(textOf(value), values));
    return node;
  }
  if (!isYamlList(node)) return isTextOrUntyped(node) ? expand(textOf(node), values) : node;
  return node.map((item) =>
    isTextOrUntyped(item)
      ? expand(textOf(item), values)
      : fail('InvalidObject', 'a list of texts holds something else'),
  );
}

/** A scalar whose type nobody has said counts as a text, and is one from then on. */
function isTextOrUntyped(node: YamlNode): boolean {
  return isText(node) || isUntyped(node);
}

/** A text that is one var takes over the type of its value; `$$` stands for `$`. */
function expand(text: string, values: Values): string | YamlScalar {
  const whole = /^\$\(([^)]*)\)$/.exec(text)?.[1];
  if (whole !== undefined) return values.get(whole) ?? text;
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = values.get(name);
    return value === undefined ? match : textOf(value);
  });
}
