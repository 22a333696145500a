/**
 * ValueAddTransformer: writes a text into fields of the selected objects, as their value or as a part of the path that
 * they contain.
 */
import { posix } from 'node:path';
import { isYamlScalar, textOf, type YamlNode } from '../../../object/yaml/node.ts';
import { fail, withPlace } from '../../fail.ts';
import { readDocuments } from '../../manifest-text.ts';
import { decode, integer, list, optional, struct, text, type Decoded } from '../decode.ts';
import { nodeRefsAt } from '../field-path.ts';
import { splitPath } from '../field-spec.ts';
import { SELECTOR } from '../kustomization.ts';
import { loadText, locateFile, placeOf, type Layer } from '../layer.ts';
import { change, type ResourceSet } from '../resource-set.ts';
import type { Resource } from '../resource.ts';
import { select } from '../selector.ts';
import { setNamespaceFields } from './namespace.ts';
import type { Transform } from './transformer.ts';

const TARGETS = list(struct({ selector: optional(SELECTOR), fieldPath: text, filePathPosition: integer }));

export const VALUE_ADD = struct({ value: text, targets: TARGETS, targetFilePath: text });

const TARGET_FILE = struct({ targets: TARGETS });

export function configureValueAdd(layer: Layer, args: Decoded<typeof VALUE_ADD>): Transform {
  const value = args.value.trim() || (layer.folder.split('/').at(-1) ?? '');
  const targets = [...args.targets, ...(args.targetFilePath === '' ? [] : loadTargets(layer, args.targetFilePath))];
  if (targets.length === 0) fail('KustomizationInvalid', 'a ValueAddTransformer needs a target');
  for (const { fieldPath, filePathPosition } of targets) {
    if (fieldPath === '') fail('KustomizationInvalid', 'a target of a ValueAddTransformer needs a fieldPath');
    if (filePathPosition < 0) fail('KustomizationInvalid', 'filePathPosition cannot be negative');
  }
  return (set) => targets.forEach((target) => addTo(set, target, value));
}

type Target = Decoded<typeof TARGETS>[number];

function loadTargets(layer: Layer, path: string): Target[] {
  const file = locateFile(layer, path);
  const source = { text: loadText(layer, path), file, limits: layer.build.context.limits };
  const [document] = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
  return withPlace({ file }, () => decode(TARGET_FILE, document?.root, '', 'lenient').targets);
}

function addTo(set: ResourceSet, target: Target, value: string): void {
  const selected = target.selector === undefined ? [...set.all] : select(set, target.selector);
  for (const resource of selected) {
    change(set, resource, () => withPlace(placeOf(resource), () => addToField(resource, target, value)));
  }
}

function addToField(resource: Resource, { fieldPath, filePathPosition }: Target, value: string): void {
  if (fieldPath === 'metadata/namespace') {
    setNamespaceFields(
      resource,
      { namespace: value, specs: [], shouldKeepExisting: false, subjects: 'defaultOnly' },
      [],
    );
    return;
  }
  const root = { get: (): YamlNode => resource.node, put: () => undefined };
  for (const ref of nodeRefsAt(root, splitPath(fieldPath, '/'), 'scalar')) {
    const found = ref.get();
    if (!isYamlScalar(found)) fail('InvalidObject', `the field ${fieldPath} is not a text`);
    ref.put(filePathPosition === 0 ? value : insertPart(textOf(found), filePathPosition - 1, value));
  }
}

/** Inserts a part into a path; an absolute path stays absolute. The result is cleaned: `a//b/../c` becomes `a/c`. */
function insertPart(path: string, position: number, part: string): string {
  const parts = splitFilePath(path);
  const at = Math.min(position, parts.length);
  const isAbsolute = parts[0] === '' && at < parts.length;
  parts.splice(isAbsolute ? at + 1 : at, 0, part);
  if (parts.every((one) => one === '')) return parts.length > 1 ? '/' : '';
  return parts[0] === '' ? `/${posix.join(...parts.slice(1))}` : posix.join(...parts);
}

/** Splits a path at slashes; an absolute path begins with an empty part. */
function splitFilePath(path: string): string[] {
  const parts: string[] = [];
  let rest = path;
  while (rest !== '') {
    const slash = rest.lastIndexOf('/');
    const last = rest.slice(slash + 1);
    if (slash === 0) return last === '' ? ['', ...parts] : ['', last, ...parts];
    parts.unshift(last);
    rest = rest.slice(0, Math.max(slash, 0));
  }
  return parts;
}
