/**
 * Reads the logins of registries from the JSON that `docker login` writes and that Secrets of the type
 * kubernetes.io/dockerconfigjson hold.
 */

export interface RegistryLogin {
  readonly type: 'basic';
  readonly username: string;
  readonly password: string;
}

/**
 * By host in lower case, with the port if it has one. Entries without user and password (an identity token, a helper
 * program) are left out. undefined: the value is no such JSON.
 */
export function parseDockerConfig(value: Buffer): ReadonlyMap<string, RegistryLogin> | undefined {
  let auths: unknown;
  try {
    auths = (JSON.parse(value.toString('utf8')) as { auths?: unknown } | null)?.auths;
  } catch {
    return undefined;
  }
  if (typeof auths !== 'object' || auths === null) return undefined;
  const logins = new Map<string, RegistryLogin>();
  for (const [address, entry] of Object.entries(auths)) {
    const login = loginOf(entry);
    if (login) logins.set(hostOf(address), login);
  }
  return logins;
}

function loginOf(entry: unknown): RegistryLogin | undefined {
  const { auth, username, password } = (entry ?? {}) as Record<string, unknown>;
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    return { type: 'basic', username, password };
  }
  if (typeof auth !== 'string') return undefined;
  const pair = Buffer.from(auth, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 1 ? undefined : { type: 'basic', username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/** `https://host/v1/`, as older programs write it, and `host` name the same registry. */
function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//i, '').replace(/\/.*$/, '');
  return host.toLowerCase();
}
