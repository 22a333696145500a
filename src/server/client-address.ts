/**
 * The address of a client: that of the connection, or behind trusted proxies the last one in `X-Forwarded-For` that is
 * not itself a trusted proxy. Everything before that one may be written by the client.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { Network } from '../application/address-rule.ts';
import { networkOf } from './connection-limit.ts';

export function clientAddressBehind(proxies: readonly Network[]): (request: IncomingMessage) => string {
  const trusted = new BlockList();
  for (const { address, bits } of proxies) trusted.addSubnet(address, bits, familyOf(address));
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && trusted.check(address, familyOf(address));
  return ({ socket, headers }) => {
    const named = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    let client = plain(socket.remoteAddress ?? '');
    for (const name of named.reverse()) {
      const address = plain(name.trim());
      if (!isTrusted(client) || isIP(address) === 0) break;
      client = address;
    }
    return networkOf(client);
  };
}

/** Without the form that IPv4 addresses have on an IPv6 socket. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
