/**
 * Where a manifest goes: its identity in the cluster, by the scope of its kind and not by what it says, or the problem
 * that keeps it from having one.
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
/** What may stand as one segment of a request path, whatever the kind says beyond that. */
const PATH_SEGMENT = /^(?!\.{1,2}$)[^/%]{1,253}$/u;

export function placeManifest(manifest: Manifest, options: PlaceOptions): ObjectId | { readonly problem: Problem } {
  const { metadata } = manifest.object;
  const name = own(metadata, 'name');
  if (typeof name !== 'string' || name === '') return unnamed(manifest);
  if (!PATH_SEGMENT.test(name) || !isPrintable(name)) {
    return problemOf(manifest, {
      code: 'InvalidObject',
      message: `${formatId(idOf(manifest.object))}: metadata.name cannot be the name of an object.`,
      hint: "A name has at most 253 characters and holds no '/', no '%' and nothing invisible.",
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
      message: `${id.kind} ${id.name}: metadata.namespace is not the name of a namespace.`,
      hint: 'A namespace has at most 63 lower-case letters, digits and dashes; quote it where it reads as a number.',
    });
  }
  const placed = { ...id, namespace };
  if (!isOutOfReach(placed, reach)) return placed;
  return problemOf(manifest, {
    code: 'NamespaceNotAllowed',
    message: `${formatId(placed)}: this Application may write into its own namespace ${reach.namespace} only.`,
    object: placed,
    hint: HOW_TO_EXTEND_REACH,
  });
}

function clusterScoped(manifest: Manifest, id: ObjectId, options: PlaceOptions): { readonly problem: Problem } {
  return problemOf(manifest, {
    code: 'NamespaceNotAllowed',
    message:
      `${formatId(id)}: this Application may write into its own namespace ${options.reach.namespace} only, ` +
      'and the object belongs to no namespace.',
    object: id,
    hint: HOW_TO_EXTEND_REACH,
  });
}

function unnamed(manifest: Manifest): { readonly problem: Problem } {
  const { apiVersion, kind, metadata } = manifest.object;
  if (own(metadata, 'generateName') !== undefined) {
    return problemOf(manifest, {
      code: 'ReservedField',
      message: `A ${kind} (${apiVersion}) has metadata.generateName: it would become another object at every apply.`,
      hint: 'Give it a metadata.name.',
    });
  }
  return problemOf(manifest, {
    code: 'NotAnObject',
    message: `A ${kind} (${apiVersion}) has no metadata.name.`,
    hint: 'Give it a metadata.name.',
  });
}

/** A problem of this manifest, at its place; `object` by default as far as it says itself. */
export function problemOf(
  manifest: Manifest,
  what: { code: ProblemCode; message: string; hint: string; object?: ObjectId },
): { readonly problem: Problem } {
  const { file, line, object } = manifest;
  const id = idOf(object);
  return { problem: { ...what, file, line, ...(what.object || id.name ? { object: what.object ?? id } : {}) } };
}
