/** Sorts the rendered objects as kustomize prints them: by `sortOptions`, or by kind. */
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
    // The order of groups is reversed for kinds called Namespace, so that the core kind comes before custom ones.
    const sign = a.isNamespace && b.isNamespace ? -1 : 1;
    return a.rank - b.rank || sign * compare(a.gvk, b.gvk) || compare(a.id, b.id);
  });
  return keyed.map(({ resource }) => resource);
}

function checkOptions(options: NonNullable<Kustomization['sortOptions']>): void {
  if (options.order !== 'fifo' && options.order !== 'legacy') {
    fail('KustomizationInvalid', `sortOptions.order must be fifo or legacy, but is "${options.order}"`);
  }
  if (options.order === 'fifo' && options.legacySortOptions !== undefined) {
    fail('KustomizationInvalid', 'sortOptions.legacySortOptions must not be set if the order is fifo');
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

/** Compares by the bytes of UTF-8, which is the order of code points. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
