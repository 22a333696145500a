/** Puts the rendered objects into the order in which kustomize prints them: `sortOptions`, or the order of kinds. */
import { fail } from '../fail.ts';
import { ORDER_FIRST, ORDER_LAST, rankKinds } from './kind-order.ts';
import type { Kustomization } from './kustomization.ts';
import { currentId, type ResourceId } from './resource-id.ts';
import type { Resource } from './resource.ts';

export function sortResources(resources: readonly Resource[], options: Kustomization['sortOptions']): Resource[] {
  if (options !== undefined) checkOptions(options);
  if (options?.order === 'fifo') return [...resources];
  const legacy = options?.legacySortOptions;
  const ranks = rankKinds(legacy?.orderFirst ?? ORDER_FIRST, legacy?.orderLast ?? ORDER_LAST);
  const keyed = resources.map((resource) => {
    const id = currentId(resource.node);
    return { resource, rank: ranks.get(id.kind) ?? 0, gvk: gvkText(id), isNamespace: isNamespace(id), id: idText(id) };
  });
  keyed.sort((a, b) => {
    // The core kind Namespace comes before custom kinds of that name, though its missing group sorts last.
    const sign = a.isNamespace && b.isNamespace ? -1 : 1;
    return a.rank - b.rank || sign * compare(a.gvk, b.gvk) || compare(a.id, b.id);
  });
  return keyed.map(({ resource }) => resource);
}

function checkOptions(options: NonNullable<Kustomization['sortOptions']>): void {
  if (options.order !== 'fifo' && options.order !== 'legacy') {
    fail('KustomizationInvalid', `sortOptions.order must be fifo or legacy, and is "${options.order}"`);
  }
  if (options.order === 'fifo' && options.legacySortOptions !== undefined) {
    fail('KustomizationInvalid', 'sortOptions.legacySortOptions is set, but the order is fifo');
  }
}

function gvkText({ group, version, kind }: ResourceId): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

function isNamespace({ kind }: ResourceId): boolean {
  return kind === 'Namespace';
}

function idText({ namespace, name }: ResourceId): string {
  return `${namespace || '~X'}|${name || '~N'}`;
}

/** By bytes of UTF-8, which is by code point. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
