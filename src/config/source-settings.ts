/** Settings of repositories, charts and registries: which are allowed, how they are reached, how much is fetched. */
import { bool, count, duration, text, type Setting } from './setting.ts';

export const SOURCE_SETTINGS = {
  sourceAllow: {
    flag: 'source-allow',
    type: 'addresses',
    default: '',
    description:
      'the only addresses of repositories, separated by commas: host, *.host, host:port/path, network; empty: all',
  },
  sourceDeny: {
    flag: 'source-deny',
    type: 'addresses',
    default: 'loopback,link-local',
    description: 'addresses at which no repository is read, in the same form; checked after names are resolved',
  },
  remoteBaseHosts: {
    flag: 'remote-base-hosts',
    type: 'addresses',
    default: '',
    description:
      'hosts whose repositories a kustomization may name as bases, separated by commas: host, *.host, host:port/path; ' +
      'empty: none',
  },
  submoduleHosts: {
    flag: 'submodule-hosts',
    type: 'addresses',
    default: '',
    description: 'hosts beside that of its own repository on which a submodule may be, in the same form; empty: none',
  },
  chartHosts: {
    flag: 'chart-hosts',
    type: 'addresses',
    default: '',
    description:
      'hosts of Helm repositories and registries whose charts a chart or a kustomization may depend on, in the same ' +
      'form; empty: none',
  },
  remoteBaseAllowUnpinned: bool(
    'remote-base-allow-unpinned',
    'false',
    'whether a remote base may name no ?ref=, so that it follows the default branch of its repository',
  ),
  registryTokenHosts: {
    flag: 'registry-token-hosts',
    type: 'hosts',
    default: '',
    description:
      'hosts (host, *.host) that may give tokens for registries of other domains, and get their credentials; commas between',
  },
  registryPlainHttp: {
    flag: 'registry-plain-http',
    type: 'hosts',
    default: '',
    description:
      'registries (host, host:port) that speak http, separated by commas; credentials cross the network as text',
  },
  sshKnownHosts: text(
    'ssh-known-hosts',
    '',
    'file with the keys of SSH servers (known_hosts) for Secrets that hold none; empty: only those of the Secrets count',
  ),
  sshProxy: text('ssh-proxy', '', 'address of the http or https proxy for repositories by ssh; empty: no proxy'),
  gitTimeoutMs: duration(
    'git-timeout',
    '60s',
    'longest poll of a repository, and longest silence of the server in a fetch',
  ),
  gitFetchTimeoutMs: duration('git-fetch-timeout', '10m', 'longest fetch of one commit'),
  indexTimeoutMs: duration('index-timeout', '2m', 'longest check of a fetched commit'),
  maxPackMib: count('max-pack-mib', '512', 'largest answer to a fetch', [1, 65_536]),
  maxDataMib: count(
    'max-data-mib',
    '3072',
    'fetched data on disk, with room for one more fetch; the data that was not used for longest is removed first',
    [1, 1_000_000],
  ),
  maxRepositoryFiles: count('max-repository-files', '200000', 'most files of one revision', [1, 10_000_000]),
} as const satisfies Record<string, Setting>;
