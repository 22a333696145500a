/** Adds a generated object to a set: as a new object, or replacing or merging with an existing one (`behavior`). */
import { isYamlMap, isYamlScalar, textOf, type YamlMap } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { placeOf } from '../layer.ts';
import { currentId, formatResourceId } from '../resource-id.ts';
import { append, change, findByAnyId, type ResourceSet } from '../resource-set.ts';
import { checkWrittenKey, setName, setNamespace, setTextMap, textMap, textsOf, type Resource } from '../resource.ts';

export function addGenerated(set: ResourceSet, resource: Resource): void {
  const id = currentId(resource.node);
  const found = findByAnyId(set, id);
  const [old] = found;
  const isNew = resource.behavior !== 'merge' && resource.behavior !== 'replace';
  if (old === undefined) {
    if (isNew) return append(set, resource);
    const message = `there is no ${formatResourceId(id)} to ${resource.behavior}`;
    fail('KustomizationInvalid', message, placeOf(resource));
  }
  if (found.length > 1)
    fail('KustomizationInvalid', `${found.length} objects have or had the id ${formatResourceId(id)}`);
  if (isNew) {
    fail(
      'DuplicateObject',
      `${formatResourceId(id)} exists already; set behavior to merge or replace`,
      placeOf(resource),
    );
  }
  // The old object keeps its position in the set and gets the content of the new one.
  change(set, old, () => takeOver(old, resource));
}

function takeOver(old: Resource, fresh: Resource): void {
  const id = currentId(old.node);
  const isMerge = fresh.behavior === 'merge';
  const labels = new Map([...textMap(old, 'labels'), ...textMap(fresh, 'labels')]);
  const annotations = new Map([...textMap(old, 'annotations'), ...textMap(fresh, 'annotations')]);
  const data = new Map([...oldData(old.node), ...textsOf(fresh.node.get('data'))]);
  const binaryData = new Map([...textsOf(old.node.get('binaryData')), ...textsOf(fresh.node.get('binaryData'))]);
  const written = isMerge ? [labels, annotations, data, binaryData] : [labels, annotations];
  for (const key of written.flatMap((texts) => [...texts.keys()])) checkWrittenKey(key, placeOf(old));
  old.node = fresh.node;
  old.file = fresh.file;
  old.line = fresh.line;
  setTextMap(old, 'labels', labels);
  setTextMap(old, 'annotations', annotations);
  setName(old, id.name);
  setNamespace(old, id.namespace);
  old.shouldHashName &&= fresh.shouldHashName;
  if (!isMerge) {
    if (fresh.origin !== undefined) old.origin = fresh.origin;
    return;
  }
  setOrDelete(old.node, 'data', data);
  setOrDelete(old.node, 'binaryData', binaryData);
}

/** The data of an object. For a Secret its stringData is included, as the API server does it. */
function oldData(node: YamlMap): Map<string, string> {
  const data = textsOf(node.get('data'));
  const isSecret = textOf(node.get('kind')) === 'Secret' && textOf(node.get('apiVersion')) === 'v1';
  const stringData = isSecret ? node.get('stringData') : undefined;
  if (!isYamlMap(stringData)) return data;
  for (const [key, value] of stringData) {
    if (!isYamlScalar(value)) fail('InvalidObject', `stringData.${key} of a Secret is not a text`);
    data.set(key, Buffer.from(textOf(value)).toString('base64'));
  }
  return data;
}

function setOrDelete(node: YamlMap, field: string, texts: Map<string, string>): void {
  if (texts.size === 0) node.delete(field);
  else node.set(field, texts);
}
