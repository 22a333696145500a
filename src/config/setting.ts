/** The form of a setting, the type of its value, and one function for each frequent type that makes a setting. */
import type { AddressRule, Network } from '../application/address-rule.ts';

export type SettingType =
  | 'names'
  | 'networks'
  | 'addresses'
  | 'hosts'
  | 'text'
  | 'account'
  | 'count'
  | 'duration'
  | 'boolean'
  | 'address'
  | 'level'
  | 'anonymous'
  | 'origin'
  | 'issuer';

export interface Setting {
  /** Long flag without its dashes. The variable is `TAUTLINE_` and the flag in capitals, with `_` for `-`. */
  readonly flag: string;
  readonly type: SettingType;
  readonly default: string;
  readonly description: string;
  /** For a count: the smallest and the largest accepted number. */
  readonly range?: readonly [number, number];
}

/** The type of the value, by the type of the setting. */
export interface ValueOf {
  /** Host names in lower case. */
  names: readonly string[];
  networks: readonly Network[];
  addresses: readonly AddressRule[];
  hosts: readonly string[];
  text: string;
  /** undefined if no account is set. */
  account: string | undefined;
  level: 'debug' | 'info' | 'warn' | 'error';
  anonymous: 'nothing' | 'names';
  count: number;
  /** Milliseconds. */
  duration: number;
  boolean: boolean;
  /** Scheme, host and port of a site, such as `https://tautline.example.com`; undefined if none is set. */
  origin: string | undefined;
  /** Address of an OpenID Connect issuer, by https; undefined if none is set. */
  issuer: string | undefined;
  address: { readonly host: string; readonly port: number };
}

export function text<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'text', default: value, description } as const;
}

export function address<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'address', default: value, description } as const;
}

export function bool<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'boolean', default: value, description } as const;
}

export function duration<const F extends string>(flag: F, value: string, description: string) {
  return { flag, type: 'duration', default: value, description } as const;
}

export function count<const F extends string>(
  flag: F,
  value: string,
  description: string,
  range: readonly [number, number],
) {
  return { flag, type: 'count', default: value, description, range } as const;
}
