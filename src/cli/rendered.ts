/**
 * What an Application says, rendered on a person's machine: out of the commit that it is at, or out of a folder.
 *
 * Invariant: what came from a repository is read in the sandbox, as in the agent; what a credential's Secret holds goes
 * to the repository's own host and nowhere else. Nothing stays on the disk.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourcePath } from '../application/parse.ts';
import type { Application } from '../application/schema.ts';
import { proxySettings, readConfig } from '../config.ts';
import { StageError } from '../object/stage-error.ts';
import { agentIdentity } from '../cluster/identity.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import { readCredential } from '../reconcile/desired/read-credential.ts';
import type { Manifests } from '../render/manifests.ts';
import { renderPath } from '../render/render.ts';
import { openSandbox } from '../sandbox/open-sandbox.ts';
import { renderInSandbox } from '../sandbox/render-job.ts';
import { defaultSourceLimits } from '../source/limits.ts';
import { readRevision } from '../source/revision.ts';
import { createGitSource, type GitSource } from '../source/source.ts';
import { createHttpTransport } from '../source/transport/http-transport.ts';
import type { Log } from '../telemetry/ports.ts';
import { LOCAL_ROOT, openLocalTree, pathFromHere, pathInTree } from './local-tree.ts';
import { LOCAL_LIMITS } from './render.ts';

/** A command has two jobs at most: to check what it fetched, and to render it. */
const MAX_QUEUED_JOBS = 16;

export interface Rendered {
  /** What was rendered, for people: a revision, or a folder. */
  readonly origin: string;
  readonly manifests: Manifests;
}

/** `dir`: the folder that stands for spec.source.path. */
export function renderLocal(dir: string): Rendered {
  const rendered = renderPath({ tree: openLocalTree(LOCAL_ROOT), path: pathInTree(dir), limits: LOCAL_LIMITS });
  const manifests = rendered.manifests.map((manifest) => ({ ...manifest, file: pathFromHere(manifest.file) }));
  const problems = rendered.problems.map((problem) =>
    problem.file === undefined ? problem : { ...problem, file: pathFromHere(problem.file) },
  );
  return { origin: dir, manifests: { ...rendered, manifests, problems } };
}

/** The revision that the status names, or the newest where it names none. Throws StageError. */
export async function renderCommit(cluster: UserCluster, application: Application): Promise<Rendered> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tautline-diff-'));
  const read = readConfig({ dataDir }, {});
  if (!read.ok) throw new RangeError(read.problem);
  const { config } = read;
  const sandbox = openSandbox({ ...config, sandboxSlots: 1 }, MAX_QUEUED_JOBS, SILENT);
  const limits = defaultSourceLimits;
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const transport = createHttpTransport({ limits, proxy: proxySettings(), clock });
  const source = createGitSource({ dataDir, limits, sandbox, transport, log: SILENT, clock });
  try {
    const snapshot = await fetchRevision(source, cluster, application);
    const { maxObjectBytes, maxDeltaDepth, cacheBytes } = limits;
    const request = {
      snapshot,
      path: sourcePath(application.spec.source.path),
      previous: undefined,
      signal: new AbortController().signal,
    };
    const manifests = await renderInSandbox(sandbox, request, {
      limits: LOCAL_LIMITS,
      treeLimits: { maxObjectBytes, maxDeltaDepth, cacheBytes },
      parsedCacheBytes: config.renderCacheMib * 1024 * 1024,
      deadlineMs: config.renderTimeout,
    });
    return { origin: snapshot.revision, manifests };
  } finally {
    await source.close();
    sandbox.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function fetchRevision(source: GitSource, cluster: UserCluster, application: Application) {
  const { repoURL, revision } = application.spec.source;
  // With the person's rights: who may not read the Secret may still compare with a folder.
  const credential = await readCredential({
    application,
    identity: agentIdentity,
    context: { hub: { as: () => cluster.client } },
  }).catch((error: unknown) => {
    if (!(error instanceof StageError) || error.code !== 'SecretForbidden') throw error;
    const message = 'you may not read the Secret of spec.source.secretRef; compare with a folder by --local instead';
    throw new StageError({ stage: 'source', code: error.code, retry: 'never', message });
  });
  const repository = { repoUrl: repoURL, credential };
  const known = application.status.sync?.revision;
  const resolved =
    (known === undefined ? undefined : readRevision(known)) ?? (await source.poll({ ...repository, revision }));
  return source.fetch({ ...repository, resolved });
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
