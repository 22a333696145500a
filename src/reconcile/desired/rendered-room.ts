/**
 * Decides whether the agent may keep another render in memory.
 *
 * Invariant: a namespace never keeps more than its bound. All namespaces together keep at most twice the total bound:
 * while the total is used up, a namespace still gets an equal share of it, so that no tenant can use up the memory that
 * others need.
 */
import { toMib } from '../../object/size.ts';
import type { StageError } from '../../object/stage-error.ts';
import { tooLarge } from '../../render/rendered-size.ts';
import type { RenderedSizes } from '../neighbours/rendered-sizes.ts';

export interface RenderedRoom {
  readonly maxNamespaceRenderedBytes: number;
  readonly maxTotalRenderedBytes: number;
}

/** The error for a render of this size; undefined if there is room for it. */
export function refuseRendered(
  sizeBytes: number,
  { namespaceBytes, totalBytes, namespaces }: RenderedSizes,
  { maxNamespaceRenderedBytes, maxTotalRenderedBytes }: RenderedRoom,
): StageError | undefined {
  const ownBytes = namespaceBytes + sizeBytes;
  if (ownBytes > maxNamespaceRenderedBytes) {
    return tooLarge(
      `the rendered objects of this namespace would have a size of ${toMib(ownBytes)} MiB, more than ` +
        `${toMib(maxNamespaceRenderedBytes)} MiB (--max-namespace-rendered-mib). ` +
        'Remove Applications or objects of this namespace, or increase the setting.',
    );
  }
  const isShareUsed = ownBytes > maxTotalRenderedBytes / Math.max(1, namespaces);
  if (totalBytes + sizeBytes <= maxTotalRenderedBytes || !isShareUsed) return undefined;
  return tooLarge(
    `the rendered objects of all Applications would have a size of more than ${toMib(maxTotalRenderedBytes)} MiB ` +
      '(--max-total-rendered-mib), and this namespace has more than its share. ' +
      'Increase the setting together with --heap-mib.',
  );
}
