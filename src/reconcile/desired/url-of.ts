/** Addresses of repositories as URLs, so that hosts are compared alike for http and both forms of ssh. */
import { parseSshAddress, sshUrl } from '../../source/ssh-address.ts';

/** undefined: the text is no address. */
export function urlOf(repoURL: string): URL | undefined {
  const ssh = parseSshAddress(repoURL);
  return URL.parse(typeof ssh === 'string' ? repoURL : sshUrl(ssh)) ?? undefined;
}

/** Scheme, host and port: a credential for https is not sent over http. */
export function serverOf(repoURL: string): string {
  const url = urlOf(repoURL);
  // The origin of schemes other than http and https is the text null, whatever the host.
  return url ? `${url.protocol}//${url.host}` : repoURL;
}
