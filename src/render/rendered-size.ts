/** The size of a render, which bounds the memory that another process needs to hold it. */
import { StageError } from '../object/stage-error.ts';
import { isMap, type Value } from '../object/value.ts';
import type { Manifests } from './manifests.ts';

export interface RenderedSizeLimits {
  /** Size of one rendered object. */
  readonly maxRenderedObjectBytes: number;
  /** Size of all objects of one render. */
  readonly maxRenderedBytes: number;
}

/** A value takes at least this much beside its text, in bytes: `[]` and `0` are short as JSON, but not in memory. */
const BYTES_PER_VALUE = 16;

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

/** The estimated memory of a value: the bytes of its texts, and a fixed number for each value. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return BYTES_PER_VALUE + Buffer.byteLength(value);
  let bytes = BYTES_PER_VALUE;
  if (Array.isArray(value)) {
    for (const item of value) bytes += sizeOf(item);
  } else if (isMap(value)) {
    for (const key of Object.keys(value)) bytes += Buffer.byteLength(key) + sizeOf(value[key] as Value);
  }
  return bytes;
}

export function tooLarge(message: string): StageError {
  return new StageError({ stage: 'render', code: 'TooLarge', retry: 'backoff', message });
}

export function toMib(bytes: number): string {
  return String(Math.round((bytes / (1024 * 1024)) * 10) / 10);
}
