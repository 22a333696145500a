/**
 * Adds `spec.render.kustomize` to a kustomization, as `kustomize edit` changes its file: Argo CD and Flux do the same.
 * A prefix, suffix or namespace replaces that of the file; an image and a number of replicas replace the entry of the
 * same name; patches and components follow those of the file. Only the labels are set after all changes of the file.
 */
import type { KustomizeOptions } from '../../application/render-schema.ts';
import { fail, problemOf } from '../fail.ts';
import type { RenderContext } from '../file-loader.ts';
import { joinInTree, pathInSource } from '../mounted-trees.ts';
import type { Kustomization } from './kustomization.ts';

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The options of an Application; on the command line any of them may be absent. */
export type Overrides = Given<KustomizeOptions>;

/** A folder that the overrides name. */
export interface ExtraComponent {
  /** As it is written in the overrides. */
  readonly path: string;
  /** Its index in the overrides. */
  readonly index: number;
  /** Path in the tree, links resolved. */
  readonly folder: string;
}

/** Whether the overrides change anything. */
export function hasOverrides(overrides: Overrides | undefined): overrides is Overrides {
  if (overrides === undefined) return false;
  const { ignoreMissingComponents: _, ...changes } = overrides;
  return Object.values(changes).some((value) => {
    return typeof value === 'object' ? Object.keys(value).length > 0 : value !== undefined && value !== '';
  });
}

/** The kustomization with all fields of the overrides but labels and components. */
export function withOverrides(kustomization: Kustomization, overrides: Overrides): Kustomization {
  const { namespace, namePrefix, nameSuffix, annotations = {}, replicas = [], patches = [] } = overrides;
  const replaced = new Set(replicas.map(({ name }) => name));
  const ownReplicas = kustomization.replicas.filter(({ name }) => !replaced.has(name));
  return {
    ...kustomization,
    namespace: namespace || kustomization.namespace,
    namePrefix: namePrefix || kustomization.namePrefix,
    nameSuffix: nameSuffix || kustomization.nameSuffix,
    commonAnnotations: new Map([...(kustomization.commonAnnotations ?? []), ...Object.entries(annotations)]),
    images: withImages(kustomization.images, overrides.images ?? []),
    replicas: [...ownReplicas, ...replicas],
    patches: [...kustomization.patches, ...patches.map(toEntry)],
    ownEntries: { patches: kustomization.patches.length, replicas: ownReplicas.length },
  };
}

type Image = Kustomization['images'][number];

/** An image of the same name gets the fields that are given; tag and digest replace each other. */
function withImages(own: readonly Image[], changes: NonNullable<Overrides['images']>): Image[] {
  const images = [...own];
  for (const { name, newName = '', newTag = '', digest = '' } of changes) {
    const index = images.findIndex((image) => image.name === name);
    const found = images[index] ?? { name, newName: '', newTag: '', digest: '', tagSuffix: '' };
    const version = newTag !== '' || digest !== '' ? { newTag, digest } : {};
    const image = { ...found, ...(newName === '' ? {} : { newName }), ...version };
    if (index < 0) images.push(image);
    else images[index] = image;
  }
  return images;
}

function toEntry({ patch, target }: NonNullable<Overrides['patches']>[number]): Kustomization['patches'][number] {
  const { group = '', version = '', kind = '', name = '', namespace = '' } = target ?? {};
  const { labelSelector = '', annotationSelector = '' } = target ?? {};
  const selector = { group, version, kind, name, namespace, labelSelector, annotationSelector };
  return { patch, path: '', target: target === undefined ? undefined : selector, options: undefined };
}

/**
 * Finds the folders of the components that the overrides add. Fails if one is missing, unless it may be; the same
 * folder as in the kustomization counts once.
 */
export function locateComponents(
  context: RenderContext,
  { folder, kustomization }: { readonly folder: string; readonly kustomization: Kustomization },
  { components = [], ignoreMissingComponents = false }: Overrides,
): ExtraComponent[] {
  const locate = (path: string): string | undefined => {
    const isInSource = path.startsWith('$');
    if (isInSource && !context.trees.has(path.split('/', 1)[0] as string)) {
      fail('PathNotFound', `${path} names no entry of spec.sources`, { hint: 'Add the source, or correct its name.' });
    }
    const joined = isInSource ? pathInSource(context, path) : joinInTree(context, folder, path);
    if (joined === undefined || path.startsWith('/')) fail('PathEscapesRoot', `${path} leaves the repository`);
    const found = context.tree.find(joined);
    if (found.type === 'outside') fail('PathEscapesRoot', `${path} is a link that leaves the repository`);
    if (found.type === 'folder') return context.tree.resolve(joined);
    if (found.type === 'absent' && ignoreMissingComponents) return undefined;
    return fail('PathNotFound', `there is no folder ${path} for the component`, {
      hint: 'Correct the path, or set ignoreMissingComponents.',
    });
  };
  const known = new Set(kustomization.components.map((path) => joinInTree(context, folder, path)));
  return components.flatMap((path, index) => {
    const located = atOverride(['components', index], () => locate(path));
    return located === undefined || known.has(located) ? [] : [{ path, index, folder: located }];
  });
}

/** Puts the field of the Application before the message of a problem that is in no file. */
export function atOverride<T>([field, index]: readonly [string, number], run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message, ...place } = problemOf(error);
    if (place.file !== undefined) throw error;
    return fail(code, `spec.render.kustomize.${field}[${index}]: ${message}`, place);
  }
}
