/**
 * Snapshot to manifests: looks at what a folder is (kustomization, chart, plain files) and renders it.
 *
 * Invariant: the result depends on the tree, the path and the limits alone. What is wrong with the input is data in
 * `problems`; nothing is thrown but for faults of ours. A broken kustomization yields no manifests; a broken file of a
 * plain folder takes only its own objects with it.
 */
import { digestValue } from '../object/digest.ts';
import { idOf, idKey } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import { isKubeObject } from '../object/value.ts';
import type { DocumentCache } from './document-cache.ts';
import { fail, problemOf } from './fail.ts';
import type { RenderContext } from './file-loader.ts';
import type { FileTree } from './file-tree.ts';
import { readFolder } from './folder.ts';
import { buildKustomization, type BuiltObject } from './kustomize/build.ts';
import { findKustomization, KUSTOMIZATION_NAMES } from './kustomize/kustomization.ts';
import type { Manifest, Manifests, RenderLimits } from './manifests.ts';

export interface RenderInput {
  readonly tree: FileTree;
  /** Of the folder, relative to the tree's root; '' is the root itself. */
  readonly path: string;
  readonly limits: RenderLimits;
  /** What a folder without a kustomization is: plain manifests (the default), or wrong, as it is to kustomize. */
  readonly plainFolder?: 'render' | 'refuse';
  /** Parsed files of earlier renders; the result is the same with and without. */
  readonly cache?: DocumentCache;
}

/** Renders a folder to manifests for a cluster. */
export function renderPath(input: RenderInput): Manifests {
  const { objects, problems, warnings, readSet } = renderObjects(input);
  const manifests: Manifest[] = [];
  const wrong: Problem[] = [];
  for (const { object, digest, file, line } of objects) {
    if (isKubeObject(object)) manifests.push({ object, digest: digest ?? digestValue(object), file, line });
    else wrong.push({ code: 'NotAnObject', message: 'an object has no apiVersion or no metadata', file, line });
  }
  return { manifests, problems: [...problems, ...wrong, ...findTwice(manifests)], warnings, needs: [], readSet };
}

export interface RenderedObjects extends Pick<Manifests, 'problems' | 'warnings' | 'readSet'> {
  readonly objects: readonly BuiltObject[];
}

/** The same for a person: what kustomize prints, also where no cluster would take it. */
export function renderObjects({ tree, path, limits, plainFolder = 'render', cache }: RenderInput): RenderedObjects {
  const readSet: Record<string, string> = Object.create(null);
  const context: RenderContext = {
    tree: recording(tree, readSet),
    limits,
    warnings: [],
    filesRead: new Set(),
    done: { kustomizations: 0, chars: 0 },
    cache,
  };
  const problems: Problem[] = [];
  let objects: BuiltObject[] = [];
  try {
    const folder = locate(context, path);
    if (isKustomized(context, folder)) objects = buildKustomization(context, folder);
    else if (plainFolder === 'refuse') refusePlain(folder);
    else objects = readFolder(context, folder, problems);
  } catch (error) {
    problems.push(problemOf(error));
  }
  return { objects, problems, warnings: context.warnings, readSet };
}

/** The folder in the tree, links resolved. */
function locate(context: RenderContext, path: string): string {
  const clean = path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const name = clean || 'the root';
  if (clean.split('/').includes('..')) fail('PathEscapesRoot', `the path ${path} leads out of the repository`);
  const found = context.tree.find(clean);
  if (found.type === 'outside')
    fail('PathEscapesRoot', `${name} is a link that leaves the repository`, { file: clean });
  if (found.type === 'absent') {
    fail('PathNotFound', `there is no folder ${name} in the repository`, {
      hint: 'Check spec.source.path and the revision.',
    });
  }
  if (found.type === 'file') fail('PathNotFound', `${name} is a file, not a folder`, { file: clean });
  return context.tree.resolve(clean) ?? clean;
}

function isKustomized(context: RenderContext, folder: string): boolean {
  const kustomization = findKustomization(context, folder);
  const isChart = context.tree.find(folder === '' ? 'Chart.yaml' : `${folder}/Chart.yaml`).type === 'file';
  if (kustomization !== undefined && isChart) {
    fail('KustomizationInvalid', `${folder || 'the root'} holds both ${kustomization} and Chart.yaml`, {
      file: folder,
      hint: 'Say in spec.render which of them is meant.',
    });
  }
  if (isChart)
    fail('Unsupported', `${folder || 'the root'} is a Helm chart; charts are not rendered yet`, { file: folder });
  return kustomization !== undefined;
}

function refusePlain(folder: string): never {
  fail('PathNotFound', `there is no ${KUSTOMIZATION_NAMES.join(', ')} in ${folder || 'the root'}`, {
    file: folder,
    hint: 'Use --directory to print the manifests of a folder without a kustomization.',
  });
}

/** Objects of a plain folder that stand twice. (A kustomization that has one twice fails as a whole.) */
function findTwice(manifests: readonly Manifest[]): Problem[] {
  const seen = new Map<string, Manifest>();
  const problems: Problem[] = [];
  for (const manifest of manifests) {
    const id = idOf(manifest.object);
    const first = seen.get(idKey(id));
    if (first === undefined) {
      seen.set(idKey(id), manifest);
      continue;
    }
    const { file, line } = manifest;
    const message = `${id.kind} ${id.name} is there twice; first in ${first.file}:${first.line}`;
    problems.push({ code: 'DuplicateObject', message, file, line, object: id });
  }
  return problems;
}

/** The tree, with everything that is looked up by path noted down: absence as the empty string. */
function recording(tree: FileTree, readSet: Record<string, string>): FileTree {
  return {
    find: (path) => {
      const found = tree.find(path);
      readSet[path] = 'oid' in found ? found.oid : '';
      return found;
    },
    list: (path) => tree.list(path),
    read: (path) => tree.read(path),
    resolve: (path) => tree.resolve(path),
  };
}
