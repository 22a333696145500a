/** The sizes of the renders that Applications keep in memory. */
import { namespaceOf } from '../../application/keys.ts';
import type { ApplicationRecord } from '../memory.ts';

/** The sums over all Applications but a given one. */
export interface RenderedSizes {
  /** The sum within the namespace of the given one. */
  readonly namespaceBytes: number;
  readonly totalBytes: number;
  /** Namespaces that keep a render, the given one included. */
  readonly namespaces: number;
}

/** One addition for each Application; it is computed only before a new render is kept. */
export function sumRendered(
  records: Iterable<Pick<ApplicationRecord, 'key' | 'memory'>>,
  exceptKey: string,
): RenderedSizes {
  const own = namespaceOf(exceptKey);
  const namespaces = new Set([own]);
  let [namespaceBytes, totalBytes] = [0, 0];
  for (const { key, memory } of records) {
    const { rendered, boundBytes } = memory.desired;
    // The objects of an earlier render are kept while a newer one is broken.
    const sizeBytes = Math.max(rendered?.manifests.sizeBytes ?? 0, boundBytes);
    if (sizeBytes === 0 || key === exceptKey) continue;
    const namespace = namespaceOf(key);
    namespaces.add(namespace);
    totalBytes += sizeBytes;
    if (namespace === own) namespaceBytes += sizeBytes;
  }
  return { namespaceBytes, totalBytes, namespaces: namespaces.size };
}
