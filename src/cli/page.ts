/**
 * `tautline page`: serves the page and the status API on 127.0.0.1, with the rights of the kubeconfig. No agent is
 * asked: everything is read from the API server.
 *
 * Invariant: the secret of the address is on no command line of another program, which other users could see.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listen } from '../server/listener.ts';
import { openingPath, ownerPageRoutes } from '../server/owner-page.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { openInBrowser } from './open-in-browser.ts';
import { print, printError } from './output.ts';
import { followFeed, type Feed } from './page-feed.ts';
import { fail, withCluster, type Access, type ClusterFlags } from './with-cluster.ts';

export interface PageCommand extends ClusterFlags {
  /** 0: any free port. */
  readonly port: number;
  readonly open: boolean;
}

export function runPage(command: PageCommand): Promise<ExitCode> {
  return withCluster(command, async (access) => {
    const ended = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.abort());
    try {
      return await servePage(access, command, ended.signal);
    } finally {
      // Otherwise the watch of a page that could not be served would go on.
      ended.abort();
    }
  });
}

async function servePage(access: Access, command: PageCommand, signal: AbortSignal): Promise<ExitCode> {
  const feed = await beginFeed(access, command.namespace, signal);
  if (typeof feed === 'string') return fail(feed);
  const who = await access.cluster.whoAmI();
  if (!who.ok) return fail(who.refusal.message);
  const key = randomBytes(32).toString('base64url');
  const routes = ownerPageRoutes({
    applications: feed,
    owner: who.value,
    client: access.cluster.caller,
    kinds: () => access.cluster.kinds(),
    key,
    clock: CLOCK,
    log: LOG,
  });
  const listener = await listen(routes, { host: '127.0.0.1', port: command.port }).catch(errnoOf);
  if (typeof listener === 'string') {
    return fail(`port ${command.port} cannot be used (${listener}): choose another one with --port`);
  }
  const url = listener.url + openingPath(key);
  print(`The page is at ${url}\nIt acts with the rights of ${who.value.username}. Ctrl-C ends it.\n`);
  const folder = command.open ? await openHidden(url) : undefined;
  const refusal = await feed.ended;
  await listener.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  return refusal ? fail(refusal.message) : EXIT.done;
}

function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

/** All namespaces, or the one of the kubeconfig where the person may not list all. A text: why there is none. */
async function beginFeed(
  { cluster, namespace }: Access,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<Feed | string> {
  const first = await cluster.listApplications(wanted ?? '');
  const isOwn = !first.ok && wanted === undefined && first.refusal.code === 'Forbidden';
  const asked = isOwn ? await cluster.listApplications(namespace) : first;
  if (!asked.ok) return asked.refusal.message;
  if (isOwn) {
    printError(`Note: you may not list the Applications of all namespaces, so only those of ${namespace} are shown\n`);
  }
  const feed = followFeed(cluster, isOwn ? namespace : (wanted ?? ''), signal);
  const refusal = await feed.begun;
  return refusal ? refusal.message : feed;
}

const CLOCK = { now: () => Date.now(), monotonicMs: () => performance.now() };

const LOG = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (_message: string, fields?: { readonly error?: unknown }) =>
    printError(`Error: a request failed unexpectedly, please report it: ${String(fields?.error)}\n`),
};

/**
 * Opens the address by a file that only this user can read: other users see the arguments of every program. Returns the
 * folder of the file.
 */
async function openHidden(url: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-page-'));
  const file = join(folder, 'open.html');
  await writeFile(file, `<!doctype html><meta http-equiv="refresh" content="0; url=${url}"><title>Tautline</title>\n`, {
    mode: 0o600,
  });
  if (!(await openInBrowser(pathToFileURL(file).href))) {
    printError('Note: no browser could be opened: open the address yourself\n');
  }
  return folder;
}
