/**
 * Reads a file of manifests, or takes it from the cache of parsed files.
 *
 * Invariant: every bound is checked before the cache is used, so a result does not depend on earlier renders.
 */
import { digestValue } from '../object/digest.ts';
import { isKubeObject, type KubeObject } from '../object/value.ts';
import { copyNode, nodeToValue } from '../object/yaml/node.ts';
import { fail } from './fail.ts';
import { checkFile, markContained, readText, type RenderContext } from './file-loader.ts';
import { readObjects, type TextObject } from './manifest-text.ts';

/** The objects of a file for a kustomization; the caller may change them. */
export function readManifestFile(context: RenderContext, file: string): TextObject[] {
  const { cache, limits } = context;
  if (cache === undefined) {
    return readObjects({ text: readManifestText(context, file), file, limits }, 'error', 'last in annotations');
  }
  const { oid, sizeBytes } = checkFile(context, file);
  const key = `objects ${oid} ${limits.maxNodes} ${limits.maxDepth}`;
  const known = cache.get(key)?.objects;
  if (known !== undefined) return known.map(copyObject);
  const objects = readObjects({ text: readManifestText(context, file), file, limits }, 'error', 'last in annotations');
  // The content of a sealed file depends on keys, which its object id does not cover.
  if (!context.sealedFiles.has(file)) cache.set(key, { objects: objects.map(copyObject) }, sizeBytes);
  return objects;
}

function readManifestText(context: RenderContext, file: string): string {
  const text = readText(context, file);
  markContained(context, file);
  return text;
}

function copyObject({ node, line }: TextObject): TextObject {
  return { node: copyNode(node), line };
}

export interface PlainManifest {
  readonly object: KubeObject;
  readonly digest: string;
  readonly line: number;
}

/** The objects of a file of a plain folder; callers must not change them. */
export function readPlainFile(context: RenderContext, file: string): readonly PlainManifest[] {
  const { cache, limits } = context;
  const { oid, sizeBytes } = checkFile(context, file);
  const key = `manifests ${oid} ${limits.maxNodes} ${limits.maxDepth}`;
  const known = cache?.get(key)?.manifests;
  if (known !== undefined) return known;
  const objects = readObjects({ text: readManifestText(context, file), file, limits }, 'text');
  const manifests = objects.map(({ node, line }): PlainManifest => {
    const object = nodeToValue(node);
    if (isKubeObject(object)) return { object, digest: digestValue(object), line };
    return fail('NotAnObject', 'an object has no apiVersion, kind or metadata', { file, line });
  });
  if (!context.sealedFiles.has(file)) cache?.set(key, { manifests }, sizeBytes);
  return manifests;
}
