/**
 * Secrets that hold the credentials of repositories by a label, and the choice of those that fit an address. The label
 * of Argo CD counts as well as that of Tautline, with the same values: `repo-creds` for all repositories below the
 * address under the key `url`, `repository` for that repository alone.
 *
 * Invariant: in doubt a Secret does not fit. Scheme, host and port must be equal, and a path fits whole segments only.
 */
import { matchesHost, plainPath, portOf, type AddressRule } from './address-rule.ts';
import { SECRET_TYPE_LABEL } from './keys.ts';

const ARGO_LABEL = 'argocd.argoproj.io/secret-type';
export const CREDENTIAL_LABELS = [SECRET_TYPE_LABEL, ARGO_LABEL] as const;
export const CREDENTIAL_TYPES = ['repo-creds', 'repository'] as const;

/** A Secret without its values. */
export interface LabelledSecret {
  readonly name: string;
  /** The label by which it was found. */
  readonly label: (typeof CREDENTIAL_LABELS)[number];
  readonly type: (typeof CREDENTIAL_TYPES)[number];
  /** The value of its key `url`; empty if it has none. */
  readonly url: string;
  /** Names of its keys that have a value. */
  readonly keys: readonly string[];
}

export interface WantedAddress {
  /** `spec.source.repoURL`, or the address of another repository. */
  readonly repoURL: string;
  readonly chart?: string | undefined;
}

/** The Secrets that fit an address, the best first: the longest path, then one for this repository alone. */
export function secretsFor(wanted: WantedAddress, secrets: readonly LabelledSecret[]): LabelledSecret[] {
  const repository = readAddress(wanted.repoURL);
  if (!repository) return [];
  const isOciChart = repository.protocol === 'oci:' && wanted.chart !== undefined;
  const whole = isOciChart ? readAddress(`${wanted.repoURL}/${wanted.chart}`) : repository;
  const found = secrets.flatMap((secret) => {
    const rule = ruleOf(secret);
    if (!rule || rule.protocol !== repository.protocol) return [];
    const isExact = matchesHost(rule, repository) && rule.path === pathOf(repository);
    const fits = isExact || (secret.type === 'repo-creds' && whole !== undefined && matchesHost(rule, whole));
    return fits ? [{ secret, pathChars: rule.path.length }] : [];
  });
  return found
    .sort((a, b) => b.pathChars - a.pathChars || compareSecrets(a.secret, b.secret))
    .map(({ secret }) => secret);
}

/** Orders Secrets of one path: one for this repository alone, then one with Tautline's label, then by name. */
function compareSecrets(a: LabelledSecret, b: LabelledSecret): number {
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

function rank({ type, label }: LabelledSecret): number {
  return (type === 'repository' ? 0 : 2) + (label === SECRET_TYPE_LABEL ? 0 : 1);
}

/** Keys of Argo CD's Secrets that are no credential: a Secret with these alone only declares a repository. */
const DESCRIPTIVE: ReadonlySet<string> = new Set([
  ...['url', 'type', 'name', 'project', 'enableLfs', 'enableOCI', 'proxy', 'noProxy', 'depth'],
  ...['insecure', 'insecureIgnoreHostKey', 'insecureOCIForceHttp', 'forceHttpBasicAuth'],
]);

type Rule = Extract<AddressRule, { type: 'host' }> & { readonly protocol: string };

/** undefined: the Secret holds no credential, or no address that can be read. */
function ruleOf({ url: text, keys }: LabelledSecret): Rule | undefined {
  if (keys.every((key) => DESCRIPTIVE.has(key))) return undefined;
  // Argo CD writes the address of a registry without a scheme.
  const isBareRegistry = keys.includes('enableOCI') && !text.includes('://');
  const url = readAddress(isBareRegistry ? `oci://${text}` : text);
  if (!url) return undefined;
  return { type: 'host', host: url.hostname, port: portOf(url), path: pathOf(url), protocol: url.protocol };
}

const MAX_ADDRESS_CHARS = 2_048;

/** http, https, ssh (also in the scp form) or oci, without `.git` at the end. */
function readAddress(text: string): URL | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAX_ADDRESS_CHARS) return undefined;
  const [, scpHost, scpPath] = /^[^/@:\s]+@(\[[0-9a-f:.]+\]|[^/@:\s]+):(?!\/\/)(\S+)$/i.exec(trimmed) ?? [];
  const isScp = scpHost !== undefined && scpPath !== undefined;
  const url = URL.parse(isScp ? `ssh://${scpHost}/${scpPath.replace(/^\/+/, '')}` : trimmed);
  if (!url || !['https:', 'http:', 'ssh:', 'oci:'].includes(url.protocol)) return undefined;
  if (url.hostname === '' || url.hostname.startsWith('.') || url.search !== '' || url.hash !== '') return undefined;
  url.pathname = url.pathname.replace(/\/+$/, '').replace(/\.git$/i, '');
  return url;
}

/** As in a rule about addresses: empty, or with a slash at the start and none at the end. */
function pathOf({ pathname }: URL): string {
  return plainPath(pathname).replace(/\/$/, '');
}
