/**
 * Determines the identity of a manifest in the cluster. The scope of its kind decides whether it has a namespace, even
 * if the manifest sets one.
 */
import type { KindInfo } from '../cluster/kinds.ts';
import { formatId, idOf, type ObjectId } from '../object/identity.ts';
import { isPrintable } from '../object/printable.ts';
import type { Problem, ProblemCode } from '../object/problem.ts';
import { own } from '../object/value.ts';
import type { Manifest } from '../render/manifests.ts';
import { HOW_TO_EXTEND_REACH, isOutOfReach, type Reach } from './reach.ts';

interface PlaceOptions {
  readonly kind: KindInfo;
  readonly destinationNamespace: string | undefined;
  readonly reach: Reach;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** A valid path segment, which every object name must be. Most kinds allow fewer names. */
const PATH_SEGMENT = /^(?!\.{1,2}$)[^/%]{1,253}$/u;

export function placeManifest(manifest: Manifest, options: PlaceOptions): ObjectId | { readonly problem: Problem } {
  const { metadata } = manifest.object;
  const name = own(metadata, 'name');
  if (typeof name !== 'string' || name === '') return unnamed(manifest);
  if (!PATH_SEGMENT.test(name) || !isPrintable(name)) {
    return problemOf(manifest, {
      code: 'InvalidObject',
      message: `${formatId(idOf(manifest.object))}: metadata.name is not a valid object name.`,
      hint: "A name has at most 253 characters and contains neither '/' nor '%' nor invisible characters.",
    });
  }
  const { kind } = options;
  const id = { group: kind.group, kind: kind.kind, namespace: '', name };
  if (!kind.isNamespaced) return isOutOfReach(id, options.reach) ? clusterScoped(manifest, id, options) : id;
  return placeInNamespace(manifest, id, options);
}

function placeInNamespace(
  manifest: Manifest,
  id: ObjectId,
  { destinationNamespace, reach }: PlaceOptions,
): ObjectId | { readonly problem: Problem } {
  const written = own(manifest.object.metadata, 'namespace');
  const fallback =
    destinationNamespace === undefined || destinationNamespace === '' ? reach.namespace : destinationNamespace;
  const namespace = written === undefined || written === null || written === '' ? fallback : written;
  if (typeof namespace !== 'string' || !DNS_LABEL.test(namespace)) {
    return problemOf(manifest, {
      code: 'InvalidObject',
      message: `${id.kind} ${id.name}: metadata.namespace is not a valid namespace name.`,
      hint: 'A namespace has at most 63 lower-case letters, digits and dashes. Quote it if it reads as a number.',
    });
  }
  const placed = { ...id, namespace };
  if (!isOutOfReach(placed, reach)) return placed;
  return problemOf(manifest, {
    code: 'NamespaceNotAllowed',
    message: `${formatId(placed)}: this Application may only write to its own namespace ${reach.namespace}.`,
    object: placed,
    hint: HOW_TO_EXTEND_REACH,
  });
}

function clusterScoped(manifest: Manifest, id: ObjectId, options: PlaceOptions): { readonly problem: Problem } {
  return problemOf(manifest, {
    code: 'NamespaceNotAllowed',
    message:
      `${formatId(id)}: this Application may only write to its own namespace ${options.reach.namespace}, ` +
      'and the object is cluster-scoped.',
    object: id,
    hint: HOW_TO_EXTEND_REACH,
  });
}

function unnamed(manifest: Manifest): { readonly problem: Problem } {
  const { apiVersion, kind, metadata } = manifest.object;
  if (own(metadata, 'generateName') !== undefined) {
    return problemOf(manifest, {
      code: 'ReservedField',
      message: `A ${kind} (${apiVersion}) has metadata.generateName: every apply would create another object.`,
      hint: 'Give it a metadata.name.',
    });
  }
  const name = own(metadata, 'name');
  if (typeof name === 'number' || typeof name === 'bigint' || typeof name === 'boolean') {
    return problemOf(manifest, {
      code: 'NotAnObject',
      message: `A ${kind} (${apiVersion}) has the metadata.name ${name}, which YAML reads as a ${typeof name === 'boolean' ? 'boolean' : 'number'}.`,
      hint: `Quote it: name: "${name}".`,
    });
  }
  return problemOf(manifest, {
    code: 'NotAnObject',
    message: `A ${kind} (${apiVersion}) has no metadata.name.`,
    hint: 'Give it a metadata.name.',
  });
}

/** A problem of a manifest, with its file and line. `object` defaults to the id that the manifest itself gives. */
export function problemOf(
  manifest: Manifest,
  found: { code: ProblemCode; message: string; hint: string; object?: ObjectId },
): { readonly problem: Problem } {
  const { file, line, object } = manifest;
  const id = idOf(object);
  return { problem: { ...found, file, line, ...(found.object || id.name ? { object: found.object ?? id } : {}) } };
}
