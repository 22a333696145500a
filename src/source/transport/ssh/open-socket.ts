/** Opens the TCP connection below SSH: directly to an allowed address, or through a proxy by CONNECT (RFC 9110). */
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProxyRefusal } from './ssh-failure.ts';

export interface SocketOptions {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** undefined: a direct connection. */
  readonly proxyUrl: string | undefined;
  /** Resolves to allowed addresses only; not used through a proxy. */
  readonly lookup: LookupFunction;
  /** Closes the connection, or gives up opening it. */
  readonly signal: AbortSignal;
}

/** Rejects with the error of the system, or with ProxyRefusal. */
export function openSocket(options: SocketOptions): Promise<Duplex> {
  return options.proxyUrl === undefined ? openDirectly(options) : openThrough(options.proxyUrl, options);
}

function openDirectly({ host, port, lookup, signal }: SocketOptions): Promise<Duplex> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port, lookup, noDelay: true });
  destroyOn(signal, socket);
  socket.once('error', reject);
  socket.once('connect', () => resolve(socket));
  socket.once('close', () => reject(new Error('the connection was closed')));
  return promise;
}

function openThrough(proxyUrl: string, { host, port, signal }: SocketOptions): Promise<Duplex> {
  const proxy = new URL(proxyUrl);
  const path = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const send = proxy.protocol === 'https:' ? requestHttps : requestHttp;
  const request = send({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port,
    method: 'CONNECT',
    path,
    headers: {
      host: path,
      ...(login !== ':' && { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
    },
    agent: false,
    signal,
  });
  request.once('error', reject);
  request.once('response', (response) => {
    response.destroy();
    reject(new ProxyRefusal(response.statusCode ?? 0));
  });
  request.once('connect', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
    destroyOn(signal, socket);
    if (response.statusCode !== 200) {
      socket.destroy();
      reject(new ProxyRefusal(response.statusCode ?? 0));
      return;
    }
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  request.end();
  return promise;
}

function destroyOn(signal: AbortSignal, socket: Duplex): void {
  // A listener for the whole life of the socket: an error without one ends the process.
  socket.on('error', () => undefined);
  if (signal.aborted) socket.destroy();
  const destroy = (): void => void socket.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', destroy));
}
