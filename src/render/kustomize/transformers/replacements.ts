/** The field `replacements`: copies a field of one object, or a fixed text, into fields of others. */
import {
  copyNode,
  isNothing,
  isText,
  isUntyped,
  isYamlList,
  isYamlMap,
  isYamlScalar,
  nodeToValue,
  styledAs,
  textOf,
  type YamlNode,
} from '../../../object/yaml/node.ts';
import { readYaml } from '../../../object/yaml/read.ts';
import { resolvePlain } from '../../../object/yaml/scalar.ts';
import { fail, problemOf, withPlace } from '../../fail.ts';
import { countGenerated, type RenderContext } from '../../file-loader.ts';
import { readDocuments } from '../../manifest-text.ts';
import { decode, list } from '../decode.ts';
import { CREATED_SCALAR, lookup, nodeRefsAt, smartPath, type CreatedNode, type NodeRef } from '../field-path.ts';
import { REPLACEMENT } from '../kustomization.ts';
import { entriesOf, loadText, locateFile, placeOf, type AtEntry, type Layer } from '../layer.ts';
import { isLiteral } from '../pattern.ts';
import { currentId, effectiveNamespace, formatResourceId, isSelected, type ResourceId } from '../resource-id.ts';
import { change, findByName, findByNameInOrder, type ResourceSet } from '../resource-set.ts';
import { previousIds, type Resource } from '../resource.ts';
import { untypedText } from '../retyped.ts';
import { writeStructured } from '../structured-text.ts';
import { compileTarget, matchesMetadata, type CompiledSelector, type Selector } from '../selector.ts';
import { placed, type Transform, type Transformer } from './transformer.ts';

export const replacementTransformer: Transformer = {
  name: 'ReplacementTransformer',
  configure: (layer: Layer) => {
    const { replacements } = layer.kustomization;
    if (replacements.length === 0) return [];
    // kustomize drops an empty list of targets here, but not in a file of replacements.
    const entries = replacements.map((one) => (one.targets?.length === 0 ? { ...one, targets: undefined } : one));
    const atEntry = entriesOf(layer, 'replacements');
    return [placed(layer, ['replacements'], () => configureReplacements(layer, entries, atEntry))];
  },
};

export function configureReplacements(
  layer: Layer,
  replacements: readonly Replacement[],
  atEntry: AtEntry = (_index, run) => run(),
): Transform {
  const loaded = replacements.flatMap((entry, index) => {
    return atEntry(index, () => load(layer, entry)).map((replacement) => ({ replacement, index }));
  });
  const { context } = layer.build;
  return (set) => {
    for (const { replacement, index } of loaded) atEntry(index, () => replace(set, replacement, context));
  };
}

export type Replacement = Layer['kustomization']['replacements'][number];
type Target = NonNullable<Replacement['targets']>[number];
type FieldOptions = Target['options'];

function load(layer: Layer, replacement: Replacement): Replacement[] {
  const { path } = replacement;
  if (path === '') return [replacement];
  if (replacement.source !== undefined || (replacement.targets?.length ?? 0) > 0) {
    fail('KustomizationInvalid', `a replacement has both a path (${path}) and a source or targets`);
  }
  const file = locateFile(layer, path);
  return withPlace({ file }, () => {
    const source = { text: loadText(layer, path), file, limits: layer.build.context.limits };
    const [document] = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
    const root = document?.root;
    if (isYamlList(root)) return decode(list(REPLACEMENT), root, '', 'lenient');
    return isYamlMap(root)
      ? [decode(REPLACEMENT, root, '', 'lenient')]
      : fail('KustomizationInvalid', 'the file must be a replacement or a list of replacements');
  });
}

function replace(set: ResourceSet, replacement: Replacement, context: RenderContext): void {
  const { source, sourceValue, targets } = replacement;
  if ((source === undefined && sourceValue === undefined) || targets === undefined) {
    return fail('KustomizationInvalid', 'a replacement needs a source and at least one target');
  }
  if (source !== undefined && sourceValue !== undefined) {
    fail('KustomizationInvalid', 'a replacement has both source and sourceValue');
  }
  const fixed = resolvePlain(sourceValue ?? '');
  const value = source === undefined ? (): YamlNode => fixed : readSource(set, source);
  for (const target of targets) copyToTarget(set, target, value, context);
}

/** Returns the value of the source. It changes during the replacement, if the source is among the targets. */
function readSource(set: ResourceSet, source: NonNullable<Replacement['source']>): () => YamlNode {
  const named = source.name === '' ? [...set.all] : findByName(set, source.name);
  const found = named.filter((resource) => idsOf(resource).some((id) => isNamed(id, source)));
  const [only] = found;
  const wanted = formatResourceId(source);
  if (only === undefined) return fail('KustomizationInvalid', `the source ${wanted} of a replacement does not exist`);
  if (found.length > 1)
    fail(
      'KustomizationInvalid',
      `the source ${wanted} of a replacement is ambiguous: it matches ${found.length} objects`,
    );
  const path = source.fieldPath || 'metadata.name';
  const parts = smartPath(path);
  const node = lookup(only.node, parts);
  const isEmpty = isNothing(node) || (isYamlMap(node) && node.size === 0) || (isYamlList(node) && node.length === 0);
  if (node === undefined || isEmpty)
    return fail(
      'KustomizationInvalid',
      `the source ${wanted} of a replacement has no field ${path}, or the field is empty`,
    );
  // kustomize copies a part of a text once, and refers to a whole field.
  const part = takePart(node, source.options);
  if (part !== node) return () => part;
  let last = node;
  return () => (last = attempt(() => lookup(only.node, parts)) ?? last);
}

/** The current and previous ids, as written: an empty namespace does not count as `default` here. */
function idsOf(resource: Resource): ResourceId[] {
  return [currentId(resource.node), ...previousIds(resource)];
}

function isNamed(id: ResourceId, selector: NonNullable<Replacement['source']>): boolean {
  return (
    (selector.name === '' || selector.name === id.name) &&
    (selector.namespace === '' || effectiveNamespace(selector) === effectiveNamespace(id)) &&
    isSelected(id, selector)
  );
}

/** The part of a text that the options of the source select; without a delimiter the whole node. */
function takePart(node: YamlNode, options: FieldOptions): YamlNode {
  if (options === undefined || options.delimiter === '') return node;
  if (!isYamlScalar(node))
    return fail('KustomizationInvalid', 'options.delimiter of a source needs a text, but the source is a map or list');
  const part = textOf(node).split(options.delimiter)[options.index];
  if (part === undefined)
    return fail('KustomizationInvalid', `options.index ${options.index} of a source is out of range`);
  return isText(node) ? styledAs(node, part) : resolvePlain(part);
}

function copyToTarget(set: ResourceSet, target: Target, value: () => YamlNode, context: RenderContext): void {
  const { select } = target;
  if (select === undefined) return fail('KustomizationInvalid', 'a target of a replacement needs select');
  const compiled = compileTarget(select);
  const rejected = target.reject.map((selector) => ({ selector, compiled: compileTarget(selector) }));
  const paths = target.fieldPaths.length === 0 ? ['metadata.name'] : target.fieldPaths;
  const isOneName = select.name !== '' && isLiteral(select.name);
  for (const resource of isOneName ? findByNameInOrder(set, select.name) : set.all) {
    const ids = idsOf(resource);
    if (!matchesMetadata(compiled, resource)) continue;
    if (rejected.some((reject) => isRejected(resource, ids, reject))) continue;
    if (!ids.some((id) => matchesId(compiled, id))) continue;
    change(set, resource, () => {
      withPlace(placeOf(resource), () =>
        paths.forEach((path) => copyTo(resource, path, { valueNow: value, options: target.options, context })),
      );
    });
  }
}

function isRejected(
  resource: Resource,
  ids: readonly ResourceId[],
  reject: { selector: Selector; compiled: CompiledSelector },
): boolean {
  const { selector, compiled } = reject;
  const hasMetadataSelector = selector.annotationSelector !== '' || selector.labelSelector !== '';
  if (hasMetadataSelector && matchesMetadata(compiled, resource)) return true;
  const hasIdSelector = [selector.group, selector.version, selector.kind, selector.name, selector.namespace].some(
    (text) => text !== '',
  );
  return hasIdSelector && ids.some((id) => matchesId(compiled, id));
}

function matchesId(compiled: CompiledSelector, id: ResourceId): boolean {
  return compiled.gvk(id) && compiled.name(id.name) && compiled.namespace(id.namespace);
}

interface Copying {
  /** Whether the target is in YAML inside a text, where kustomize keeps the tag of the old value. */
  readonly isInsideYaml?: boolean;
  readonly valueNow: () => YamlNode;
  readonly options: FieldOptions;
  readonly context: RenderContext;
}

function copyTo(resource: Resource, path: string, copying: Copying): void {
  const parts = smartPath(path);
  const { options } = copying;
  const value = copying.valueNow();
  const creates: CreatedNode = options?.create
    ? isYamlMap(value)
      ? 'map'
      : isYamlList(value)
        ? 'list'
        : 'scalar'
    : undefined;
  const root: NodeRef = { get: () => resource.node, put: () => undefined };
  if (copyIntoText(resource, parts, creates, copying)) return;
  const refs = nodeRefsAt(root, parts, creates);
  if (refs.length === 0)
    fail('KustomizationInvalid', `the field ${path} of the target of a replacement does not exist`);
  for (const ref of refs) setTarget(ref, copying);
}

/**
 * Copies into a scalar on the path that itself contains YAML or JSON; the rest of the path is followed inside it.
 * Returns false if there is no such scalar.
 */
function copyIntoText(resource: Resource, parts: readonly string[], creates: CreatedNode, copying: Copying): boolean {
  for (let length = 1; length < parts.length; length += 1) {
    const head = attempt(() => lookup(resource.node, parts.slice(0, length)));
    if (head === undefined || !isYamlScalar(head)) continue;
    const result = readYaml(textOf(head), { ...copying.context.limits, nonTextKeys: 'text', duplicateKeys: 'last' });
    if (!result.ok) continue;
    const inner = { root: result.documents[0]?.root };
    const document: NodeRef = { get: () => inner.root ?? CREATED_SCALAR, put: (node) => (inner.root = node) };
    const refs = attempt(() => nodeRefsAt(document, parts.slice(length), creates));
    if (refs === undefined || refs.length === 0) return false;
    // kustomize silently leaves JSON unchanged if the new value does not fit the type of the old one.
    const isJson = /^\s*[{[]/.test(textOf(head)) && refs.every((ref) => isYamlScalar(ref.get()));
    if (isJson && refs.some((ref) => isNothing(ref.get()) && ref.get() !== CREATED_SCALAR)) return true;
    const inside = { ...copying, isInsideYaml: !/^\s*[{[]/.test(textOf(head)) };
    if (attempt(() => (refs.forEach((ref) => setTarget(ref, inside)), true)) === undefined) return isJson;
    const [outer] = nodeRefsAt({ get: () => resource.node, put: () => undefined }, parts.slice(0, length), undefined);
    outer?.put(styledAs(head, writeStructured(inner.root ?? CREATED_SCALAR, textOf(head))));
    return true;
  }
  return false;
}

function setTarget(ref: NodeRef, { valueNow, options, context, isInsideYaml = false }: Copying): void {
  const value = valueNow();
  const found = ref.get();
  const put = (text: string): void => ref.put((isInsideYaml ? tagged(found, text) : undefined) ?? typed(found, text));
  countGenerated(context, sizeOf(value) + (options?.delimiter ? textOf(found).length : 0));
  if (options !== undefined && options.delimiter !== '') {
    if (!isYamlScalar(found))
      return fail('KustomizationInvalid', 'options.delimiter of a target needs a text, but the field is a map or list');
    return put(splice(textOf(found), textOf(value), options));
  }
  if (!isYamlScalar(found)) return ref.put(copyNode(value));
  put(isYamlScalar(value) ? textOf(value) : '');
}

/** The approximate number of characters of a tree. */
function sizeOf(node: YamlNode): number {
  if (isYamlScalar(node)) return textOf(node).length;
  return [...node.values()].reduce((size, child) => size + sizeOf(child), 1);
}

function splice(text: string, part: string, { delimiter, index }: NonNullable<FieldOptions>): string {
  const parts = text.split(delimiter);
  if (index < 0) parts.unshift(part);
  else if (index >= parts.length) parts.push(part);
  else parts[index] = part;
  return parts.join(delimiter);
}

/**
 * A text as a new value for a scalar, with the type of that scalar. In a scalar that was just created, it gets the type
 * that it looks like. Fails if the types do not fit.
 */
function typed(found: YamlNode, text: string): YamlNode {
  if (isText(found)) return styledAs(found, text);
  const plain = resolvePlain(text);
  if (found === CREATED_SCALAR || isUntyped(found)) {
    return typeof plain === 'string' ? untypedText(plain) : { ...plain, isUntyped: true };
  }
  const wanted = nodeToValue(found);
  const got = nodeToValue(plain);
  if (wanted === null ? got === null : typeof wanted === typeof got) return plain;
  const kind = wanted === null ? 'null' : `a ${typeof wanted}`;
  return fail('KustomizationInvalid', `a replacement puts a text into a field where ${kind} is`);
}

/** The text with the tag of a scalar that it does not fit; undefined if it fits, or if no tag would be written. */
function tagged(found: YamlNode, text: string): YamlNode | undefined {
  const tag = tagOf(found);
  if (found === CREATED_SCALAR || tag === undefined || tag === tagOf(resolvePlain(text)) || text.includes('\n')) {
    return undefined;
  }
  return { text, value: text, writtenTag: `!!${tag}` };
}

/** The tag of a scalar without quotes; undefined for a text, a map or a list. */
function tagOf(node: YamlNode): string | undefined {
  if (typeof node === 'string' || isText(node) || !isYamlScalar(node)) return undefined;
  const { value, text } = node;
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'timestamp';
  return typeof value === 'number' && /[.eEnN]/.test(text) && !/^[-+]?0[xX]/.test(text) ? 'float' : 'int';
}

/** The result of a step; undefined if it fails with a problem. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    problemOf(error);
    return undefined;
  }
}
