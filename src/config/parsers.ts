/** Reads the text of a setting: one parser for each type. */
import { parseAddressRules, parseNetworks } from '../application/address-rule.ts';
import { parseDuration } from '../application/duration.ts';
import { isServiceAccountName } from '../cluster/identity.ts';
import type { Setting, SettingType } from './setting.ts';

/**
 * Shortest and longest accepted duration, in milliseconds. Durations are used for timers: a shorter one would keep the
 * processor busy, and Node fires a timer of more than 24 days immediately.
 */
const DURATION_RANGE_MS = [10, 24 * 3_600_000] as const;

type Parsed = { readonly value: unknown } | { readonly problem: string };

/** Parsers by type. `problem` describes the allowed values; it continues a sentence that begins with "must be". */
export const PARSERS: Readonly<Record<SettingType, (raw: string, range: Setting['range']) => Parsed>> = {
  names: (raw) => parseList(raw, parseHostName, 'host names, such as tautline.example.com, separated by commas'),
  networks: (raw) => parseList(raw, parseNetworks, 'addresses or networks, such as 10.0.0.0/8, separated by commas'),
  addresses: (raw) =>
    parseList(
      raw,
      parseAddressRules,
      'hosts or networks, such as git.example.com/team or 10.0.0.0/8, separated by commas',
    ),
  hosts: (raw) => parseList(raw, parseHost, 'hosts, such as registry.example.com:5000, separated by commas'),
  text: (raw) => ({ value: raw }),
  account: parseAccount,
  level: oneOf(['debug', 'info', 'warn', 'error']),
  anonymous: oneOf(['nothing', 'names']),
  boolean: (raw) => (/^(true|false)$/.test(raw) ? { value: raw === 'true' } : { problem: 'true or false' }),
  duration: parseDurationSetting,
  count: parseCount,
  address: parseAddress,
  origin: parseOrigin,
  issuer: parseIssuer,
};

function oneOf(values: readonly string[]): (raw: string) => Parsed {
  return (raw) => (values.includes(raw) ? { value: raw } : { problem: `one of ${values.join(', ')}` });
}

function parseHostName(text: string): readonly string[] | undefined {
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text) ? [text.toLowerCase()] : undefined;
}

function parseList<T>(raw: string, parse: (text: string) => readonly T[] | undefined, problem: string): Parsed {
  const members = raw.split(/[\s,]+/).filter((text) => text !== '');
  const parsed = members.map(parse);
  return parsed.includes(undefined) ? { problem } : { value: parsed.flatMap((found) => found ?? []) };
}

function parseHost(text: string): readonly string[] | undefined {
  return /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i.test(text) ? [text.toLowerCase()] : undefined;
}

function parseAccount(raw: string): Parsed {
  if (raw === '') return { value: undefined };
  return isServiceAccountName(raw) ? { value: raw } : { problem: 'the name of a ServiceAccount, such as deployer' };
}

function parseDurationSetting(raw: string): Parsed {
  const ms = parseDuration(raw);
  const [least, most] = DURATION_RANGE_MS;
  const isUsable = ms !== undefined && ms >= least && ms <= most;
  return isUsable ? { value: ms } : { problem: 'a duration from 10ms to 24h, such as 30s or 1m30s' };
}

function parseCount(raw: string, [least, most] = [0, Number.MAX_SAFE_INTEGER] as readonly [number, number]): Parsed {
  const value = /^\d+$/.test(raw) ? Number(raw) : NaN;
  return value >= least && value <= most ? { value } : { problem: `a whole number from ${least} to ${most}` };
}

function parseAddress(raw: string): Parsed {
  const [, host, digits] = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/.exec(raw) ?? [];
  const port = Number(digits);
  if (!host || port > 65_535) return { problem: 'host:port, such as 127.0.0.1:8080' };
  return { value: { host: host.replace(/^\[|\]$/g, ''), port } };
}

function parseOrigin(raw: string): Parsed {
  if (raw === '') return { value: undefined };
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  const isOrigin = url && /^https?:$/.test(url.protocol) && [url.origin, `${url.origin}/`].includes(raw.toLowerCase());
  return isOrigin
    ? { value: url.origin }
    : { problem: 'the address of a site without a path, such as https://tautline.example.com' };
}

function parseIssuer(raw: string): Parsed {
  if (raw === '') return { value: undefined };
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  const isIssuer = url?.protocol === 'https:' && url.username === '' && url.search === '' && url.hash === '';
  return isIssuer ? { value: raw } : { problem: 'the address of an issuer, such as https://login.example.com' };
}
