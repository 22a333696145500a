/**
 * Renders a folder of a snapshot to manifests: finds out whether it is a kustomization, a chart or a folder of plain
 * files, and renders it.
 *
 * Invariants: the result depends on the tree, the path and the limits alone. Mistakes in the input are `problems`; only
 * defects of Tautline are thrown. A broken kustomization yields no manifests; in a plain folder only the objects of the
 * broken files are missing.
 */
import type { RenderOptions } from '../application/render-schema.ts';
import { digestValue } from '../object/digest.ts';
import { idOf, idKey } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import { isKubeObject } from '../object/value.ts';
import { valueToNode, type YamlMap } from '../object/yaml/node.ts';
import { unused } from './asking.ts';
import type { DocumentCache } from './document-cache.ts';
import { explainAbsent } from './explain-absent.ts';
import { explainEmpty, explainLeftOut } from './explain-empty.ts';
import { fail, problemOf } from './fail.ts';
import type { RenderContext, RenderTree } from './file-loader.ts';
import type { FileTree } from './file-tree.ts';
import { readFolder, type FolderOptions } from './directory/folder.ts';
import type { BuiltObject } from './built-object.ts';
import { buildKustomization, buildObjects } from './kustomize/build.ts';
import { openPlace } from './helm/chart-place.ts';
import { NO_HELM_OPTIONS, renderChart } from './helm/render-chart.ts';
import { findKustomization, KUSTOMIZATION_NAMES } from './kustomize/kustomization.ts';
import { hasOverrides, type Overrides } from './kustomize/overrides.ts';
import type { Manifest, Manifests, RenderLimits } from './manifests.ts';
import { mountTrees } from './mounted-trees.ts';
import { openSecretData } from './sealed/open-secret-data.ts';
import { hideOpened } from './sealed/hide-opened.ts';
import { markSealed } from './sealed/mark-sealed.ts';
import type { Answers, Release, TreeOrigin } from './needs.ts';
import { openSourceTrees } from './source-trees.ts';
import { substituteObjects } from './substitute/substitute.ts';
import { readVariables } from './substitute/variables.ts';

/** `spec.render`; on the command line every field may be absent. */
export interface GivenOptions extends Omit<RenderOptions, 'kustomize' | 'directory'> {
  readonly kustomize?: Overrides | undefined;
  readonly directory?: FolderOptions['directory'];
}

export interface RenderInput {
  readonly tree: FileTree;
  /** The folder, relative to the root of the tree; '' is the root itself. */
  readonly path: string;
  readonly limits: RenderLimits;
  /** A folder without a kustomization is rendered as plain manifests (the default), or refused, as kustomize does. */
  readonly plainFolder?: 'render' | 'refuse';
  /** Parsed files of earlier renders; they do not change the result. */
  readonly cache?: DocumentCache;
  /** `spec.render`. Absent: no options. */
  readonly options?: GivenOptions;
  /** The Application, for the defaults of a chart. Absent on the command line without an Application. */
  readonly release?: Release;
  /** The repository of `tree`. Absent: nothing but the objects of the tree is read. */
  readonly origin?: TreeOrigin | undefined;
  /** Trees beside `tree`; see RenderContext. */
  readonly trees?: ReadonlyMap<string, RenderTree>;
  readonly answers?: Answers;
  /** Whether sealed files are opened. Absent: if the options name keys. */
  readonly opensSealed?: boolean;
}

/** Renders a folder to manifests for a cluster. */
export function renderPath(input: RenderInput): Manifests {
  const { objects, problems, warnings, needs, answersUsed, readSet, whyEmpty } = renderObjects(input);
  const manifests: Manifest[] = [];
  const malformed: Problem[] = [];
  for (const { object, digest, file, line, isSealed } of objects) {
    const more = isSealed ? { isSealed } : {};
    if (isKubeObject(object)) manifests.push({ object, digest: digest ?? digestValue(object), file, line, ...more });
    else malformed.push({ code: 'NotAnObject', message: 'an object has no apiVersion or metadata', file, line });
  }
  const allProblems = [...problems, ...malformed, ...findDuplicates(manifests)];
  return {
    manifests,
    problems: allProblems,
    warnings,
    needs,
    ...(answersUsed === undefined ? {} : { answersUsed }),
    readSet,
    ...(whyEmpty === undefined ? {} : { whyEmpty }),
  };
}

export interface RenderedObjects extends Omit<Manifests, 'manifests' | 'sizeBytes'> {
  readonly objects: readonly BuiltObject[];
}

/** The same for printing: the objects that kustomize prints, including ones that no cluster would accept. */
export function renderObjects(input: RenderInput): RenderedObjects {
  const { path, plainFolder = 'render', options = {} } = input;
  const readSet: Record<string, string> = Object.create(null);
  const context = contextOf(input, readSet);
  const problems: Problem[] = [];
  let objects: BuiltObject[] = [];
  let whyEmpty: string | undefined;
  try {
    const variables = readVariables(context, options, problems);
    const areVariablesRight = problems.length === 0;
    const folder = locateFolder(context, path);
    const isPlain = findKustomization(context, folder) === undefined && !isChart(context, folder);
    if (isPlain && plainFolder === 'refuse') refusePlainFolder(folder);
    const rendered = renderFolder(context, folder, { options, release: input.release, problems });
    ({ whyEmpty } = rendered);
    const opened = rendered.objects.map((object) => openSecretData(context, object, problems));
    if (areVariablesRight) objects = [...substituteObjects(context, opened, { variables, problems })];
  } catch (error) {
    problems.push(problemOf(error));
  }
  const { needs } = context;
  // Without the answers neither the objects nor the problems are those of the input.
  if (needs.length > 0) return { objects: [], problems: [], warnings: [], needs, readSet };
  return {
    objects: markSealed(context, objects),
    ...hideOpened(context, problems),
    needs,
    ...(context.answersUsed.size > 0 ? { answersUsed: [...context.answersUsed] } : {}),
    readSet,
    ...(whyEmpty === undefined || problems.length > 0 ? {} : { whyEmpty }),
  };
}

interface FolderRender {
  readonly objects: readonly BuiltObject[];
  readonly whyEmpty?: string;
}

interface FolderInput {
  readonly options: GivenOptions;
  readonly release: Release | undefined;
  readonly problems: Problem[];
}

/** The objects of a folder before the substitution. */
function renderFolder(
  context: RenderContext,
  folder: string,
  { options, release, problems }: FolderInput,
): FolderRender {
  const kustomization = findKustomization(context, folder);
  const { kustomize: overrides, directory } = options;
  if (kustomization !== undefined) {
    const objects = buildKustomization(context, folder, overrides);
    return objects.length > 0 ? { objects } : { objects, whyEmpty: explainEmpty(context.tree, folder, kustomization) };
  }
  if (isChart(context, folder)) {
    const chart = openPlace(context, folder);
    const objects = renderChart(context, { chart, options: options.helm ?? NO_HELM_OPTIONS, release });
    if (objects.length === 0) return { objects, whyEmpty: `the chart in ${folder || 'the root'} renders no object` };
    return { objects: hasOverrides(overrides) ? overrideObjects(context, { folder, objects, overrides }) : objects };
  }
  const { objects, leftOut } = readFolder(context, folder, { directory, overrides, problems });
  if (objects.length > 0 || problems.length > 0) return { objects };
  const whyEmpty = leftOut > 0 ? explainLeftOut(folder, leftOut) : explainEmpty(context.tree, folder, undefined);
  return { objects, whyEmpty };
}

function overrideObjects(
  context: RenderContext,
  { folder, objects, overrides }: { folder: string; objects: readonly BuiltObject[]; overrides: Overrides },
): BuiltObject[] {
  const given = objects.map(({ object, file, line }) => ({ node: valueToNode(object) as YamlMap, file, line }));
  return buildObjects(context, { folder, objects: given, overrides });
}

function contextOf(
  { tree, limits, cache, options, origin, trees = new Map(), answers = new Map(), ...input }: RenderInput,
  readSet: Record<string, string>,
): RenderContext {
  const asking = { limits, answers, needs: [], answersUsed: new Set<string>(), usage: unused(), trees };
  const sources = openSourceTrees(asking, { tree, origin });
  return {
    ...asking,
    limits,
    tree: recordReads(mountTrees(sources.tree, sources.trees), readSet),
    warnings: [],
    filesRead: new Set(),
    opensSealed: input.opensSealed ?? options?.decryption !== undefined,
    sealedFiles: new Map(),
    cache,
    trees: sources.trees,
  };
}

/** The path of the folder in the tree, with links resolved. */
function locateFolder(context: RenderContext, path: string): string {
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
    const { message, hint } = explainAbsent(context.tree, clean);
    fail('PathNotFound', message ?? `there is no folder ${name} in the repository`, {
      hint: hint ?? 'Check spec.source.path and the revision.',
    });
  }
  if (found.type === 'file') fail('PathNotFound', `${name} is a file, not a folder`, { file: clean });
  return context.tree.resolve(clean) ?? clean;
}

function isChart({ tree }: RenderContext, folder: string): boolean {
  return tree.find(folder === '' ? 'Chart.yaml' : `${folder}/Chart.yaml`).type === 'file';
}

function refusePlainFolder(folder: string): never {
  fail('PathNotFound', `there is no ${KUSTOMIZATION_NAMES.join(', ')} in ${folder || 'the root'}`, {
    file: folder,
    hint: 'Use --directory to print the manifests of a folder without a kustomization.',
  });
}

/** Objects that occur twice in a plain folder. (A kustomization with such objects fails as a whole.) */
function findDuplicates(manifests: readonly Manifest[]): Problem[] {
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
    const message = `${id.kind} ${id.name} occurs twice; first in ${first.file}:${first.line}`;
    problems.push({ code: 'DuplicateObject', message, file, line, object: id });
  }
  return problems;
}

/** The same tree, which records every path that is looked up in the read-set. */
function recordReads(tree: FileTree, readSet: Record<string, string>): FileTree {
  return {
    find: (path) => {
      const found = tree.find(path);
      readSet[path] = 'oid' in found ? found.oid : '';
      return found;
    },
    list: (path) => tree.list(path),
    read: (path) => tree.read(path),
    resolve: (path) => tree.resolve(path),
    submodule: (path) => tree.submodule(path),
    asksForContent: tree.asksForContent === true,
  };
}
