/**
 * Renders a folder of plain manifests: its YAML and JSON files in the order of their names, with `recurse` also those
 * of the folders below. A folder below that has a kustomization is built, as Flux does it.
 *
 * Invariant: without overrides a file that cannot be read becomes a problem that names the file, and the others are
 * rendered. With overrides the folder is a kustomization that lists the files, and fails as a whole.
 */
import type { DirectoryOptions } from '../../application/render-schema.ts';
import type { Problem } from '../../object/problem.ts';
import { fail, problemOf } from '../fail.ts';
import type { RenderContext } from '../file-loader.ts';
import type { BuiltObject } from '../built-object.ts';
import { buildFolder, buildKustomization } from '../kustomize/build.ts';
import { findKustomization } from '../kustomize/kustomization.ts';
import { hasOverrides, type Overrides } from '../kustomize/overrides.ts';
import { isManifestName } from '../manifest-name.ts';
import { readPlainFile } from '../manifest-file.ts';
import { compileGlob } from './argo-glob.ts';
import { openIgnored, type Ignored } from './ignored.ts';
import type { Matcher } from '../matcher.ts';

export interface FolderOptions {
  readonly directory?:
    { readonly [K in keyof DirectoryOptions]?: Readonly<DirectoryOptions[K]> | undefined } | undefined;
  readonly overrides?: Overrides | undefined;
  readonly problems: Problem[];
}

export interface FolderResult {
  readonly objects: BuiltObject[];
  /** Manifests that the options or an ignore file leave out. */
  readonly leftOut: number;
}

export function readFolder(
  context: RenderContext,
  folder: string,
  { directory = {}, overrides, problems }: FolderOptions,
): FolderResult {
  const { entries, leftOut } = listManifests(context, folder, directory);
  if (hasOverrides(overrides)) {
    const paths = entries.map(({ path }) => path);
    return { objects: buildFolder(context, { folder, paths, overrides }), leftOut };
  }
  const objects: BuiltObject[] = [];
  for (const { path, isKustomization } of entries) {
    const file = folder === '' ? path : `${folder}/${path}`;
    try {
      if (isKustomization) objects.push(...buildKustomization(context, file));
      else for (const manifest of readPlainFile(context, file)) objects.push({ ...manifest, file });
      checkCount(context, objects.length);
    } catch (error) {
      problems.push(withHint(problemOf(error)));
    }
  }
  return { objects, leftOut };
}

interface Entry {
  /** Path from the folder. */
  readonly path: string;
  /** Whether it is a folder with a kustomization. */
  readonly isKustomization: boolean;
}

interface Walk {
  readonly context: RenderContext;
  /** The folder that the walk begins in. */
  readonly top: string;
  readonly isRecursive: boolean;
  readonly isWanted: (path: string) => boolean;
  readonly entries: Entry[];
  folders: number;
  leftOut: number;
}

/** Folders within folders. */
const MAX_DEPTH = 100;

function listManifests(
  context: RenderContext,
  folder: string,
  { recurse = false, include, exclude }: NonNullable<FolderOptions['directory']>,
): { readonly entries: readonly Entry[]; readonly leftOut: number } {
  const isWanted = createFilter({ include, exclude });
  const { ignored, isAllIgnored } = openIgnored(context, folder);
  const walk: Walk = { context, top: folder, isRecursive: recurse, isWanted, entries: [], folders: 0, leftOut: 0 };
  walkFolder(walk, '', { ignored, isAllIgnored, depth: 0 });
  return walk;
}

interface Rules {
  readonly ignored: Ignored;
  readonly isAllIgnored: boolean;
  readonly depth: number;
}

/** `folder`: path from the top. */
function walkFolder(walk: Walk, folder: string, { ignored, isAllIgnored, depth }: Rules): void {
  const { context, top } = walk;
  const { limits, tree } = context;
  walk.folders += 1;
  if (walk.folders > limits.maxFiles) fail('LimitExceeded', `more than ${limits.maxFiles} folders are listed`);
  if (depth > MAX_DEPTH) fail('LimitExceeded', `${folder} is more than ${MAX_DEPTH} folders deep`);
  for (const { name, type } of tree.list(joined(top, folder))) {
    const path = joined(folder, name);
    const full = joined(top, path);
    if (type === 'folder') {
      if (!walk.isRecursive || name.startsWith('.')) continue;
      const isLeftOut = isAllIgnored || ignored.has(full, 'folder');
      if (isLeftOut) walk.leftOut += 1;
      else walkBelow(walk, path, { ignored: ignored.enter(full), isAllIgnored, depth: depth + 1 });
    } else if (isManifestName(name) && tree.find(full).type !== 'folder') {
      if (isAllIgnored || ignored.has(full, 'file')) walk.leftOut += 1;
      else addWanted(walk, { path, isKustomization: false }, path);
    }
  }
}

/** The patterns see a kustomization as the path of its file. */
function walkBelow(walk: Walk, path: string, rules: Rules): void {
  const kustomization = findKustomization(walk.context, joined(walk.top, path));
  if (kustomization === undefined) walkFolder(walk, path, rules);
  else addWanted(walk, { path, isKustomization: true }, `${path}/${kustomization}`);
}

function addWanted(walk: Walk, entry: Entry, file: string): void {
  if (walk.isWanted(file)) walk.entries.push(entry);
  else walk.leftOut += 1;
}

function joined(folder: string, name: string): string {
  return folder === '' || name === '' ? folder + name : `${folder}/${name}`;
}

/** Steps of matching of one render. */
const MAX_WORK = 100_000_000;

/** Whether a path matches `include`, if that is given, and no pattern of `exclude`. */
function createFilter({
  include = [],
  exclude = [],
}: {
  readonly include: readonly string[] | undefined;
  readonly exclude: readonly string[] | undefined;
}): (path: string) => boolean {
  let work = 0;
  const charge = (steps: number): void => {
    work += steps;
    if (work > MAX_WORK)
      fail('LimitExceeded', `the patterns of spec.render.directory need more than ${MAX_WORK} steps`);
  };
  const compile = (patterns: readonly string[], field: string): readonly Matcher[] =>
    patterns.map((pattern) => compileGlob(pattern, `spec.render.directory.${field}`));
  const [included, excluded] = [compile(include, 'include'), compile(exclude, 'exclude')];
  const matchesAny = (matchers: readonly Matcher[], path: string): boolean =>
    matchers.some((matches) => matches(path, charge));
  return (path) => !matchesAny(excluded, path) && (included.length === 0 || matchesAny(included, path));
}

/** Every YAML and JSON file of a plain folder is read as a manifest, also the configuration of a tool. */
function withHint(problem: Problem): Problem {
  if (problem.code !== 'NotAnObject' || problem.hint !== undefined) return problem;
  const hint =
    'If the file is not a manifest, move it to another folder, name it in a .tautlineignore, or add a ' +
    'kustomization.yaml that lists the manifests.';
  return { ...problem, hint };
}

function checkCount({ limits }: RenderContext, count: number): void {
  if (count > limits.maxObjects) fail('LimitExceeded', `more than ${limits.maxObjects} objects are rendered`);
}
