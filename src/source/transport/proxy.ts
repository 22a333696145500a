/**
 * Chooses the proxy of a request by HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as Go's net/http reads them. So Tautline
 * takes the same route as other programs in the cluster. For ssh there is no such variable; it is a setting.
 */
import { portOf } from '../../application/address-rule.ts';
import { BlockList, isIP } from 'node:net';
import { sourceError } from '../../object/source-error.ts';

export interface ProxySettings {
  /** For http addresses; empty: none. */
  readonly http: string;
  /** For https addresses; empty: none. */
  readonly https: string;
  /** For ssh addresses, by CONNECT; empty or absent: none. */
  readonly ssh?: string;
  /** Hosts without proxy: `host` with its subdomains, `.subdomains.only`, `host:port`, addresses, CIDR, `*`. */
  readonly exceptions: string;
}

/** The address of the proxy; undefined: a direct connection. Throws StageError InvalidProxy. */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  const { origin, value } = settingFor(url.protocol, settings);
  if (value === '' || isException(url, settings.exceptions)) return undefined;
  const proxy = URL.parse(value.includes('://') ? value : `http://${value}`);
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy.href;
  throw sourceError('InvalidProxy', `${origin} does not hold the address of an http or https proxy. Correct it.`);
}

function settingFor(protocol: string, settings: ProxySettings): { readonly origin: string; readonly value: string } {
  if (protocol === 'ssh:') return { origin: 'The setting --ssh-proxy', value: settings.ssh ?? '' };
  if (protocol === 'https:') return { origin: 'The variable HTTPS_PROXY', value: settings.https };
  return { origin: 'The variable HTTP_PROXY', value: settings.http };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isException(url: URL, exceptions: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = portOf(url);
  if (host === 'localhost' || isWithin(host, LOOPBACK)) return true;
  return exceptions.split(/[\s,]+/).some((entry) => entry !== '' && matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const subnet = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry);
  if (subnet) return isInSubnet(host, subnet[1] ?? '', Number(subnet[2]));
  const [, name = entry, wantedPort] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const wanted = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  if (wanted.startsWith('.')) return host.endsWith(wanted);
  return host === wanted || (isIP(host) === 0 && host.endsWith(`.${wanted}`));
}

function isInSubnet(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6');
  return isWithin(host, list);
}

function isWithin(host: string, list: BlockList): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
