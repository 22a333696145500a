/**
 * Helm, other repositories and charts for renders on a person's machine. Each is opened when a render asks for it
 * first, since most renders need none of them. Nothing stays on the disk.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Helm } from '../helm/helm.ts';
import type { ChartNeed, RepositoryNeed } from '../render/needs.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { Git } from './open-git.ts';

export interface LocalEdges {
  git(): Promise<Git>;
  helm(): Promise<Helm>;
  /** The snapshot of a repository or chart that a render asks for, read without a credential. Throws StageError. */
  snapshotOf(need: RepositoryNeed | ChartNeed): Promise<Snapshot>;
}

/** `helmProgram`: path or name of helm. */
export async function withLocalEdges<T>(helmProgram: string, run: (edges: LocalEdges) => Promise<T>): Promise<T> {
  let folder: Promise<string> | undefined;
  const dataDir = (): Promise<string> => (folder ??= mkdtemp(join(tmpdir(), 'tautline-')));
  let git: Promise<Git> | undefined;
  let helm: Promise<Helm> | undefined;
  const openGit = (): Promise<Git> => (git ??= import('./open-git.ts').then(async (it) => it.openGit(await dataDir())));
  const openHelm = (): Promise<Helm> => (helm ??= dataDir().then((dir) => startHelm(helmProgram, dir)));
  try {
    return await run({
      git: openGit,
      helm: openHelm,
      async snapshotOf(need) {
        const { source } = await openGit();
        const place = { repoUrl: need.repoURL, chart: need.type === 'chart' ? need.name : undefined };
        const revision = need.type === 'chart' ? need.version || 'HEAD' : need.revision;
        return source.fetch({ ...place, resolved: await source.poll({ ...place, revision }) });
      },
    });
  } finally {
    (await helm)?.close();
    await (await git)?.close();
    if (folder) await rm(await folder, { recursive: true, force: true });
  }
}

async function startHelm(program: string, dataDir: string): Promise<Helm> {
  const { readConfig, searchPath } = await import('../config.ts');
  const { openHelm } = await import('../helm/open-helm.ts');
  const read = readConfig({ dataDir, helmProgram: program }, {});
  if (!read.ok) throw new RangeError(read.problem);
  return openHelm(read.config, { searchPath: searchPath(), maxWaiting: Infinity });
}
