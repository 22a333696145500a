/** Rules about addresses, as settings of the agent name them: networks, hosts and paths. */

export interface Network {
  readonly address: string;
  readonly bits: number;
}

export type AddressRule =
  | ({ readonly type: 'network' } & Network)
  | {
      readonly type: 'host';
      /** In lower case. With a dot at the start: every subdomain, and not the domain itself. */
      readonly host: string;
      /** undefined: every port. */
      readonly port: string | undefined;
      /** In lower case, without a slash at the end: this path and everything below it. Empty: every path. */
      readonly path: string;
    };

/** Networks that have a name of their own. IPv6 networks that lead to IPv4 addresses (RFC 6052) are among them. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::1', '::', '64:ff9b::7f00:0/104', '64:ff9b::/104'],
  // With the addresses at which clouds serve the credentials of a machine, where they are not link-local.
  'link-local': ['169.254.0.0/16', 'fe80::/10', '64:ff9b::a9fe:0/112', 'fd00:ec2::254', '100.100.100.200'],
};

/** Reads an address, a network, or one of the names above; undefined: it is none of them. */
export function parseNetworks(text: string): readonly Network[] | undefined {
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named) return named.flatMap((member) => parseNetwork(member) ?? []);
  const network = parseNetwork(text);
  return network && [network];
}

/** Reads a network as in `parseNetworks`, or `host`, `*.host`, each with an optional port and path. */
export function parseAddressRules(text: string): readonly AddressRule[] | undefined {
  const networks = parseNetworks(text);
  if (networks) return networks.map((network) => ({ type: 'network', ...network }));
  // A network with too many bits is a mistake, and not the path of a host.
  if (/^[\d.]+\/\d+$/.test(text)) return undefined;
  const [, host = '', port, path = ''] =
    /^((?:\*\.)?[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(\/[^\s?#]*)?$/i.exec(text) ?? [];
  if (host === '' || Number(port ?? 0) > 65_535) return undefined;
  const name = host.toLowerCase().replace(/^\*(?=\.)/, '');
  return [{ type: 'host', host: name, port, path: path.toLowerCase().replace(/\/+$/, '') }];
}

function parseNetwork(text: string): Network | undefined {
  const [, address = '', digits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const isVersion4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(address);
  if (!isVersion4 && !(address.includes(':') && URL.canParse(`http://[${address}]`))) return undefined;
  const most = isVersion4 ? 32 : 128;
  const bits = digits === undefined ? most : Number(digits);
  return bits > most ? undefined : { address, bits };
}

/** Ports of schemes that URL does not know, or whose own port it leaves out. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'ssh:': '22', 'oci:': '443' };

export function portOf({ port, protocol }: URL): string {
  return port || DEFAULT_PORTS[protocol] || '80';
}

/** Whether a rule names the host, port and path of an address. A rule about a network names none. */
export function matchesHost(rule: AddressRule, url: URL): boolean {
  if (rule.type === 'network') return false;
  const host = url.hostname.toLowerCase().replace(/\.$/, '');
  const isHost = rule.host.startsWith('.') ? host.endsWith(rule.host) : host === rule.host;
  if (!isHost) return false;
  if (rule.port !== undefined && rule.port !== portOf(url)) return false;
  return rule.path === '' || `${plainPath(url.pathname)}/`.startsWith(`${rule.path}/`);
}

/** A path as most forges read it: without escapes, doubled slashes and the case of letters. */
export function plainPath(path: string): string {
  let text = path;
  try {
    text = decodeURIComponent(path);
  } catch {
    // An escape that cannot be read stays as it is.
  }
  const parts: string[] = [];
  for (const part of text.toLowerCase().split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
