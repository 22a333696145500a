/**
 * Reads a file of manifests, from the cache of parsed files where its content is known there.
 *
 * Invariant: every bound is checked before the cache is asked, so a result does not hang on what was rendered before.
 */
import { digestValue } from '../object/digest.ts';
import { isKubeObject, type KubeObject } from '../object/value.ts';
import { copyNode, nodeToValue } from '../object/yaml/node.ts';
import { fail } from './fail.ts';
import { checkFile, readText, type RenderContext } from './file-loader.ts';
import { readObjects, type TextObject } from './manifest-text.ts';

/** The objects of a file that a kustomization names; the caller may change them. */
export function readManifestFile(context: RenderContext, file: string): TextObject[] {
  const { cache, limits } = context;
  if (cache === undefined) return readObjects({ text: readText(context, file), file, limits });
  const { oid, sizeBytes } = checkFile(context, file);
  const key = `objects ${oid} ${limits.maxNodes} ${limits.maxDepth}`;
  const known = cache.get(key)?.objects;
  if (known !== undefined) return known.map(copyObject);
  const objects = readObjects({ text: readText(context, file), file, limits });
  cache.set(key, { objects: objects.map(copyObject) }, sizeBytes);
  return objects;
}

function copyObject({ node, line }: TextObject): TextObject {
  return { node: copyNode(node), line };
}

export interface PlainManifest {
  readonly object: KubeObject;
  readonly digest: string;
  readonly line: number;
}

/** The objects of a file of a plain folder; nobody changes them. */
export function readPlainFile(context: RenderContext, file: string): readonly PlainManifest[] {
  const { cache, limits } = context;
  const { oid, sizeBytes } = checkFile(context, file);
  const key = `manifests ${oid} ${limits.maxNodes} ${limits.maxDepth}`;
  const known = cache?.get(key)?.manifests;
  if (known !== undefined) return known;
  const objects = readObjects({ text: readText(context, file), file, limits }, 'text');
  const manifests = objects.map(({ node, line }): PlainManifest => {
    const object = nodeToValue(node);
    if (isKubeObject(object)) return { object, digest: digestValue(object), line };
    return fail('NotAnObject', 'an object has no apiVersion, no kind or no metadata', { file, line });
  });
  cache?.set(key, { manifests }, sizeBytes);
  return manifests;
}
