/**
 * Finds the kind of a manifest by discovery, else by a CRD of the same render. Invariant: discovery takes precedence;
 * the kinds of a group that does not answer are unavailable, never unknown.
 */
import { kindKey, type KindInfo, type Kinds } from '../cluster/kinds.ts';
import { apiVersionOf, formatId, groupOf, idOf, type ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import { isMap, listAt, own, stringAt, valueAt, type KubeObject } from '../object/value.ts';
import type { Manifest } from '../render/manifests.ts';

export interface BoundKind {
  readonly info: KindInfo;
  /** Set if only a CRD of this render defines the kind. */
  readonly awaitsCrd?: ObjectId;
  /** Equal if and only if `info` and `awaitsCrd` are equal. */
  readonly digest: string;
}

export type KindLookup = (manifest: Manifest) => BoundKind | { readonly problem: Problem };

/** Reads the CRDs among the manifests once, so that each look-up is a map access. */
export function createKindLookup(kinds: Kinds, manifests: readonly Manifest[]): KindLookup {
  const bound = new Map<string, BoundKind>();
  const defined = definedKinds(manifests);
  return (manifest) => {
    const { apiVersion, kind } = manifest.object;
    const key = kindKey(apiVersion, kind);
    const known = bound.get(key);
    if (known) return known;
    const served = kinds.served.get(key);
    const isStale = kinds.stale.has(apiVersion);
    const found = served ? withDigest({ info: served }) : isStale ? undefined : defined.get(key);
    if (!found) return { problem: isStale ? unavailable(manifest) : unknown(manifest, kinds) };
    bound.set(key, found);
    return found;
  };
}

function definedKinds(manifests: readonly Manifest[]): Map<string, BoundKind> {
  const defined = new Map<string, BoundKind>();
  for (const { object } of manifests) {
    if (object.kind !== 'CustomResourceDefinition' || groupOf(object.apiVersion) !== 'apiextensions.k8s.io') continue;
    for (const bound of kindsOfCrd(object)) defined.set(kindKey(apiVersionOfKind(bound.info), bound.info.kind), bound);
  }
  return defined;
}

function kindsOfCrd(crd: KubeObject): BoundKind[] {
  const spec = own(crd, 'spec');
  const group = stringAt(spec, 'group');
  const kind = stringAt(spec, 'names', 'kind');
  const plural = stringAt(spec, 'names', 'plural');
  if (!group || !kind || !plural) return [];
  const bound: BoundKind[] = [];
  for (const item of listAt(spec, 'versions')) {
    const version = stringAt(item, 'name');
    if (!version || valueAt(item, 'served') === false) continue;
    const info: KindInfo = {
      group,
      version,
      kind,
      plural,
      isNamespaced: stringAt(spec, 'scope') !== 'Cluster',
      hasStatus: isMap(valueAt(item, 'subresources', 'status')),
      isWatchable: true,
    };
    bound.push(withDigest({ info, awaitsCrd: { ...idOf(crd), namespace: '' } }));
  }
  return bound;
}

function withDigest(bound: Omit<BoundKind, 'digest'>): BoundKind {
  const { info, awaitsCrd } = bound;
  const facts = [info.group, info.version, info.kind, info.plural, info.isNamespaced, info.hasStatus, info.isWatchable];
  return { ...bound, digest: [...facts, awaitsCrd?.name ?? ''].join(' ') };
}

function apiVersionOfKind(info: KindInfo): string {
  return `${info.group}/${info.version}`;
}

function unavailable({ object, file, line }: Manifest): Problem {
  return {
    code: 'KindUnavailable',
    message: `${formatId(idOf(object))}: the API ${object.apiVersion} does not answer, so its kinds are unknown.`,
    file,
    line,
    object: idOf(object),
    hint: `Check the APIService that serves ${object.apiVersion}. Tautline tries again by itself.`,
  };
}

/** The kind in other capitals, or in another group, as after the move of Ingress out of extensions/v1beta1. */
function servedElsewhere({ apiVersion, kind }: KubeObject, { served }: Kinds): string | undefined {
  const others: string[] = [];
  for (const info of served.values()) {
    if (info.kind.toLowerCase() !== kind.toLowerCase()) continue;
    if (info.kind !== kind && apiVersionOf(info.group, info.version) === apiVersion) {
      return `Write ${info.kind}: kinds are case-sensitive.`;
    }
    if (info.kind === kind) others.push(apiVersionOf(info.group, info.version));
  }
  if (others.length === 0) return undefined;
  return `It serves ${kind} in ${others.sort().join(', ')}: if that is the same kind, change apiVersion.`;
}

function unknown({ object, file, line }: Manifest, kinds: Kinds): Problem {
  const versions: string[] = [];
  for (const info of kinds.served.values()) {
    if (info.kind === object.kind && info.group === groupOf(object.apiVersion)) versions.push(info.version);
  }
  return {
    code: 'KindUnknown',
    message: `${formatId(idOf(object))}: the cluster does not serve the kind ${object.kind} in ${object.apiVersion}.`,
    file,
    line,
    object: idOf(object),
    hint: versions.length
      ? `It serves this kind in version ${versions.sort().join(', ')}: change apiVersion.`
      : (servedElsewhere(object, kinds) ??
        'Install the CustomResourceDefinition or API server that defines the kind, or add the definition to Git.'),
  };
}
