/**
 * All settings of the agent. One table defines flags, environment variables, defaults and `--help`. A flag takes
 * precedence over its variable, and the variable over the default.
 */
import { CLUSTER_SETTINGS } from './cluster-settings.ts';
import { ownEnvironment } from './environment.ts';
import { PARSERS } from './parsers.ts';
import { RENDER_SETTINGS } from './render-settings.ts';
import { SERVER_SETTINGS } from './server-settings.ts';
import type { Setting, ValueOf } from './setting.ts';
import { SOURCE_SETTINGS } from './source-settings.ts';

/** In the order of `--help`. On the command line sizes are in MiB and durations are written as in `1m30s`. */
export const SETTINGS = {
  ...CLUSTER_SETTINGS,
  ...SERVER_SETTINGS,
  ...SOURCE_SETTINGS,
  ...RENDER_SETTINGS,
} as const satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;

/** A name that ends in `Ms` is in milliseconds, one that ends in `Mib` in MiB. */
export type Config = { readonly [K in SettingName]: ValueOf[(typeof SETTINGS)[K]['type']] };

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  /** `problem` names the flag or variable and the allowed values. */
  | { readonly ok: false; readonly problem: string };

/** Pairs of settings of which the first must not be larger than the second. */
const ORDERED = [
  ['minBackoffMs', 'maxBackoffMs'],
  ['minPollBackoffMs', 'maxPollBackoffMs'],
] as const satisfies readonly (readonly [SettingName, SettingName])[];

/** `flags` holds the values of the command line by the name of the setting. An empty variable counts as not set. */
export function readConfig(
  flags: Readonly<Record<string, string | undefined>>,
  environment: Readonly<Record<string, string | undefined>> = ownEnvironment(),
): ReadConfig {
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const variable = variableOf(setting);
    const fromFlag = flags[name];
    const raw = fromFlag ?? (environment[variable] || setting.default);
    const origin = fromFlag === undefined ? variable : `--${setting.flag}`;
    const parsed = PARSERS[setting.type](raw, setting.range);
    if ('problem' in parsed) return { ok: false, problem: `${origin} must be ${parsed.problem}, not '${raw}'` };
    config[name] = parsed.value;
  }
  for (const [least, most] of ORDERED) {
    if (Number(config[least]) <= Number(config[most])) continue;
    return { ok: false, problem: `--${SETTINGS[least].flag} must not be longer than --${SETTINGS[most].flag}` };
  }
  const problem = problemOfSignIn(config as Config);
  if (problem !== undefined) return { ok: false, problem };
  if (config['kubeconfig'] === '' && environment['KUBECONFIG']) config['kubeconfig'] = environment['KUBECONFIG'];
  return { ok: true, config: config as Config };
}

/** Settings of the sign-in that do not fit together. */
function problemOfSignIn({ oidcIssuer, oidcClientId, oidcScopes, publicUrl }: Config): string | undefined {
  if (oidcIssuer === undefined) return undefined;
  if (oidcClientId === '') return '--oidc-issuer needs --oidc-client-id';
  if (publicUrl === undefined) return '--oidc-issuer needs --public-url, to which the provider sends browsers back';
  if (!oidcScopes.split(' ').includes('openid')) return `--oidc-scopes must contain openid, not only '${oidcScopes}'`;
  return undefined;
}

export function variableOf({ flag }: Pick<Setting, 'flag'>): string {
  return `TAUTLINE_${flag.toUpperCase().replaceAll('-', '_')}`;
}
