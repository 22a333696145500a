/** One HTTP listener: an express application with the hardening that all listeners share, started and stopped. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import helmet from 'helmet';
import type { Log } from '../telemetry/ports.ts';

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

/** An application without query parsing, cookies, bodies or fingerprints; routes are added by the caller. */
export function createRoutes(): Express {
  const routes = express();
  routes.disable('x-powered-by');
  routes.set('query parser', false);
  routes.set('trust proxy', false);
  routes.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } },
      // Nothing is served by https here: what stands before the listener decides about that.
      strictTransportSecurity: false,
    }),
  );
  return routes;
}

/** Refuses every method that could ask for a change. */
export function readOnly(routes: Express): void {
  routes.use((request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') next();
    else response.set('Allow', 'GET, HEAD').status(405).json({ error: 'method not allowed' });
  });
}

/** Ends the routes: unknown paths and errors answer in JSON, without a message of any inner error. */
export function endRoutes(routes: Express, log: Log): void {
  routes.use((_request, response) => {
    response.status(404).json({ error: 'not found' });
  });
  const onError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    // A path that cannot be decoded.
    const isTheirs = error instanceof URIError;
    if (!isTheirs)
      log.error('a request failed unexpectedly', { error: error instanceof Error ? error.stack : 'unknown' });
    if (response.headersSent) next(error);
    else response.status(isTheirs ? 400 : 500).json({ error: isTheirs ? 'bad request' : 'internal error' });
  };
  routes.use(onError);
}

/** Rejects if the address cannot be bound. */
export async function listen(routes: Express, { host, port }: ListenAddress): Promise<Listener> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 }, routes);
  server.maxConnections = 1000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  return { url, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
