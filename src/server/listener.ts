/** Starts and stops HTTP listeners. Each is an express application with the hardening that all listeners share. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import helmet from 'helmet';
import { StageError } from '../object/stage-error.ts';
import type { Log } from '../telemetry/ports.ts';
import { limitConnections, type ConnectionLimit } from './connection-limit.ts';
import { refuse } from './refuse.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface Listener {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  close(): Promise<void>;
}

/** An express application without query parsing, cookies, bodies and fingerprints. The caller adds the routes. */
export function createRoutes(): Express {
  const routes = express();
  routes.disable('x-powered-by');
  // An entity tag is a hash over the whole answer, which would be computed for each request.
  routes.disable('etag');
  routes.set('query parser', false);
  routes.set('trust proxy', false);
  routes.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
      // The listener speaks http only. A proxy that ends TLS in front of it decides about this header.
      strictTransportSecurity: false,
    }),
  );
  return routes;
}

/** Refuses all methods but GET and HEAD. */
export function readOnly(routes: Express): void {
  routes.use((request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') next();
    else refuse(response.set('Allow', 'GET, HEAD'), 405, 'the method is not allowed');
  });
}

/** Adds the last routes: unknown paths and errors are answered in JSON, without the message of the inner error. */
export function endRoutes(routes: Express, log: Log): void {
  routes.use((_request, response) => {
    refuse(response, 404, 'there is no such path');
  });
  const onError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    // express throws a URIError for a path that cannot be decoded.
    const isBadRequest = error instanceof URIError;
    if (!isBadRequest)
      log.error('request failed unexpectedly', { error: error instanceof Error ? error.stack : 'unknown' });
    if (response.headersSent) next(error);
    else if (isBadRequest) refuse(response, 400, 'the path cannot be decoded');
    else refuse(response, 500, 'internal error; the log of the agent has the reason');
  };
  routes.use(onError);
}

/** One address cannot hold all connections, so that a second one (the kubelet, Prometheus) is served beside it. */
const CONNECTIONS: ConnectionLimit = { perAddress: 512, total: 1024 };

const TIMES = {
  headersTimeout: 5_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  /** How often connections are compared with these times; the default of Node is 30 s. */
  connectionsCheckingInterval: 1_000,
};

/** A client that does not take its answer is closed after this time. */
const SILENCE_MS = 30_000;

/** Rejects if the address cannot be bound. */
export async function listen(
  routes: Express,
  { host, port }: ListenAddress,
  connections: ConnectionLimit = CONNECTIONS,
): Promise<Listener> {
  const server = createServer(TIMES, routes);
  server.setTimeout(SILENCE_MS);
  limitConnections(server, connections);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  return { url, close: () => closeServer(server) };
}

/** The same for a listener whose address the flag `--NAME-address` names. Throws StageError AddressUnavailable. */
export async function openListener(
  name: 'api' | 'probes' | 'metrics' | 'webhook',
  routes: Express,
  address: ListenAddress,
): Promise<Listener> {
  try {
    return await listen(routes, address);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const message = `the ${name} listener cannot be bound (${errno}): choose another address with --${name}-address`;
    throw new StageError({ stage: 'status', code: 'AddressUnavailable', retry: 'never', message, cause: error });
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
