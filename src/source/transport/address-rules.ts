/**
 * Decides which addresses the agent connects to for a repository, since a tenant chooses the address.
 *
 * Invariants: a rule about networks is checked against the address of each connection, after the name was resolved, so
 * neither a name nor a changed answer of DNS leads around it. Only a rule of `allow` about that network lifts one of
 * `deny` about networks.
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { matchesHost, type AddressRule } from '../../application/address-rule.ts';
import { sourceError } from '../../object/source-error.ts';

export interface AddressRules {
  /** Empty: every address that is not denied. */
  readonly allow: readonly AddressRule[];
  readonly deny: readonly AddressRule[];
}

export interface AddressGuard {
  /** Checks an address before a request to it. Throws StageError AddressDenied. */
  check(url: string, label: string, isByProxy: boolean): Checked;
  /** For connections: resolves names to allowed IP addresses only. */
  lookupFor(checked: Checked): LookupFunction;
}

/**
 * Why an address may be used: `anywhere` the network of its host allows it, `in-network` only if its host is in one of
 * the allowed networks. Requests share a connection only if they agree in this.
 */
export type Checked = 'anywhere' | 'in-network';

/** Code of the error of a connection to an address that is denied. */
export const DENIED = 'ERR_ADDRESS_DENIED';

export function addressDenied(label: string): Error {
  return sourceError(
    'AddressDenied',
    `${label} is at an address that the settings of the agent do not allow. Use another repository, or ask the administrator of the agent (--source-allow, --source-deny).`,
  );
}

export function createAddressGuard({ allow, deny }: AddressRules): AddressGuard {
  const allowed = networksOf(allow);
  const denied = networksOf(deny);
  const hasAllowedNetworks = allow.some(({ type }) => type === 'network');
  const mayConnect = (ip: string, checked: Checked): boolean =>
    isWithin(ip, allowed) || (checked === 'anywhere' && !isWithin(ip, denied));
  return {
    check(text, label, isByProxy) {
      const url = new URL(text);
      if (deny.some((rule) => matchesHost(rule, url))) throw addressDenied(label);
      const isNamed = allow.length === 0 || allow.some((rule) => matchesHost(rule, url));
      const checked = isNamed ? 'anywhere' : 'in-network';
      const host = url.hostname.replace(/^\[|\]$/g, '');
      // A name is resolved when a connection is opened; behind a proxy by the proxy, which knows no rule of the agent.
      const isPossible = isIP(host) === 0 ? isNamed || (hasAllowedNetworks && !isByProxy) : mayConnect(host, checked);
      if (!isPossible) throw addressDenied(label);
      return checked;
    },
    lookupFor: (checked) => (host, options, callback) => {
      resolve(host, { ...options, all: true }, (error, addresses) => {
        const usable = error ? [] : addresses.filter(({ address }) => mayConnect(address, checked));
        const [first] = usable;
        if (first === undefined) callback(error ?? deniedError(), options.all ? [] : '', 0);
        else if (options.all) (callback as (error: null, found: LookupAddress[]) => void)(null, usable);
        else callback(null, first.address, first.family);
      });
    },
  };
}

function deniedError(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address is denied'), { code: DENIED });
}

function networksOf(rules: readonly AddressRule[]): BlockList {
  const list = new BlockList();
  for (const rule of rules) {
    if (rule.type === 'network') list.addSubnet(rule.address, rule.bits, isIP(rule.address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function isWithin(ip: string, list: BlockList): boolean {
  return list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}
