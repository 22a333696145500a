/**
 * Hands keys to a program by an open descriptor, so that they are neither on a disk nor in an environment.
 *
 * Invariant: the file behind the descriptor is in memory, and has no name when the program starts. (A pipe would not
 * do: those of Node are sockets, which cannot be opened as /dev/fd/3.)
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Types of file systems in memory: tmpfs and ramfs. */
const MEMORY_TYPES: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Whether a file in the folder stays in memory. False also if there is no such folder. */
export function isInMemory(folder: string): boolean {
  try {
    return MEMORY_TYPES.has(statfsSync(folder).type);
  } catch {
    return false;
  }
}

/** Rejects with the error of the system if the folder cannot be written, or as `use` does. */
export async function withDescriptor<T>(
  { folder, text }: { readonly folder: string; readonly text: string },
  use: (descriptor: number) => Promise<T>,
): Promise<T> {
  const path = join(folder, `tautline-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    writeSync(descriptor, text);
    return await use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
