/**
 * The page over the real routes of the status API, which are fed from memory instead of a cluster: a thousand
 * Applications cost no control plane. As `tautline page` does, it adds the token itself, so that there is no sign-in.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { readPage } from '../../src/server/page.ts';
import type { KnownApplication } from '../../src/server/api/views.ts';
import { builtFile } from '../support/built-program.ts';
import { api, type ApiScene } from '../unit/server/api-scene.ts';

export interface ScriptedPage extends AsyncDisposable {
  readonly url: string;
  /** The Applications that the agent knows; a test may change them. */
  applications: KnownApplication[];
  /** Cuts all connections and refuses new ones until the function that it returns is called. */
  goOffline(): Promise<() => Promise<void>>;
  /** The session that the page is told of; undefined: requests have no token. */
  user: string | undefined;
}

export async function startScriptedPage(scene: Omit<ApiScene, 'index' | 'page'> = {}): Promise<ScriptedPage> {
  const state: { applications: KnownApplication[]; user: string | undefined } = { applications: [], user: 'admin' };
  const index: ApiScene['index'] = {
    list: () => state.applications,
    get: (namespace, name) =>
      state.applications.find(({ parsed }) => {
        const { metadata } = parsed.ok ? parsed.application : parsed;
        return metadata.namespace === namespace && metadata.name === name;
      }),
  };
  const page = readPage(join(dirname(builtFile('cli.js')), 'page'));
  if (!page) throw new Error('the build has no page');
  const streamLimits = { maxStreams: 50, maxOfCaller: 50, lookMs: 50, beatMs: 5_000, maxUnreadBytes: 1024 * 1024 };
  const routes = api({ streamLimits, ...scene, index, page });
  const server = createServer((request, response) => {
    if (request.url === '/api/v1/session') {
      const session = state.user
        ? { signedIn: true, user: state.user, ways: ['kubeconfig'] }
        : { signedIn: false, ways: ['token', 'oidc'], oidc: { name: 'Example ID' } };
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(session));
    }
    if (state.user !== undefined) request.headers.authorization = `Bearer ${state.user}`;
    routes(request, response);
  });
  const port = await listenOn(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    get applications() {
      return state.applications;
    },
    set applications(applications) {
      state.applications = applications;
    },
    get user() {
      return state.user;
    },
    set user(user) {
      state.user = user;
    },
    async goOffline() {
      await close(server);
      return async () => void (await listenOn(server, port));
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function listenOn(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
