/**
 * Walks kustomizations from the leaves up. Each one gathers its resources, generators and components, and then runs its
 * transformers, in the order of kustomize.
 */
import type { YamlPath } from '../../object/yaml/locate.ts';
import { textOf, type YamlMap } from '../../object/yaml/node.ts';
import { refuseSubmodule } from '../explain-absent.ts';
import { fail, problemOf, withPlace } from '../fail.ts';
import { ask, countKustomization, isInside } from '../file-loader.ts';
import { readManifestFile } from '../manifest-file.ts';
import { joinInTree } from '../mounted-trees.ts';
import { mergeFieldSpecs, DEFAULTS } from './merge-field-specs.ts';
import { loadConfigurations } from './configurations.ts';
import { loadCrds } from './crds.ts';
import { NO_FIELD_SPECS, type FieldSpecs } from './field-specs/defaults.ts';
import { addGenerated } from './generators/add-generated.ts';
import { generateAll } from './generators/generators.ts';
import { readKustomization, type Kustomization } from './kustomization.ts';
import { atField, isRemote, locateFile, type Build, type Layer, type PathEntry } from './layer.ts';
import { chooseSchema } from './openapi.ts';
import { atOverride, type ExtraComponent } from './overrides.ts';
import { appendAll, checkUnique, newResourceSet, type ResourceSet } from './resource-set.ts';
import { originOf, type OriginPlace } from './origins.ts';
import { needOf, parseRemoteBase } from './remote-base.ts';
import { newResource, type Resource } from './resource.ts';
import { transformAll } from './transformers/transformers.ts';
import { validate } from './validators.ts';
import { mergeVars, mergeVarSets, type VarSet } from './vars.ts';

export interface Accumulation {
  set: ResourceSet;
  specs: FieldSpecs;
  vars: VarSet;
}

/** The folder of a kustomization, and the way that led to it; the fields are those of `Layer`. */
export interface LayerPlace {
  readonly folder: string;
  readonly chain: readonly string[];
  readonly originPlace: OriginPlace;
  readonly helmNamespace: string;
}

/** Objects and components of the first kustomization that its file does not name. */
interface Additions {
  readonly resources?: readonly Resource[];
  readonly components?: readonly ExtraComponent[];
}

/** Builds the kustomization of a folder and the kustomizations that it names. */
export function accumulate(
  build: Build,
  { resources = [], components = [], ...place }: LayerPlace & Additions,
  kustomization: Kustomization,
): Accumulation {
  const start = emptyAccumulation();
  for (const { node } of resources) noteKind(build, node);
  appendAll(start.set, resources);
  const layer: Layer = { build, kustomization, ...place, specs: DEFAULTS };
  const addComponents = (into: Accumulation): Accumulation =>
    components.reduce((result, { path, folder, index }) => {
      return atOverride(['components', index], () => {
        const added = accumulateComponent(layer, { path, folder }, result);
        checkUnique(added.set);
        return added;
      });
    }, into);
  return accumulateInto(build, place, kustomization, { start, addComponents });
}

/** The objects of files and kustomizations that are not part of the result, such as configurations of transformers. */
export function gatherResources(layer: Layer, entries: readonly PathEntry[]): Resource[] {
  const into = emptyAccumulation();
  for (const { path, at } of entries) atField(layer, at, () => accumulateResource(layer, path, into));
  return [...into.set.all];
}

function emptyAccumulation(): Accumulation {
  return { set: newResourceSet(), specs: NO_FIELD_SPECS, vars: new Map() };
}

interface Walk {
  /** The objects so far. */
  readonly start: Accumulation;
  /** Adds components that the file does not name, after those that it names. */
  readonly addComponents: (into: Accumulation) => Accumulation;
}

function accumulateInto(
  build: Build,
  place: LayerPlace,
  kustomization: Kustomization,
  { start, addComponents }: Walk,
): Accumulation {
  const bare: Layer = { build, kustomization, ...place, specs: DEFAULTS };
  const { file } = kustomization;
  let into = start;
  kustomization.resources.forEach((path, index) => {
    goOnIfOpen(build, () => {
      atField(bare, entryPath(kustomization, index), () => accumulateResource(bare, path, into));
    });
  });
  withPlace({ file }, () => {
    into.specs = mergeFieldSpecs(into.specs, mergeFieldSpecs(DEFAULTS, loadConfigurations(bare)));
    into.specs = mergeFieldSpecs(into.specs, loadCrds(bare));
    for (const resource of generateAll(bare)) addGenerated(into.set, resource);
    checkCount(build, into.set);
  });
  for (const [index, path] of kustomization.components.entries()) {
    into = atField(bare, ['components', index], () => {
      return accumulateComponent(bare, { path, folder: findFolder(bare, path) }, into);
    });
    atField(bare, ['components', index], () => checkUnique(into.set));
  }
  into = addComponents(into);
  withPlace({ file }, () => {
    transformAll({ ...bare, specs: into.specs }, into.set);
    validate(bare, into.set);
    mergeVars(into.vars, bare, into.set);
  });
  return into;
}

/**
 * A step may fail only because the objects of a chart are not there yet. Then the result of this render does not count,
 * and the other entries are walked to find their needs as well.
 */
function goOnIfOpen({ context }: Build, run: () => void): void {
  try {
    run();
  } catch (error) {
    problemOf(error);
    if (context.needs.length === 0) throw error;
  }
}

/** The path of an entry in the file: the list `resources` is followed by the entries of the deprecated `bases`. */
function entryPath({ resources, bases }: Kustomization, index: number): YamlPath {
  const own = resources.length - (bases?.length ?? 0);
  return index < own ? ['resources', index] : ['bases', index - own];
}

function accumulateResource(layer: Layer, path: string, into: Accumulation): void {
  const folder = findFolder(layer, path);
  if (folder === UNANSWERED) return;
  if (folder !== undefined) return mergeFolder(layer, path, folder, into);
  const file = locateFile(layer, path);
  const resources = readResources(layer, file);
  if (layer.build.shouldTrackOrigin) {
    for (const resource of resources) resource.origin = originOf(layer.originPlace, path);
  }
  appendAll(into.set, resources);
  checkCount(layer.build, into.set);
}

/** Reads a file of objects, and notes their kinds for the choice of the merge schema. */
function readResources(layer: Layer, file: string): Resource[] {
  return readManifestFile(layer.build.context, file).map(({ node, line }) => {
    noteKind(layer.build, node);
    return newResource(node, { file, line });
  });
}

function noteKind({ kinds }: Build, node: YamlMap): void {
  kinds.add(`${textOf(node.get('apiVersion'))}/${textOf(node.get('kind'))}`);
}

function mergeFolder(layer: Layer, path: string, folder: string, into: Accumulation): void {
  const { place, kustomization } = enter(layer, path, folder);
  if (kustomization.kind === 'Component') {
    fail('KustomizationInvalid', `${path} is a Component; name it under components, not under resources`);
  }
  const below = accumulate(layer.build, place, kustomization);
  appendAll(into.set, below.set.all);
  into.specs = mergeFieldSpecs(into.specs, below.specs);
  mergeVarSets(into.vars, below.vars);
  checkCount(layer.build, into.set);
}

/** A component works on the objects that its parent has gathered so far. */
function accumulateComponent(
  layer: Layer,
  { path, folder }: { readonly path: string; readonly folder: string | undefined | typeof UNANSWERED },
  into: Accumulation,
): Accumulation {
  if (folder === UNANSWERED) return into;
  if (folder === undefined) return fail('PathNotFound', `the component ${path} is not a folder`);
  const { place, kustomization } = enter(layer, path, folder);
  if (kustomization.kind !== 'Component') {
    fail('KustomizationInvalid', `${path} is a Kustomization; name it under resources, not under components`);
  }
  return accumulateInto(layer.build, place, kustomization, { start: into, addComponents: (added) => added });
}

function enter(layer: Layer, path: string, folder: string): { place: LayerPlace; kustomization: Kustomization } {
  const visited = layer.chain.find((one) => isInside(one, folder));
  if (visited !== undefined) {
    fail(
      'KustomizationInvalid',
      `${path} names ${folder || 'the root'}, which contains the kustomization that names it: a cycle`,
    );
  }
  countKustomization(layer.build.context);
  const kustomization = readKustomization(layer.build.context, folder);
  const originPlace = originOf(layer.originPlace, path);
  const helmNamespace = layer.kustomization.namespace || layer.helmNamespace;
  const place: LayerPlace = { folder, chain: [...layer.chain, folder], originPlace, helmNamespace };
  chooseSchema(layer.build, { ...layer, ...place, kustomization });
  return { place, kustomization };
}

/** Stands for the folder of a remote base whose tree is not there yet. */
const UNANSWERED = Symbol('unanswered');

/** The folder that a path names, with links resolved; undefined if the path does not name a folder. */
function findFolder(layer: Layer, path: string): string | undefined | typeof UNANSWERED {
  const { tree } = layer.build.context;
  const joined = path.startsWith('/') ? undefined : joinInTree(layer.build.context, layer.folder, path);
  const resolved = joined === undefined || path === '' ? undefined : tree.resolve(joined);
  if (resolved !== undefined) return tree.find(resolved).type === 'folder' ? resolved : undefined;
  if (isRemote(path) || parseRemoteBase(path) !== undefined) return findRemoteFolder(layer, path);
  if (joined !== undefined && path !== '') refuseSubmodule(tree, joined);
  if (joined === undefined && !path.startsWith('/')) fail('PathEscapesRoot', `${path} leaves the repository`);
  return undefined;
}

function findRemoteFolder({ build }: Layer, path: string): string | typeof UNANSWERED {
  const { context } = build;
  const base = parseRemoteBase(path);
  if (base === undefined) {
    return fail('Unsupported', `${path} is no address of a folder in a repository; other addresses are not read`, {
      hint: 'Copy the file into this repository.',
    });
  }
  if (base.repoURL.startsWith('file://')) {
    return fail('Unsupported', `${path} is on the machine that renders; only repositories of servers are read`, {
      hint: 'Copy the base into this repository.',
    });
  }
  const need = needOf(base);
  if (ask(context, need) === undefined) return UNANSWERED;
  const joined = joinInTree(context, need.key, base.path);
  const folder = joined === undefined ? undefined : context.tree.resolve(joined);
  if (folder === undefined || context.tree.find(folder).type !== 'folder') {
    fail('PathNotFound', `there is no folder ${base.path || 'at the root'} in ${base.repoURL} at ${need.revision}`);
  }
  return folder;
}

function checkCount(build: Build, set: ResourceSet): void {
  const { maxObjects } = build.context.limits;
  if (set.all.size > maxObjects) fail('LimitExceeded', `more than ${maxObjects} objects are rendered`);
}
