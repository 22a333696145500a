/**
 * Fetches one commit, without its history, as one pack file. isomorphic-git negotiates over a file system in memory
 * that holds nothing but the id of the commit that is on disk already; the pack does not pass through it.
 */
import { open } from 'node:fs/promises';
import { fetch, Errors } from 'isomorphic-git';
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import type { CheckedAnswer } from './fetch-answer.ts';
import { createFetchPlugin, WANTED_REF } from './fetch-plugin.ts';
import type { SourceLimits } from '../limits.ts';
import { createMemoryFs } from './memory-fs.ts';
import { malformed } from './answer-error.ts';
import type { Remote } from './remote.ts';
import type { Repository } from '../repository.ts';
import type { Transport } from './transport.ts';

export interface FetchPackOptions {
  readonly transport: Transport;
  readonly remote: Remote;
  readonly limits: SourceLimits;
  readonly repository: Repository;
  /** 40 hex digits. */
  readonly commit: string;
  /** A commit whose whole tree is on disk. The new pack may build on its objects. */
  readonly have?: string | undefined;
  /** The file that is created; it must not exist. */
  readonly packPath: string;
  readonly signal?: AbortSignal | undefined;
}

const GIT_DIR = '/repository';
const LOCAL_BRANCH = 'on-disk';
/** isomorphic-git accepts http addresses only. The plugin ignores the address and uses the transport. */
const PACKAGE_URL = 'http://repository.invalid/';

/** Throws StageError; the pack file may then hold part of the pack. */
export async function fetchPack(options: FetchPackOptions): Promise<CheckedAnswer> {
  const { transport, remote, limits, repository, commit, signal } = options;
  const server = await remote.serverOf(repository, signal);
  const packFile = await open(options.packPath, 'wx', 0o600);
  try {
    const plugin = createFetchPlugin({ transport, limits, server, commit, repository, packFile, signal });
    await fetch({
      fs: createMemoryFs(initialFiles(options.have)),
      http: plugin,
      gitdir: GIT_DIR,
      url: PACKAGE_URL,
      remote: 'origin',
      ref: LOCAL_BRANCH,
      remoteRef: WANTED_REF,
      depth: 1,
      singleBranch: true,
      tags: false,
      corsProxy: '',
    });
    const checked = plugin.checked();
    if (!checked) throw malformed(repository.label);
    return checked;
  } catch (error) {
    remote.forget(repository);
    throw fromPackage(error, repository);
  } finally {
    await packFile.close();
  }
}

/** isomorphic-git sends a `have` only for a local branch whose commit exists; an empty loose object is enough. */
function initialFiles(have: string | undefined): ReadonlyMap<string, string> {
  const config = `[remote "origin"]\n\turl = ${PACKAGE_URL}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`;
  const files = new Map([[`${GIT_DIR}/config`, config]]);
  if (have === undefined) return files;
  files.set(`${GIT_DIR}/refs/heads/${LOCAL_BRANCH}`, `${have}\n`);
  files.set(`${GIT_DIR}/shallow`, `${have}\n`);
  files.set(`${GIT_DIR}/objects/${have.slice(0, 2)}/${have.slice(2)}`, '');
  return files;
}

function fromPackage(error: unknown, repository: Repository): unknown {
  if (error instanceof Errors.RemoteCapabilityError) {
    return sourceError(
      'UnsupportedServer',
      `The server of ${repository.label} does not offer shallow fetches, which Tautline needs. Update it.`,
    );
  }
  if (!(error instanceof Error) || error.name === 'StageError') return error;
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS' || code === 'EACCES' || code === 'EIO') {
    return sourceError(
      'StorageFailed',
      `The pack of ${repository.label} could not be written (${code}). Check the disk.`,
    );
  }
  return sourceError(
    'MalformedAnswer',
    `The answer of ${repository.label} could not be read: ${cleanText(error.message)}.`,
    { cause: error },
  );
}
