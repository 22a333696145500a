/**
 * One kustomization at work: what it says, where it stands, and what it shares with the whole build.
 */
import { posix } from 'node:path';
import type { YamlPath } from '../../object/yaml/locate.ts';
import { fail, within } from '../fail.ts';
import { isInside, joinPath, readBytes, readText, type RenderContext } from '../file-loader.ts';
import type { FieldSpecs } from './field-specs/defaults.ts';
import { placeIn, type Kustomization } from './kustomization.ts';
import type { MergeSchema } from './merge-schema.ts';
import type { Origin, Resource } from './resource.ts';

/** Shared by all kustomizations of one build. */
export interface Build {
  readonly context: RenderContext;
  /** What strategic merge knows; set by the first kustomization that brings its own. */
  schema: MergeSchema | undefined;
  /** Whether the field `openapi` has been given. */
  isSchemaChosen: boolean;
  /** `apiVersion/kind` of the objects read so far. */
  readonly kinds: Set<string>;
  /** Reads the objects that paths lead to, files or kustomizations, as `resources` does. */
  readonly gather: (layer: Layer, entries: readonly PathEntry[]) => Resource[];
  /** Whether origins are noted (`buildMetadata`). */
  readonly tracksOrigin: boolean;
}

/** A path, and where the kustomization names it. */
export interface PathEntry {
  readonly path: string;
  readonly at: YamlPath;
}

export interface Layer {
  readonly build: Build;
  readonly kustomization: Kustomization;
  /** Folder of the kustomization, links resolved. */
  readonly folder: string;
  /** Folders of the kustomizations that led here, this one included. */
  readonly chain: readonly string[];
  /** Path from the first kustomization's folder to this one, as the files name it. */
  readonly originPath: string;
  readonly specs: FieldSpecs;
}

/** Reads a file that the kustomization names: it must be in or below its folder. */
export function loadText(layer: Layer, path: string): string {
  return readText(layer.build.context, locateFile(layer, path));
}

export function loadBytes(layer: Layer, path: string): Uint8Array {
  return readBytes(layer.build.context, locateFile(layer, path));
}

/** The place in the tree of a file that the kustomization names. Fails where it is missing or outside. */
export function locateFile(layer: Layer, path: string): string {
  const { tree } = layer.build.context;
  if (isRemote(path)) fail('Unsupported', `${path} is on another server; only files of the repository are read`);
  if (path.startsWith('/')) fail('PathEscapesRoot', `${path} is absolute; paths are relative to the kustomization`);
  const joined = joinPath(layer.folder, path);
  if (joined === undefined) return fail('PathEscapesRoot', `${path} leaves the repository`);
  const resolved = tree.resolve(joined);
  if (resolved === undefined) {
    const isOutside = tree.find(joined).type === 'outside';
    if (isOutside) fail('PathEscapesRoot', `${path} leads out of the repository`);
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

/** Whether a path looks like one on another server. */
export function isRemote(path: string): boolean {
  return REMOTE.some((form) => form.test(path));
}

/** What the built-in of a kind did, for the origin annotations. */
export function builtInOrigin(layer: Layer, kind: string): Origin {
  const { fileName } = layer.kustomization;
  const configuredIn = posix.join(layer.originPath, fileName);
  return { configuredIn, configuredBy: { apiVersion: 'builtin', kind } };
}

/** Runs what one entry of the kustomization asks for; what it throws is placed at the entry's line. */
export function atField<T>({ kustomization }: Pick<Layer, 'kustomization'>, path: YamlPath, run: () => T): T {
  return within(() => placeIn({ text: kustomization.source, file: kustomization.file }, path), run);
}

/** Runs what the entry of a list asks for, and places what it throws. */
export type AtEntry = <T>(index: number, run: () => T) => T;

/** Places problems of a list's entries at their lines. */
export function entriesOf(layer: Pick<Layer, 'kustomization'>, field: keyof Kustomization): AtEntry {
  return (index, run) => atField(layer, [field, index], run);
}

/** For problems of an object: the file and line that it came from. */
export function placeOf(resource: Resource): { file: string; line: number } {
  return { file: resource.file, line: resource.line };
}
