/**
 * Helm, sops, other repositories and charts for renders on a person's machine. Each is opened when a render asks for it
 * first, since most renders need none of them. Nothing stays on the disk.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Helm } from '../helm/helm.ts';
import type { Answer, ChartNeed, RepositoryNeed, SealedNeed } from '../render/needs.ts';
import type { Sops } from '../sops/sops.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { Git } from './open-git.ts';

export interface LocalEdges {
  git(): Promise<Git>;
  helm(): Promise<Helm>;
  /** The content of a sealed file, opened with the person's own keys. Throws StageError. */
  open(need: SealedNeed): Promise<Answer>;
  /** The snapshot of a repository or chart that a render asks for, read without a credential. Throws StageError. */
  snapshotOf(need: RepositoryNeed | ChartNeed): Promise<Snapshot>;
}

/** Paths or names of programs. */
export interface LocalPrograms {
  readonly helm: string;
  /** undefined: sealed files are not opened. */
  readonly sops: string | undefined;
}

export async function withLocalEdges<T>(programs: LocalPrograms, run: (edges: LocalEdges) => Promise<T>): Promise<T> {
  let folder: Promise<string> | undefined;
  const dataDir = (): Promise<string> => (folder ??= mkdtemp(join(tmpdir(), 'tautline-')));
  let git: Promise<Git> | undefined;
  let helm: Promise<Helm> | undefined;
  let sops: Promise<Sops> | undefined;
  const openGit = (): Promise<Git> => (git ??= import('./open-git.ts').then(async (it) => it.openGit(await dataDir())));
  const openHelm = (): Promise<Helm> => (helm ??= dataDir().then((dir) => startHelm(programs.helm, dir)));
  try {
    return await run({
      git: openGit,
      helm: openHelm,
      async open(need) {
        if (programs.sops === undefined) return NOT_OPENED;
        return openAsPerson(await (sops ??= startSops(programs.sops)), need);
      },
      async snapshotOf(need) {
        const { source } = await openGit();
        const place = { repoUrl: need.repoURL, chart: need.type === 'chart' ? need.name : undefined };
        const revision = need.type === 'chart' ? need.version || 'HEAD' : need.revision;
        return source.fetch({ ...place, resolved: await source.poll({ ...place, revision }) });
      },
    });
  } finally {
    (await helm)?.close();
    (await sops)?.close();
    await (await git)?.close();
    if (folder) await rm(await folder, { recursive: true, force: true });
  }
}

const NOT_OPENED: Answer = {
  type: 'refused',
  problem: {
    code: 'Sealed',
    message: 'the file is sealed by SOPS, and is not opened',
    hint: 'Add --sops sops to open sealed files with your own keys.',
  },
};

async function openAsPerson(sops: Sops, sealed: SealedNeed): Promise<Answer> {
  const { ownEnvironment } = await import('../config/environment.ts');
  const keys = { type: 'own', environment: ownEnvironment() } as const;
  return sops.open({ sealed, keys, tenant: '', signal: new AbortController().signal });
}

async function startSops(program: string): Promise<Sops> {
  const { readConfig } = await import('../config/config.ts');
  const { searchPath } = await import('../config/environment.ts');
  const { openSops } = await import('../sops/open-sops.ts');
  const read = readConfig({ sopsProgram: program }, {});
  if (!read.ok) throw new RangeError(read.problem);
  return openSops(read.config, { searchPath: searchPath(), maxWaiting: Infinity });
}

async function startHelm(program: string, dataDir: string): Promise<Helm> {
  const { readConfig } = await import('../config/config.ts');
  const { searchPath } = await import('../config/environment.ts');
  const { openHelm } = await import('../helm/open-helm.ts');
  const read = readConfig({ dataDir, helmProgram: program }, {});
  if (!read.ok) throw new RangeError(read.problem);
  return openHelm(read.config, { searchPath: searchPath(), maxWaiting: Infinity });
}
