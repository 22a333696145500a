/**
 * `tautline page`: serves the page and the status API on 127.0.0.1, with the rights of the kubeconfig. No agent is
 * asked: everything is read from the API server.
 *
 * Invariants: only a browser that was opened by the printed address is answered, so that neither other users of the
 * machine nor pages of other sites act with these rights. The address is on no command line of another program.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Express } from 'express';
import type { Hub, User } from '../cluster/ports.ts';
import { apiRoutes } from '../server/api/api.ts';
import { checkHost } from '../server/host-check.ts';
import { createRoutes, listen } from '../server/listener.ts';
import { refuse } from '../server/refuse.ts';
import { createSeal } from '../server/session/seal.ts';
import { createSessions } from '../server/session/sessions.ts';
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

const OPEN_PATH = '/open';

export function runPage(command: PageCommand): Promise<ExitCode> {
  return withCluster(command, async (access) => {
    const ended = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.abort());
    const feed = await beginFeed(access, command.namespace, ended.signal);
    if (typeof feed === 'string') return fail(feed);
    const who = await access.cluster.whoAmI();
    if (!who.ok) return fail(who.refusal.message);
    const key = randomBytes(32).toString('base64url');
    const listener = await listen(routesOf(access, { feed, user: who.value, key }), {
      host: '127.0.0.1',
      port: command.port,
    });
    const url = `${listener.url}${OPEN_PATH}?key=${key}`;
    print(`The page is at ${url}\nIt acts with the rights of ${who.value.username}. Ctrl-C ends it.\n`);
    const folder = command.open ? await openHidden(url) : undefined;
    const refusal = await feed.ended;
    await listener.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    return refusal ? fail(refusal.message) : EXIT.done;
  });
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

interface Served {
  readonly feed: Feed;
  readonly user: User;
  /** The secret of the printed address, and the token of the only caller. */
  readonly key: string;
}

function routesOf({ cluster }: Access, { feed, user, key }: Served): Express {
  const sessionSecret = randomBytes(32);
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
  const sessions = createSessions({ seal: createSeal(sessionSecret), hosts: [], clock });
  const isKey = (text: string): boolean => timingSafeEqual(digestOf(text), digestOf(key));
  const hub: Pick<Hub, 'reviews' | 'kinds' | 'asCaller'> = {
    kinds: () => cluster.kinds(),
    asCaller: () => cluster.caller,
    reviews: {
      authenticate: (token) => Promise.resolve(isKey(token) ? user : undefined),
      // The list of Applications was read with these rights already, and so is everything else.
      authorize: () => Promise.resolve(true),
    },
  };
  const routes = createRoutes();
  routes.get(OPEN_PATH, checkHost([]), (request, response) => {
    response.set('Cache-Control', 'no-store');
    if (!isKey(new URL(request.url, 'http://127.0.0.1').searchParams.get('key') ?? '')) {
      return refuse(response, 403, 'open the address that "tautline page" has printed');
    }
    sessions.begin(request, response, { token: key, isSecure: false });
    response.redirect(303, '/');
  });
  routes.use(
    apiRoutes({
      applications: feed,
      hub,
      anonymousRead: 'nothing',
      hosts: [],
      signIn: { publicUrl: undefined, sessionSecret, provider: undefined, isForOwner: true },
      log: QUIET,
      clock,
    }),
  );
  return routes;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const QUIET = {
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
