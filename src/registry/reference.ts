/**
 * The address of an artifact: `oci://host[:port]/name`, as `spec.source.repoURL` writes it. Tag and digest belong into
 * `spec.source.revision`, and credentials into a Secret, so an address may be shown anywhere.
 */
import { cleanText } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';

export interface ArtifactReference {
  /** The names of the registry under which a dockerconfigjson Secret may hold its login, each with the port. */
  readonly hosts: readonly string[];
  /** `https://host` of the registry's API; http for loopback and hosts that the settings name. */
  readonly origin: string;
  /** Name of the repository within the registry. */
  readonly name: string;
  /** `oci://host/name`, for messages and for the identity of the artifact. */
  readonly label: string;
}

export const OCI_SCHEME = 'oci://';

const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const MAX_NAME_CHARS = 255;
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?$/i;

/** The largest public registry is known by a name whose host does not serve the API, which is the last one here. */
const NAMES_OF_LARGEST = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

export interface ReferenceOptions {
  /** Name of the chart below the address. */
  readonly chart?: string | undefined;
  /** Hosts, with their port if they have one, that speak http. */
  readonly plainHttpHosts: readonly string[];
}

/** Throws StageError InvalidUrl or CredentialsInUrl. */
export function parseReference(repoUrl: string, { chart, plainHttpHosts }: ReferenceOptions): ArtifactReference {
  const [host = '', ...path] = repoUrl.slice(OCI_SCHEME.length).replace(/\/+$/, '').split('/');
  if (host.includes('@')) {
    throw sourceError(
      'CredentialsInUrl',
      'The address of the artifact holds a user or password. Remove it from repoURL, and put credentials into a Secret.',
    );
  }
  const name = [...path, ...(chart === undefined ? [] : [chart])].join('/');
  const tag = /[@:].*$/.exec(name)?.[0];
  if (tag !== undefined) {
    throw sourceError(
      'InvalidUrl',
      `The address of the artifact ends in ${JSON.stringify(cleanText(tag))}. Put the tag or digest into spec.source.revision.`,
    );
  }
  if (!HOST.test(host) || !NAME.test(name) || name.length > MAX_NAME_CHARS) {
    throw sourceError(
      'InvalidUrl',
      `${JSON.stringify(cleanText(`${OCI_SCHEME}${host}/${name}`))} is no address of an artifact. Write it as oci://<host>/<name>, the name in lower case.`,
    );
  }
  const lower = host.toLowerCase();
  const scheme = isPlain(lower, plainHttpHosts) ? 'http' : 'https';
  const label = `${OCI_SCHEME}${lower}/${name}`;
  const hosts = NAMES_OF_LARGEST.includes(lower) ? NAMES_OF_LARGEST : [lower];
  return { hosts, origin: `${scheme}://${hosts.at(-1)}`, name, label };
}

/** As other clients do: a registry on the machine itself needs no certificate. */
function isPlain(host: string, plainHttpHosts: readonly string[]): boolean {
  const isLoopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
  return isLoopback || plainHttpHosts.includes(host);
}
