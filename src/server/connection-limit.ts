/**
 * Bounds the connections of a listener, by address and in all.
 *
 * Invariant: one more connection than allowed closes another one, which is taken from the address that holds the most,
 * and there the one that has waited longest without a request. So an address that holds many connections closes its
 * own, and a client with few of them is always served.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';

export interface ConnectionLimit {
  readonly perAddress: number;
  readonly total: number;
}

interface Connections {
  readonly address: string;
  /** Without a complete request, the oldest first. */
  readonly waiting: Set<Socket>;
  /** With a request that is not yet answered, the oldest first. */
  readonly serving: Set<Socket>;
}

export function limitConnections(server: Server, { perAddress, total }: ConnectionLimit): void {
  const byAddress = new Map<string, Connections>();
  let count = 0;
  const forget = (held: Connections, socket: Socket): void => {
    if (!held.waiting.delete(socket) && !held.serving.delete(socket)) return;
    count--;
    if (sizeOf(held) === 0) byAddress.delete(held.address);
  };
  const close = (held: Connections, socket: Socket): void => {
    forget(held, socket);
    socket.destroy();
  };
  server.on('connection', (socket: Socket) => {
    const address = networkOf(socket.remoteAddress ?? '');
    const own = byAddress.get(address) ?? { address, waiting: new Set(), serving: new Set() };
    byAddress.set(address, own);
    own.waiting.add(socket);
    count++;
    socket.once('close', () => forget(own, socket));
    if (sizeOf(own) > perAddress) close(own, first(own.waiting) ?? socket);
    if (count <= total) return;
    const most = busiest(byAddress);
    close(most, first(most.waiting) ?? first(most.serving) ?? socket);
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const held = byAddress.get(networkOf(socket.remoteAddress ?? ''));
    if (!held?.waiting.delete(socket)) return;
    held.serving.add(socket);
    response.once('close', () => {
      if (held.serving.delete(socket)) held.waiting.add(socket);
    });
  });
}

function busiest(byAddress: ReadonlyMap<string, Connections>): Connections {
  return [...byAddress.values()].reduce((most, held) => (sizeOf(held) > sizeOf(most) ? held : most));
}

function sizeOf({ waiting, serving }: Connections): number {
  return waiting.size + serving.size;
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  const [found] = set;
  return found;
}

/** An IPv4 address, or the /64 network of an IPv6 address: one host may have all addresses of it. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after].slice(0, 4).join(':');
}
