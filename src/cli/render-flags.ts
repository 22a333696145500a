/**
 * Reads the flags of `tautline render`: the options of a render, from the flags and from the file of an Application. A
 * flag wins over the field of the file.
 */
import { readFileSync } from 'node:fs';
import type { Overrides } from '../render/kustomize/overrides.ts';
import type { Answer, Release } from '../render/needs.ts';
import type { GivenOptions } from '../render/render.ts';
import type { RenderFlags } from './add-render-flags.ts';
import { isLocalFolder } from './local-tree.ts';
import { releaseOf } from '../reconcile/desired/release.ts';
import { readDataOf, readOnlyApplication, type Read } from './manifest-file.ts';

export interface RenderInputs {
  readonly options: GivenOptions;
  /** The release of a chart; undefined: there is no Application that names it. */
  readonly release: Release | undefined;
  /** Data of ConfigMaps and Secrets, by the key of their need. */
  readonly data: ReadonlyMap<string, Answer>;
  /** Folders of other sources by `$name`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Whether a folder without a kustomization is rendered. */
  readonly mayBePlain: boolean;
}

/** The folders of `--source name=dir`, by `$name`. */
export function readSources(texts: readonly string[]): Read<ReadonlyMap<string, string>> {
  return resultOf(() => sourcesOf(texts));
}

/** Fails with a sentence about the first flag or file that is wrong. */
export function readRenderFlags(flags: RenderFlags): Read<RenderInputs> {
  return resultOf(() => readInputs(flags));
}

function resultOf<T>(run: () => T): Read<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    if (error instanceof FlagError) return { ok: false, problem: error.message };
    throw error;
  }
}

class FlagError extends Error {}

function readInputs(flags: RenderFlags): RenderInputs {
  const { application: file, data = [], source = [], substitute = [] } = flags;
  const application = file === undefined ? undefined : valueOf(readOnlyApplication(file));
  const render: GivenOptions = application?.spec.render ?? {};
  const directory = { ...render.directory, ...given({ ...pick(flags, ['recurse', 'include', 'exclude']) }) };
  const isPlain = application !== undefined || Object.keys(directory).length > 0;
  const variables = { ...render.substitute, ...pairs('--substitute', substitute) };
  return {
    release: application && releaseOf(application),
    options: {
      ...render,
      ...(Object.keys(directory).length > 0 ? { directory } : {}),
      kustomize: overridesOf(flags, render.kustomize ?? {}),
      ...(Object.keys(variables).length > 0 ? { substitute: variables } : {}),
    },
    data: new Map(data.flatMap((one) => [...valueOf(readDataOf(one))])),
    sources: sourcesOf(source),
    mayBePlain: flags.directory || isPlain,
  };
}

function sourcesOf(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(Object.entries(pairs('--source', texts)).map(([name, dir]) => [`$${name}`, folderOf(dir)]));
}

function overridesOf(flags: RenderFlags, before: Overrides): Overrides {
  const { label = [], annotation = [], image = [], replicas = [], patch = [], component = [] } = flags;
  return {
    ...before,
    ...given(pick(flags, ['namespace', 'namePrefix', 'nameSuffix', 'ignoreMissingComponents'])),
    labels: { ...before.labels, ...pairs('--label', label) },
    annotations: { ...before.annotations, ...pairs('--annotation', annotation) },
    images: [...(before.images ?? []), ...image.map(readImage)],
    replicas: [...(before.replicas ?? []), ...replicas.map(readReplicas)],
    patches: [...(before.patches ?? []), ...patch.map((file) => ({ patch: readText(file) }))],
    components: [...(before.components ?? []), ...component],
  };
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

/** The fields that have a value. */
function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function valueOf<T>(read: Read<T>): T {
  if (read.ok) return read.value;
  throw new FlagError(read.problem);
}

function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => pairOf(flag, text)));
}

function pairOf(flag: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new FlagError(`${flag} must be key=value, but is ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `name=new-name:tag@digest`, of which the new name may be missing, and one of tag and digest. */
function readImage(text: string): NonNullable<Overrides['images']>[number] {
  const equals = text.indexOf('=');
  const reference = text.slice(equals + 1);
  const at = reference.indexOf('@');
  const tagged = at < 0 ? reference : reference.slice(0, at);
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const name = colon < 0 ? tagged : tagged.slice(0, colon);
  const version = {
    ...(colon < 0 ? {} : { newTag: tagged.slice(colon + 1) }),
    ...(at < 0 ? {} : { digest: reference.slice(at + 1) }),
  };
  const isChange = equals > 0 || colon >= 0 || at >= 0;
  if (name === '' || equals === 0 || !isChange) {
    throw new FlagError(`--image must be name=new-name:tag, name:tag or name@digest, but is ${text}`);
  }
  return equals < 0 ? { name, ...version } : { name: text.slice(0, equals), newName: name, ...version };
}

function readReplicas(text: string): NonNullable<Overrides['replicas']>[number] {
  const [name, count] = pairOf('--replicas', text);
  if (!/^\d{1,9}$/.test(count)) throw new FlagError(`--replicas must be name=count, but is ${text}`);
  return { name, count: Number(count) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new FlagError(`${file} cannot be read (${code})`);
  }
}

function folderOf(dir: string): string {
  if (!isLocalFolder(dir)) throw new FlagError(`there is no folder ${dir}`);
  return dir;
}
