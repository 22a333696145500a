/**
 * Decides what files may name that is read from other servers: remote bases, by host and at a revision unless the
 * settings allow none, and charts by host.
 */
import type { AddressRule } from '../../application/address-rule.ts';
import type { Problem } from '../../object/problem.ts';
import type { ChartNeed, RepositoryNeed } from '../../render/needs.ts';

export interface RemoteBasePolicy {
  /** Rules for networks count for no name. Empty: no repository may be named. */
  readonly remoteBaseHosts: readonly AddressRule[];
  readonly remoteBaseAllowUnpinned: boolean;
}

/** The problem of a repository that may not be named; undefined: it may. */
export function refuseRemoteBase(
  { repoURL, isPinned }: Pick<RepositoryNeed, 'repoURL' | 'isPinned'>,
  { remoteBaseHosts, remoteBaseAllowUnpinned }: RemoteBasePolicy,
): Omit<Problem, 'file' | 'line'> | undefined {
  const place = placeOf(repoURL);
  if (place === undefined || !remoteBaseHosts.some((rule) => matches(rule, place))) {
    return {
      code: 'Unsupported',
      message: `the base is in the repository ${repoURL}, whose host the settings of the agent do not allow`,
      hint: 'Copy the base into this repository, or add its host to --remote-base-hosts of the agent.',
    };
  }
  if (isPinned || remoteBaseAllowUnpinned) return undefined;
  return {
    code: 'Unsupported',
    message: `the base in the repository ${repoURL} names no revision, so that it may change at any time`,
    hint: 'Add ?ref= with a tag or a commit, or set --remote-base-allow-unpinned of the agent.',
  };
}

export interface ChartPolicy {
  /** As `RemoteBasePolicy.remoteBaseHosts`. */
  readonly chartHosts: readonly AddressRule[];
}

/** The same for a chart that a chart or a kustomization depends on. */
export function refuseChart(
  { repoURL, name }: Pick<ChartNeed, 'repoURL' | 'name'>,
  { chartHosts }: ChartPolicy,
): Omit<Problem, 'file' | 'line'> | undefined {
  const place = placeOf(repoURL);
  if (place !== undefined && chartHosts.some((rule) => matches(rule, place))) return undefined;
  return {
    code: 'Unsupported',
    message: `the chart ${name} is in ${repoURL}, whose host the settings of the agent do not allow`,
    hint: 'Put the chart into the folder charts, or add the host to --chart-hosts of the agent.',
  };
}

interface Place {
  readonly host: string;
  readonly port: string;
  /** With a slash at the start, in lower case. */
  readonly path: string;
}

function placeOf(repoURL: string): Place | undefined {
  const scp = /^[\w.-]+@([\w.-]+):(?!\/\/)\/?(.*)$/.exec(repoURL);
  if (scp) return { host: (scp[1] ?? '').toLowerCase(), port: '22', path: `/${scp[2] ?? ''}`.toLowerCase() };
  if (!URL.canParse(repoURL)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(repoURL);
  if (hostname === '') return undefined;
  return { host: hostname.toLowerCase(), port: port || (PORTS[protocol] ?? ''), path: pathname.toLowerCase() };
}

const PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80', 'ssh:': '22', 'oci:': '443' };

function matches(rule: AddressRule, { host, port, path }: Place): boolean {
  if (rule.type === 'network') return false;
  const isHost = rule.host.startsWith('.') ? host.endsWith(rule.host) : host === rule.host;
  const isPort = rule.port === undefined || rule.port === port;
  return isHost && isPort && (rule.path === '' || path === rule.path || path.startsWith(`${rule.path}/`));
}
