/** The settings of the sign-in of people, made of the flags of the agent. */
import { readFile } from 'node:fs/promises';
import { StageError } from '../../object/stage-error.ts';
import type { ProviderSettings } from './provider.ts';

export interface SignInSettings {
  /** Origin by which browsers reach the API; undefined if it is not set. */
  readonly publicUrl: string | undefined;
  /** At least 32 bytes, with which sessions are sealed. undefined: random ones, so that a restart ends all sessions. */
  readonly sessionSecret: Buffer | undefined;
  /** undefined: people sign in with tokens alone. */
  readonly provider: ProviderSettings | undefined;
}

/** Flags of the same names; an empty text is a flag that is not set. */
export interface SignInFlags {
  readonly publicUrl: string | undefined;
  readonly sessionKeyFile: string;
  readonly oidcIssuer: string | undefined;
  readonly oidcClientId: string;
  readonly oidcClientSecretFile: string;
  readonly oidcScopes: string;
  readonly oidcName: string;
}

/** Throws StageError SessionKeyUnusable. */
export async function signInSettingsOf(flags: SignInFlags): Promise<SignInSettings> {
  const { publicUrl, sessionKeyFile, oidcIssuer: issuer } = flags;
  const sessionSecret = sessionKeyFile === '' ? undefined : await readSessionKey(sessionKeyFile);
  if (issuer === undefined || publicUrl === undefined) return { publicUrl, sessionSecret, provider: undefined };
  const { oidcClientId: clientId, oidcClientSecretFile: clientSecretFile, oidcScopes: scopes, oidcName: name } = flags;
  return {
    publicUrl,
    sessionSecret,
    provider: { issuer, clientId, clientSecretFile, scopes, name, publicUrl },
  };
}

const MIN_BYTES = 32;
const MAX_BYTES = 4_096;

async function readSessionKey(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((error: unknown) => {
    const errno = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw unusable(`the file of --session-key-file cannot be read (${errno}): ${file}`, error);
  });
  if (bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES) return bytes;
  throw unusable(`the file of --session-key-file must have ${MIN_BYTES} to ${MAX_BYTES} bytes: ${file}`);
}

function unusable(message: string, cause?: unknown): StageError {
  return new StageError({ stage: 'status', code: 'SessionKeyUnusable', retry: 'never', message, cause });
}
