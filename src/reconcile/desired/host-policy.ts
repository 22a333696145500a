/**
 * Decides what files may name that is read from other servers: remote bases, by host and at a revision unless the
 * settings allow none, and charts by host.
 */
import { matchesHost, type AddressRule } from '../../application/address-rule.ts';
import type { Problem } from '../../object/problem.ts';
import type { ChartNeed, RepositoryNeed, SubmoduleNeed } from '../../render/needs.ts';
import { urlOf } from './url-of.ts';

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
  if (!isNamed(repoURL, remoteBaseHosts)) {
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
  if (isNamed(repoURL, chartHosts)) return undefined;
  return {
    code: 'Unsupported',
    message: `the chart ${name} is in ${repoURL}, whose host the settings of the agent do not allow`,
    hint: 'Put the chart into the folder charts, or add the host to --chart-hosts of the agent.',
  };
}

export interface SubmodulePolicy {
  /** As `RemoteBasePolicy.remoteBaseHosts`; the host of the repository that holds a submodule is always allowed. */
  readonly submoduleHosts: readonly AddressRule[];
}

/** The same for a submodule. */
export function refuseSubmodule(
  { repoURL, parentURL, path }: Pick<SubmoduleNeed, 'repoURL' | 'parentURL' | 'path'>,
  { submoduleHosts }: SubmodulePolicy,
): Omit<Problem, 'file' | 'line'> | undefined {
  const host = urlOf(repoURL)?.hostname;
  if (host !== undefined && host !== '' && host === urlOf(parentURL)?.hostname) return undefined;
  if (isNamed(repoURL, submoduleHosts)) return undefined;
  return {
    code: 'Unsupported',
    message: `the submodule ${path} is in the repository ${repoURL}, on another host than its parent, which the settings of the agent do not allow`,
    hint: 'Move the submodule to the host of its parent, or add its host to --submodule-hosts of the agent.',
  };
}

/** Rules are compared with the address that would be connected to, as `--source-allow` is. */
function isNamed(repoURL: string, rules: readonly AddressRule[]): boolean {
  const url = urlOf(repoURL);
  return url !== undefined && url.hostname !== '' && rules.some((rule) => matchesHost(rule, url));
}
