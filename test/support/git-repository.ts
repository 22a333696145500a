/**
 * A repository on a test's Git server, and the commits, branches and tags that a test makes in it.
 *
 * Invariant: every change is complete before its promise resolves. Changes go straight into the bare repository; there
 * is no work tree that could differ from it.
 */
import { join } from 'node:path';
import { authorLine, git } from './git-command.ts';
import type { GitOptions } from './git-command.ts';
import type { GitServer } from './git-server.ts';

/** Text or bytes of a file, or an entry of another type; null deletes the path, a directory with its content. */
export type FileChange =
  | string
  | Uint8Array
  | { readonly executable: string }
  | { readonly symlink: string }
  /** A commit of another repository. */
  | { readonly submodule: string }
  | null;

export interface CommitOptions {
  readonly message?: string;
  /** Default: the repository's default branch. Created when absent. */
  readonly branch?: string;
  /** Parent in place of the branch's tip, which rewrites history as a forced push does; null for no parent. */
  readonly parent?: string | null;
  /** Drops every file that `files` does not name. */
  readonly replaceAll?: boolean;
  /** Author and committer time. Default: now. */
  readonly atSeconds?: number;
}

export interface TestRepository {
  readonly url: string;
  /** The bare repository. */
  readonly dir: string;
  readonly defaultBranch: string;
  /** Commits these changes to a branch; resolves to the id of the commit. */
  commit(files: Readonly<Record<string, FileChange>>, options?: CommitOptions): Promise<string>;
  /** Sets a branch to a commit, as a forced push does. Default: the tip of the default branch. */
  branch(name: string, at?: string): Promise<string>;
  deleteBranch(name: string): Promise<void>;
  /** Sets a tag, annotated when there is a message. Resolves to the id of the commit that it leads to. */
  tag(name: string, options?: { readonly at?: string; readonly message?: string }): Promise<string>;
  deleteTag(name: string): Promise<void>;
  /** The id of the commit that a revision names. Throws when there is none. */
  resolve(revision: string): Promise<string>;
  /** Any other git command, run in the bare repository. */
  git(args: readonly string[], options?: Omit<GitOptions, 'cwd'>): Promise<string>;
}

export interface RepositoryOptions {
  readonly defaultBranch?: string;
  readonly objectFormat?: 'sha1' | 'sha256';
}

/** Creates an empty repository, served as `<server.url>/<name>.git`. */
export async function createRepository(
  server: Pick<GitServer, 'url' | 'root'>,
  name: string,
  options: RepositoryOptions = {},
): Promise<TestRepository> {
  const defaultBranch = options.defaultBranch ?? 'main';
  const dir = join(server.root, `${name}.git`);
  const format = `--object-format=${options.objectFormat ?? 'sha1'}`;
  await git(['init', '--quiet', '--bare', format, `--initial-branch=${defaultBranch}`, dir]);
  const run: TestRepository['git'] = (args, more) => git(args, { ...more, cwd: dir });
  for (const [key, value] of [
    ['uploadpack.allowFilter', 'true'],
    ['uploadpack.allowAnySHA1InWant', 'true'],
    ['gc.auto', '0'],
  ] as const) {
    await run(['config', key, value]);
  }
  const resolve = (revision: string): Promise<string> => run(['rev-parse', '--verify', `${revision}^{commit}`]);
  return {
    url: `${server.url}/${name}.git`,
    dir,
    defaultBranch,
    commit: (files, commitOptions = {}) => commit(run, files, { branch: defaultBranch, ...commitOptions }),
    branch: async (branch, at = defaultBranch) => {
      const commitId = await resolve(at);
      await run(['update-ref', `refs/heads/${branch}`, commitId]);
      return commitId;
    },
    deleteBranch: async (branch) => void (await run(['update-ref', '-d', `refs/heads/${branch}`])),
    tag: async (tag, { at = defaultBranch, message } = {}) => {
      await run(['tag', '--force', ...(message === undefined ? [] : ['--annotate', `--message=${message}`]), tag, at]);
      return resolve(`refs/tags/${tag}`);
    },
    deleteTag: async (tag) => void (await run(['update-ref', '-d', `refs/tags/${tag}`])),
    resolve,
    git: run,
  };
}

/** Runs one `git fast-import`, so that a commit of a thousand files costs one process. See git-fast-import(1). */
async function commit(
  run: TestRepository['git'],
  files: Readonly<Record<string, FileChange>>,
  options: CommitOptions & { readonly branch: string },
): Promise<string> {
  const ref = `refs/heads/${options.branch}`;
  const tip = await run(['for-each-ref', '--format=%(objectname)', ref]);
  const parent = options.parent === undefined ? tip || null : options.parent;
  const atSeconds = options.atSeconds ?? Math.floor(Date.now() / 1000);
  const message = Buffer.from(options.message ?? 'Change files');
  const stream: (string | Uint8Array)[] = [
    // Without this, a commit that names no parent is added to the tip of the branch.
    parent === null && tip ? `reset ${ref}\n` : '',
    `commit ${ref}\nmark :1\ncommitter ${authorLine} ${atSeconds} +0000\ndata ${message.length}\n`,
    message,
    `\n${parent === null ? '' : `from ${parent}\n`}${options.replaceAll ? 'deleteall\n' : ''}`,
    ...Object.entries(files).flatMap(([path, change]) => fileCommands(path, change)),
    '\nget-mark :1\n',
  ];
  const input = Buffer.concat(stream.map((part) => Buffer.from(part)));
  return run(['fast-import', '--quiet', '--force', '--date-format=raw', '--cat-blob-fd=1'], { input });
}

function fileCommands(path: string, change: FileChange): (string | Uint8Array)[] {
  const quoted = `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  const blob = (mode: string, content: string | Uint8Array): (string | Uint8Array)[] => {
    const bytes = Buffer.from(content);
    return [`M ${mode} inline ${quoted}\ndata ${bytes.length}\n`, bytes, '\n'];
  };
  if (change === null) return [`D ${quoted}\n`];
  if (typeof change === 'string' || change instanceof Uint8Array) return blob('100644', change);
  if ('executable' in change) return blob('100755', change.executable);
  if ('symlink' in change) return blob('120000', change.symlink);
  return [`M 160000 ${change.submodule} ${quoted}\n`];
}
