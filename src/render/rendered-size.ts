/** The size of a render, which bounds the memory that another process needs to hold it. */
import { sizeOf, toMib } from '../object/size.ts';
import { StageError } from '../object/stage-error.ts';
import type { Value } from '../object/value.ts';
import type { Manifests } from './manifests.ts';

export interface RenderedSizeLimits {
  /** Size of one rendered object. */
  readonly maxRenderedObjectBytes: number;
  /** Size of all objects of one render. */
  readonly maxRenderedBytes: number;
}

/** The size of all objects, of the problems and of the names of files. Throws StageError TooLarge beyond a bound. */
export function measureRendered(
  { manifests, problems, warnings, readSet }: Manifests,
  { maxRenderedObjectBytes, maxRenderedBytes }: RenderedSizeLimits,
): number {
  let totalBytes = sizeOf([[...problems], [...warnings], readSet] as unknown as Value);
  for (const { object, file, line } of manifests) {
    const sizeBytes = sizeOf(object);
    if (sizeBytes > maxRenderedObjectBytes) {
      const name = `${object.kind} ${String(object.metadata['name'])} (${file}:${line})`;
      throw tooLarge(
        `${name} has a size of ${toMib(sizeBytes)} MiB, more than ${toMib(maxRenderedObjectBytes)} MiB ` +
          '(--max-object-mib). Make the object smaller.',
      );
    }
    totalBytes += sizeBytes;
    if (totalBytes > maxRenderedBytes) {
      throw tooLarge(
        `the rendered objects have a size of more than ${toMib(maxRenderedBytes)} MiB (--max-rendered-mib). ` +
          'Split the Application, or increase the setting.',
      );
    }
  }
  return totalBytes;
}

export function tooLarge(message: string): StageError {
  return new StageError({ stage: 'render', code: 'TooLarge', retry: 'backoff', message });
}
