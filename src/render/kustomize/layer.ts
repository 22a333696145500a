/** A layer: one kustomization with its folder, its field specs and the values that it shares with the whole build. */
import type { YamlPath } from '../../object/yaml/locate.ts';
import { refuseSubmodule } from '../explain-absent.ts';
import { fail, withPlace } from '../fail.ts';
import { isInside, markContained, readBytes, readStoredBytes, readText, type RenderContext } from '../file-loader.ts';
import { joinInTree } from '../mounted-trees.ts';
import { readSealed } from '../sealed/sealed-file.ts';
import type { FieldSpecs } from './field-specs/defaults.ts';
import { placeIn, type Kustomization } from './kustomization.ts';
import type { MergeSchema } from './merge-schema.ts';
import { atOverride } from './overrides.ts';
import { originOf, type OriginPlace } from './origins.ts';
import type { Origin, Resource } from './resource.ts';

/** The values that all kustomizations of one build share. */
export interface Build {
  readonly context: RenderContext;
  /** The schema of strategic merges: that of a kustomization, or the built-in one; undefined until either is needed. */
  schema: MergeSchema | undefined;
  /** Whether a kustomization has chosen the schema, with the field `openapi`. */
  isSchemaChosen: boolean;
  /** `apiVersion/kind` of the objects read so far. */
  readonly kinds: Set<string>;
  /** Reads the objects of files or kustomizations, as the field `resources` does. */
  readonly gather: (layer: Layer, entries: readonly PathEntry[]) => Resource[];
  /** Whether the origins of objects are recorded, for `buildMetadata`. */
  readonly shouldTrackOrigin: boolean;
}

/** A path of a file or folder, and its position in the kustomization. */
export interface PathEntry {
  readonly path: string;
  readonly at: YamlPath;
}

export interface Layer {
  readonly build: Build;
  readonly kustomization: Kustomization;
  /** Folder of the kustomization, with links resolved. */
  readonly folder: string;
  /** Folders of the kustomizations on the way from the first one, this one included. */
  readonly chain: readonly string[];
  readonly originPlace: OriginPlace;
  /** Namespace of the nearest kustomization above this one that sets one, for charts; '' if none does. */
  readonly helmNamespace: string;
  readonly specs: FieldSpecs;
}

/** Reads a file that the kustomization names. Fails like `locateFile`. */
export function loadText(layer: Layer, path: string): string {
  return readText(layer.build.context, locateFile(layer, path));
}

/** Bytes for a Secret. `name`: tells the form of a sealed file, if it is not its path that does. */
export function loadBytes(layer: Layer, path: string, name?: string): Uint8Array {
  const { context } = layer.build;
  const file = locateFile(layer, path);
  const bytes = readBytes(context, file, name);
  markContained(context, file);
  return bytes;
}

/** The same for a file that must not be sealed. Fails with Sealed if it is. */
export function loadUnsealed(layer: Layer, path: string, name = path): Uint8Array {
  const { context } = layer.build;
  const file = locateFile(layer, path);
  const bytes = readStoredBytes(context, file);
  if (readSealed(bytes, name, context.limits) === undefined) return bytes;
  return fail('Sealed', 'the file is sealed by SOPS, and a ConfigMap would show its content', {
    file,
    hint: 'List the file under secretGenerator.',
  });
}

/**
 * The path in the tree of a file that the kustomization names. Fails if the file is missing, or not in or below the
 * folder of the kustomization.
 */
export function locateFile(layer: Layer, path: string): string {
  const { tree } = layer.build.context;
  if (isRemote(path)) fail('Unsupported', `${path} is on another server; only files of the repository are read`);
  if (path.startsWith('/')) fail('PathEscapesRoot', `${path} is absolute; paths are relative to the kustomization`);
  const joined = joinInTree(layer.build.context, layer.folder, path);
  if (joined === undefined) return fail('PathEscapesRoot', `${path} leaves the repository`);
  const resolved = tree.resolve(joined);
  if (resolved === undefined) {
    const isOutside = tree.find(joined).type === 'outside';
    if (isOutside) fail('PathEscapesRoot', `${path} leads out of the repository`);
    refuseSubmodule(tree, joined);
    fail('PathNotFound', `there is no file ${path} in ${layer.folder || 'the root'}`);
  }
  if (tree.find(resolved).type === 'folder') fail('PathNotFound', `${path} is a folder, not a file`);
  if (!isInside(resolved, layer.folder)) {
    fail('PathEscapesRoot', `the file ${path} is not in or below ${layer.folder || 'the root'}`, {
      hint: 'kustomize reads files only in or below the folder of the kustomization that names them.',
    });
  }
  return resolved;
}

const REMOTE: readonly RegExp[] = [
  /^(https?|ssh|git|file):\/\//,
  /^git::/,
  /^[\w.-]+@[\w.-]+:/,
  /^(github\.com|gitlab\.com|bitbucket\.org)[/:]/,
  /\?(.*&)?(ref|version)=/,
];

/** Whether a path looks like the address of another server or repository. */
export function isRemote(path: string): boolean {
  return REMOTE.some((form) => form.test(path));
}

/** The origin of objects that a built-in generator or transformer made or changed. */
export function builtInOrigin(layer: Layer, kind: string): Origin {
  const { fileName } = layer.kustomization;
  const { path: configuredIn, ...repository } = originOf(layer.originPlace, fileName);
  return { ...repository, configuredIn, configuredBy: { apiVersion: 'builtin', kind } };
}

/** Runs a step for one field or entry of the kustomization; a problem gets the line of the entry. */
export function atField<T>({ kustomization }: Pick<Layer, 'kustomization'>, path: YamlPath, run: () => T): T {
  const added = indexInOverrides(kustomization, path);
  if (added !== undefined) return atOverride(added, run);
  return withPlace(() => placeIn({ text: kustomization.source, file: kustomization.file }, path), run);
}

/** The field and index in spec.render.kustomize of an entry that stands behind those of the file. */
function indexInOverrides(
  { ownEntries }: Kustomization,
  [field, index]: YamlPath,
): readonly [string, number] | undefined {
  if (ownEntries === undefined || (field !== 'patches' && field !== 'replicas') || typeof index !== 'number') {
    return undefined;
  }
  return index < ownEntries[field] ? undefined : [field, index - ownEntries[field]];
}

/** Runs a step for one entry of a list; a problem gets the line of the entry. */
export type AtEntry = <T>(index: number, run: () => T) => T;

/** `atField` for the entries of one list. */
export function entriesOf(layer: Pick<Layer, 'kustomization'>, field: keyof Kustomization): AtEntry {
  return (index, run) => atField(layer, [field, index], run);
}

/** The file and line that an object comes from, for problems. */
export function placeOf(resource: Resource): { file: string; line: number } {
  return { file: resource.file, line: resource.line };
}
