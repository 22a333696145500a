/** The deprecated field `vars`: `$(NAME)` in certain fields is replaced by the value of a field of another object. */
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
import { fail, withPlace } from '../fail.ts';
import { countGenerated, type RenderContext } from '../file-loader.ts';
import { fieldsByKind, visitField, type FieldSpec } from './field-spec.ts';
import { lookup, smartPath } from './field-path.ts';
import type { Decoded } from './decode.ts';
import type { VAR } from './kustomization.ts';
import { atField, placeOf, type Layer } from './layer.ts';
import { currentId, effectiveNamespace, isClusterScoped, type ResourceId } from './resource-id.ts';
import { findByName, type ResourceSet } from './resource-set.ts';
import { previousIds, type Resource } from './resource.ts';

interface Var extends Decoded<typeof VAR> {
  /** Runs a step for the var; a problem gets the line of the var. */
  readonly at: <T>(run: () => T) => T;
}

/** Vars by name. */
export type VarSet = Map<string, Var>;

/** Adds the vars of a kustomization, and records their names at the objects that they read. */
export function mergeVars(vars: VarSet, layer: Pick<Layer, 'kustomization'>, set: ResourceSet): void {
  const incoming = (layer.kustomization.vars ?? []).map((one, index): Var => {
    return { ...one, at: (run) => atField(layer, ['vars', index], run) };
  });
  for (const one of incoming) {
    const found = findSource(set, one);
    if (found.length > 1)
      one.at(() =>
        fail('KustomizationInvalid', `the var ${one.name} is ambiguous: it matches ${found.length} objects`),
      );
    found[0]?.varNames.push(one.name);
  }
  for (const one of incoming) addVar(vars, one);
}

export function mergeVarSets(vars: VarSet, incoming: VarSet): void {
  for (const one of incoming.values()) addVar(vars, one);
}

function addVar(vars: VarSet, one: Var): void {
  if (vars.has(one.name)) one.at(() => fail('KustomizationInvalid', `the var ${one.name} occurs twice`));
  vars.set(one.name, one);
}

function findSource(set: ResourceSet, { objref }: Var): Resource[] {
  const slash = objref.apiVersion.indexOf('/');
  const group = slash < 0 ? objref.group : objref.apiVersion.slice(0, slash);
  const version = objref.apiVersion === '' ? objref.version : objref.apiVersion.slice(slash + 1);
  const wanted: ResourceId = { group, version, kind: objref.kind, name: objref.name, namespace: objref.namespace };
  const isAnyNamespace = wanted.namespace === '' && !isClusterScoped(wanted);
  const isWanted = (id: ResourceId): boolean =>
    id.group === wanted.group &&
    id.version === wanted.version &&
    id.kind === wanted.kind &&
    id.name === wanted.name &&
    (isAnyNamespace || effectiveNamespace(id) === effectiveNamespace(wanted));
  return findByName(set, wanted.name).filter((one) => [...previousIds(one), currentId(one.node)].some(isWanted));
}

/** Replaces every `$(NAME)` in the fields of the given specs. */
export function resolveVars(context: RenderContext, set: ResourceSet, vars: VarSet, specs: readonly FieldSpec[]): void {
  if (vars.size === 0) return;
  const texts = new Map<string, string | YamlScalar | undefined>();
  const values: Values = {
    get: (name) => {
      const value = texts.get(name);
      countGenerated(context, value === undefined ? 0 : textOf(value).length);
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
    withPlace(placeOf(resource), () => {
      for (const field of fieldsOf(resource.node))
        visitField(resource.node, field, { create: undefined, set: (found) => replaceIn(found, values) });
    });
  }
}

function readVar(one: Var, source: Resource | undefined): string | YamlScalar | undefined {
  if (source === undefined)
    return fail('KustomizationInvalid', `the var ${one.name} names an object that does not exist`);
  const path = one.fieldref.fieldPath || 'metadata.name';
  const found = lookup(source.node, indexedPath(path));
  if (found === undefined)
    return fail('KustomizationInvalid', `the var ${one.name} names the field ${path}, which does not exist`);
  // A map or list cannot be part of a text, so `$(NAME)` is left unchanged.
  if (isYamlMap(found) || isYamlList(found)) return undefined;
  return isText(found) ? textOf(found) : found;
}

/** Splits `ports[0].port` into `ports`, `0` and `port`. */
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
      : fail('InvalidObject', 'a list in which vars are replaced has an element that is not a text'),
  );
}

/** Whether vars are replaced in a scalar. One with a guessed type counts as a text, and becomes one. */
function isTextOrUntyped(node: YamlNode): boolean {
  return isText(node) || isUntyped(node);
}

/** Replaces the vars in a text. A text that is only one var gets the type of its value; `$$` becomes `$`. */
function expand(text: string, values: Values): string | YamlScalar {
  const whole = /^\$\(([^)]*)\)$/.exec(text)?.[1];
  if (whole !== undefined) return values.get(whole) ?? text;
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = values.get(name);
    return value === undefined ? match : textOf(value);
  });
}
