/**
 * A fresh folder for one run of helm, with the files of the chart and an empty home.
 *
 * Invariants: only regular files are written, with mode 0600, and only below the folder. The folder is removed after
 * the run, whether it succeeds or fails.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExitHooks } from '../process/exit-hooks.ts';
import type { ChartFile } from '../render/helm/chart-files.ts';

export interface RunFolder {
  readonly path: string;
  /** An empty folder, for everything that helm would keep in a home. */
  readonly home: string;
}

const PREFIX = 'helm-';

/** Creates the folder in `parent`, which is created too. Rejects with the error of the file system. */
export async function withRunFolder<T>(
  {
    parent,
    files,
    hooks,
  }: { readonly parent: string; readonly files: readonly ChartFile[]; readonly hooks: ExitHooks },
  work: (folder: RunFolder) => Promise<T>,
): Promise<T> {
  for (const { path } of files) checkPath(path);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const path = await mkdtemp(join(parent, PREFIX));
  const removeHook = hooks.add(() => rmSync(path, { recursive: true, force: true }));
  try {
    const home = join(path, 'home');
    await mkdir(home, { mode: 0o700 });
    await writeFiles(path, files);
    return await work({ path, home });
  } finally {
    await rm(path, { recursive: true, force: true });
    removeHook();
  }
}

/** Removes the folders that a killed process left in `parent`. No helm may run there. */
export async function removeLeftovers(parent: string): Promise<void> {
  await rm(parent, { recursive: true, force: true });
}

async function writeFiles(folder: string, files: readonly ChartFile[]): Promise<void> {
  const folders = new Set(files.map(({ path }) => dirname(join(folder, path))));
  for (const one of folders) await mkdir(one, { recursive: true, mode: 0o700 });
  for (const { path, bytes } of files) await writeFile(join(folder, path), bytes, { mode: 0o600, flag: 'wx' });
}

/** The paths come from a process that reads untrusted data. */
function checkPath(path: string): void {
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isPlain || path.includes('\0')) throw new Error(`not a relative path of a file: ${JSON.stringify(path)}`);
}
