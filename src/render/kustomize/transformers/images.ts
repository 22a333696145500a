/**
 * The field `images`: changes name, tag and digest of container images, in all lists called `containers` or
 * `initContainers` and in the fields of the field specs.
 */
import { isYamlList, isYamlMap, textOf, type YamlNode } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { fieldsByKind, visitField, type FieldSpec } from '../field-spec.ts';
import { placeOf, type Layer } from '../layer.ts';
import { compileAround } from '../pattern.ts';
import type { ResourceSet } from '../resource-set.ts';
import { retyped, untypedText } from '../retyped.ts';
import type { Transformer } from './transformer.ts';

export const imageTransformer: Transformer = {
  name: 'ImageTagTransformer',
  configure: ({ kustomization, specs }: Layer) => {
    return kustomization.images.map((image) => (set) => setImages(set, image, specs.images));
  },
};

export interface ImageChange {
  /** An RE2 expression for the whole name. */
  readonly name: string;
  readonly newName: string;
  readonly newTag: string;
  readonly tagSuffix: string;
  readonly digest: string;
}

const TAG_AND_DIGEST = '(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?$';

export function setImages(set: ResourceSet, image: ImageChange, specs: readonly FieldSpec[]): void {
  const matches = compileAround('^', image.name, TAG_AND_DIGEST);
  // kustomize silently ignores a name that is not a valid expression.
  if (matches === undefined) return;
  const change = (text: string): string => (matches(text) ? changeImage(text, image) : text);
  const fieldsOf = fieldsByKind(specs);
  for (const resource of set.all) {
    if (textOf(resource.node.get('kind')) === 'CustomResourceDefinition') continue;
    changeContainers(resource.node, change);
    const visit = (found: YamlNode): YamlNode => {
      if (isYamlMap(found) || isYamlList(found)) fail('InvalidObject', 'an image is not a text', placeOf(resource));
      const text = textOf(found);
      const changed = change(text);
      return changed === text ? found : imageIn(found, changed);
    };
    for (const field of fieldsOf(resource.node)) visitField(resource.node, field, { create: undefined, set: visit });
  }
}

/** Changes the images in all lists of containers below a node, at any depth. */
function changeContainers(node: YamlNode, change: (text: string) => string): void {
  if (isYamlList(node)) return node.forEach((item) => changeContainers(item, change));
  if (!isYamlMap(node)) return;
  for (const [key, value] of node) {
    changeContainers(value, change);
    if ((key !== 'containers' && key !== 'initContainers') || !isYamlList(value)) continue;
    for (const container of value) {
      const image = isYamlMap(container) ? container.get('image') : undefined;
      const text = textOf(image);
      const changed = change(text);
      if (isYamlMap(container) && image !== undefined && changed !== text)
        container.set('image', imageIn(image, changed));
    }
  }
}

function imageIn(found: YamlNode, image: string): YamlNode {
  const node = retyped(found, image);
  return typeof node === 'string' ? untypedText(node) : node;
}

export function changeImage(text: string, image: ImageChange): string {
  const parts = splitImage(text);
  let { tag, digest } = parts;
  if (image.newTag !== '' || image.digest !== '') {
    tag = image.newTag;
    digest = image.digest;
  } else if (image.tagSuffix !== '') {
    tag += image.tagSuffix;
    digest = '';
  }
  return `${image.newName || parts.name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}

/** Splits `[[host[:port]/]component/]component[:tag][@digest]`. */
function splitImage(text: string): { name: string; tag: string; digest: string } {
  const slash = text.indexOf('/');
  const from = slash > 0 ? slash : 0;
  const at = text.indexOf('@', from);
  const colon = text.indexOf(':', from);
  if (colon >= 0 && (at < 0 || colon < at)) {
    const end = at < 0 ? text.length : at;
    return { name: text.slice(0, colon), tag: text.slice(colon + 1, end), digest: at < 0 ? '' : text.slice(at + 1) };
  }
  return at < 0
    ? { name: text, tag: '', digest: '' }
    : { name: text.slice(0, at), tag: '', digest: text.slice(at + 1) };
}
