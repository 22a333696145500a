/**
 * Servers in front of a Git server, as users have them: one that ends TLS, a forward proxy, and one that is slow.
 *
 * Invariant: all listen on 127.0.0.1 and pass bytes on as they are.
 */
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { KeyPair } from './certificates.ts';

export interface Front extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  readonly server: KeyPair;
  /** PEM. If given, a client must present a certificate of this authority. */
  readonly clientCa?: string;
  /** Address of the server behind, as http://127.0.0.1:port. */
  readonly target: string;
}

export async function startTlsFront({ server, clientCa, target }: TlsFrontOptions): Promise<Front> {
  const port = Number(new URL(target).port);
  const options = {
    key: server.key,
    cert: server.certificate,
    ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
  const front = createTlsServer(options, (socket) => join(socket, connect(port, '127.0.0.1')));
  front.on('tlsClientError', () => undefined);
  return listen(front, 'https');
}

export interface Proxy extends Front {
  /** `CONNECT host:port` or `GET http://host:port/…` of every request, with its Proxy-Authorization header. */
  readonly asked: { readonly line: string; readonly authorization: string | undefined }[];
  /** While true, every request is answered with 407. */
  refuses: boolean;
}

/**
 * A proxy that connects to the requested port on 127.0.0.1, whatever the host. A host name that does not resolve can
 * therefore be reached through the proxy only.
 */
export async function startProxy(): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const http = createHttpServer((request, response) => {
    asked.push({ line: `${request.method} ${request.url}`, authorization: request.headers['proxy-authorization'] });
    if (proxy.refuses) {
      response.writeHead(407).end();
      return;
    }
    const url = new URL(request.url ?? '');
    const onward = httpRequest(
      {
        host: '127.0.0.1',
        port: url.port,
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers,
      },
      (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers)),
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  http.on('connect', (request, socket: Socket) => {
    asked.push({ line: `CONNECT ${request.url}`, authorization: request.headers['proxy-authorization'] });
    if (proxy.refuses) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const onward = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(socket, onward);
    });
    onward.on('error', () => socket.destroy());
  });
  const proxy: Proxy = { ...(await listen(http, 'http')), asked, refuses: false };
  return proxy;
}

export interface HoldingFront extends Front {
  /**
   * Holds back the answer to the next POST: the server behind has read its state, and the client waits. Resolves to a
   * function that lets the answer go.
   */
  holdNextAnswer(): Promise<() => void>;
}

/** A server whose answers take their time. `target`: address of the server behind, as http://127.0.0.1:port. */
export async function startHoldingFront(target: string): Promise<HoldingFront> {
  const { port } = new URL(target);
  let onHeld: ((release: () => void) => void) | undefined;
  const http = createHttpServer((request, response) => {
    const { method, url, headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      const tell = method === 'POST' ? onHeld : undefined;
      if (tell) onHeld = undefined;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const release = (): void => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          response.end(Buffer.concat(chunks));
        };
        if (tell) tell(release);
        else release();
      });
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const front = await listen(http, 'http');
  return { ...front, holdNextAnswer: () => new Promise((resolve) => (onHeld = resolve)) };
}

function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroySoon());
    from.pipe(to);
  }
}

async function listen(server: Server, scheme: string): Promise<Front> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return { url: `${scheme}://127.0.0.1:${port}`, stop, [Symbol.asyncDispose]: stop };
}
