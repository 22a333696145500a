/**
 * Addresses of repositories by ssh, as git reads them: `ssh://[user@]host[:port]/path` and the scp form
 * `user@host:path`. The two differ: the path of the scp form is relative to the home of the user.
 *
 * Invariant: the host is normalised as in an https address, so that a rule about addresses and a known host are
 * compared with the host that is connected to.
 */

export interface SshAddress {
  readonly user: string;
  /** A name in lower case, or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** As the server gets it. */
  readonly path: string;
}

const DEFAULT_USER = 'git';
export const DEFAULT_SSH_PORT = 22;

const SCP_FORM = /^([A-Za-z0-9_][A-Za-z0-9_.+-]*)@(\[[0-9A-Fa-f:.]+\]|[^@/:[\]\s]+):(.+)$/;
const URL_FORM = /^ssh:\/\/(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^@/:[\]\s]*)(?::(\d{0,5}))?(\/.*)?$/i;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;

/** Whether the text is meant as an address by ssh, complete or not. */
export function isSshForm(text: string): boolean {
  return /^ssh:/i.test(text) || /^[^/@:\s]+@[^/@:\s]*:/.test(text) || /^[^/@:\s]+@\[[^\]/]*\]:/.test(text);
}

/** Names the part of an address that is wrong. */
export type SshAddressProblem = 'form' | 'password' | 'query' | 'path';

export function parseSshAddress(text: string): SshAddress | SshAddressProblem {
  if (/[?#]/.test(text)) return 'query';
  const scp = SCP_FORM.exec(text);
  if (scp) return complete({ user: scp[1], host: scp[2], port: undefined, path: scp[3] });
  const [matched, user, host, port, path] = URL_FORM.exec(text) ?? [];
  if (matched === undefined) return 'form';
  if (user?.includes(':')) return 'password';
  // git decodes an address of this form, and reads ~ after the first slash as a home.
  const decoded = decode(path ?? '');
  return complete({ user, host, port, path: decoded?.startsWith('/~') ? decoded.slice(1) : decoded });
}

interface Parts {
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly path: string | undefined;
}

function complete({ user = DEFAULT_USER, host = '', port, path }: Parts): SshAddress | SshAddressProblem {
  const name = normalHost(host);
  const number = port === undefined || port === '' ? DEFAULT_SSH_PORT : Number(port);
  if (!USER.test(user) || name === undefined || number < 1 || number > 65_535) return 'form';
  if (path === undefined || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path)) return 'path';
  const trimmed = path.replace(/\/+$/, '');
  // The server would read it as an option.
  if (trimmed === '' || trimmed.startsWith('-')) return 'path';
  return { user, host: name, port: number, path: trimmed };
}

function normalHost(host: string): string | undefined {
  if (host === '' || host.startsWith('-')) return undefined;
  const url = URL.parse(`https://${host}/`);
  if (!url || url.pathname !== '/' || url.username !== '' || url.port !== '') return undefined;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return name === '' || name.startsWith('-') ? undefined : name;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** For rules about addresses and proxies. */
export function sshUrl({ host, port, path }: SshAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `ssh://${name}:${port}/${encodeURI(path.replace(/^\/+/, ''))}`;
}
