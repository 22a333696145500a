/**
 * Merges field specs: the defaults, those of configuration files and those of bases.
 *
 * Invariant: every list is in the order in which kustomize processes it (well-known kinds first).
 */
import { mergeSpecs } from './field-spec.ts';
import { DEFAULT_FIELD_SPECS, NO_FIELD_SPECS, type FieldSpecs } from './field-specs/defaults.ts';
import type { NameReference } from './field-specs/name-references.ts';
import { kindRank } from './kind-order.ts';
import type { Gvk } from './resource-id.ts';

export const DEFAULTS: FieldSpecs = sortAll(DEFAULT_FIELD_SPECS);

/** Merges two tables; equal specs are kept once. Fails if two specs contradict each other. */
export function mergeFieldSpecs(specs: FieldSpecs, incoming: FieldSpecs): FieldSpecs {
  // Most bases have only the defaults. They are not merged, because there may be thousands of bases.
  if (incoming === specs || incoming === NO_FIELD_SPECS) return specs;
  if (specs === NO_FIELD_SPECS && incoming === DEFAULTS) return incoming;
  return sortAll({
    namePrefix: mergeSpecs(specs.namePrefix, incoming.namePrefix),
    nameSuffix: mergeSpecs(specs.nameSuffix, incoming.nameSuffix),
    namespace: mergeSpecs(specs.namespace, incoming.namespace),
    commonLabels: mergeSpecs(specs.commonLabels, incoming.commonLabels),
    labels: mergeSpecs(specs.labels, incoming.labels),
    templateLabels: mergeSpecs(specs.templateLabels, incoming.templateLabels),
    volumeClaimTemplateLabels: mergeSpecs(specs.volumeClaimTemplateLabels, incoming.volumeClaimTemplateLabels),
    commonAnnotations: mergeSpecs(specs.commonAnnotations, incoming.commonAnnotations),
    nameReference: mergeReferences(specs.nameReference, incoming.nameReference),
    varReference: mergeSpecs(specs.varReference, incoming.varReference),
    images: mergeSpecs(specs.images, incoming.images),
    replicas: mergeSpecs(specs.replicas, incoming.replicas),
  });
}

function mergeReferences(references: readonly NameReference[], incoming: readonly NameReference[]): NameReference[] {
  const result = new Map(references.map((reference) => [gvkKey(reference), reference]));
  for (const reference of incoming) {
    const key = gvkKey(reference);
    const known = result.get(key);
    const fieldSpecs = known ? mergeSpecs(known.fieldSpecs, reference.fieldSpecs) : reference.fieldSpecs;
    result.set(key, { ...reference, fieldSpecs });
  }
  return [...result.values()];
}

function gvkKey({ group, version, kind }: Gvk): string {
  return `${group}\0${version}\0${kind}`;
}

function sortAll(specs: FieldSpecs): FieldSpecs {
  return Object.fromEntries(
    Object.entries(specs).map(([name, list]: [string, readonly Gvk[]]) => [name, [...list].sort(compareGvk)]),
  ) as unknown as FieldSpecs;
}

function compareGvk(a: Gvk, b: Gvk): number {
  const rank = kindRank(a.kind) - kindRank(b.kind);
  if (rank !== 0) return rank;
  const [left, right] = [sortText(a), sortText(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function sortText({ group, version, kind }: Gvk): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}
