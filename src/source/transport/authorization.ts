/** The header that shows a login to a server by http. */
import type { Login } from '../credential.ts';

/** The header of RFC 7617 (in UTF-8) or of RFC 6750. */
export function authorizationOf(login: Login): string {
  if (login.type === 'bearer') return `Bearer ${login.token}`;
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}
