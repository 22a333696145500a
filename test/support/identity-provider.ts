/**
 * A real OpenID Connect provider (oidc-provider) on loopback by https, with one client and its own forms for sign-in
 * and consent, in which any name and password is accepted.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Provider from 'oidc-provider';
import type { Authority } from './certificates.ts';

export interface IdentityProvider extends AsyncDisposable {
  /** https://127.0.0.1:port */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The authority of its certificate. */
  readonly caFile: string;
  /** A file with the secret of the client. */
  readonly secretFile: string;
}

export interface IdentityProviderOptions {
  /** Signs its certificate. */
  readonly authority: Authority;
  readonly redirectUris: readonly string[];
  /** Groups of a person, for the claim `groups`. Default: none. */
  readonly groupsOf?: (login: string) => readonly string[];
}

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { ca, server: pair } = options.authority;
  const server = createServer({ cert: pair.certificate, key: pair.key });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [clientId, clientSecret] = ['tautline', 'the-secret-of-the-client'];
  server.on('request', new Provider(issuer, settingsOf(options, { clientId, clientSecret })).callback());
  const directory = await mkdtemp(join(tmpdir(), 'tautline-identity-'));
  const [caFile, secretFile] = [join(directory, 'ca.pem'), join(directory, 'client-secret')];
  await writeFile(caFile, ca);
  await writeFile(secretFile, `${clientSecret}\n`);
  return {
    issuer,
    clientId,
    clientSecret,
    caFile,
    secretFile,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function settingsOf(
  { redirectUris, groupsOf = () => [] }: IdentityProviderOptions,
  { clientId, clientSecret }: Pick<IdentityProvider, 'clientId' | 'clientSecret'>,
): Readonly<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' };
  const client = { client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris };
  return {
    clients: [{ ...client, grant_types: ['authorization_code'], response_types: ['code'] }],
    jwks: { keys: [key] },
    cookies: { keys: ['a key of the test'] },
    claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
    // The API server reads the groups from the id token.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, name: sub, email: `${sub}@example.invalid`, groups: groupsOf(sub) }),
    }),
  };
}
