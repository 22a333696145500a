/**
 * Renders the manifests of an Application on a person's machine, from its current commit or from a local folder.
 *
 * Invariant: files of a repository are read in the sandbox, as in the agent. A credential is sent only to the host of
 * its repository. Nothing stays on the disk.
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

/** A command runs two jobs: it checks the fetched pack and renders the snapshot. */
const MAX_QUEUED_JOBS = 16;

export interface Rendered {
  /** The rendered revision or folder, for people. */
  readonly origin: string;
  readonly manifests: Manifests;
}

/** `dir` is the folder that replaces spec.source.path. */
export function renderLocal(dir: string): Rendered {
  const rendered = renderPath({ tree: openLocalTree(LOCAL_ROOT), path: pathInTree(dir), limits: LOCAL_LIMITS });
  const manifests = rendered.manifests.map((manifest) => ({ ...manifest, file: pathFromHere(manifest.file) }));
  const problems = rendered.problems.map((problem) =>
    problem.file === undefined ? problem : { ...problem, file: pathFromHere(problem.file) },
  );
  return { origin: dir, manifests: { ...rendered, manifests, problems } };
}

/** Renders the revision in the status, or the newest if the status has none. Throws StageError. */
export async function renderCommit(cluster: UserCluster, application: Application): Promise<Rendered> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tautline-diff-'));
  const read = readConfig({ dataDir }, {});
  if (!read.ok) throw new RangeError(read.problem);
  const { config } = read;
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const sandbox = openSandbox(config, { maxQueuedJobs: MAX_QUEUED_JOBS, log: SILENT, clock });
  const limits = defaultSourceLimits;
  const transport = createHttpTransport({ limits, proxy: proxySettings(), clock });
  const source = createGitSource({ dataDir, limits, sandbox, transport, log: SILENT, clock });
  try {
    const snapshot = await fetchRevision(source, cluster, application);
    const { maxObjectBytes, maxDeltaDepth, cacheBytes } = limits;
    const request = {
      snapshot,
      path: sourcePath(application.spec.source.path),
      previous: undefined,
      tenant: '',
      signal: new AbortController().signal,
    };
    const manifests = await renderInSandbox(sandbox, request, {
      limits: LOCAL_LIMITS,
      treeLimits: { maxObjectBytes, maxDeltaDepth, cacheBytes },
      parsedCacheBytes: config.renderCacheMib * 1024 * 1024,
      deadlineMs: config.renderTimeoutMs,
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
  // The Secret is read with the person's own rights. Without them, a comparison with a folder is still possible.
  const credential = await readCredential({
    application,
    identity: agentIdentity,
    context: { hub: { as: () => cluster.client } },
  }).catch((error: unknown) => {
    if (!(error instanceof StageError) || error.code !== 'SecretForbidden') throw error;
    const message =
      'you may not read the Secret of spec.source.secretRef; use --local to compare with a folder instead';
    throw new StageError({ stage: 'source', code: error.code, retry: 'never', message });
  });
  const repository = { repoUrl: repoURL, credential };
  const known = application.status.sync?.revision;
  const resolved =
    (known === undefined ? undefined : readRevision(known)) ?? (await source.poll({ ...repository, revision }));
  return source.fetch({ ...repository, resolved });
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
