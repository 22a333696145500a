/**
 * Reads the secrets of webhooks from a folder as Kubernetes mounts a Secret: one file for each key. The name of a file
 * up to its first dot is the provider (`github`, `github.next`).
 *
 * Invariant: a file that cannot be read does not count as a secret, and no part of a secret is logged.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../telemetry/ports.ts';

export interface SecretFolder {
  /** Empty if no folder is configured. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Shortest time between two readings of the folder. */
  readonly rereadMs: number;
}

/** The secrets of a provider as read last; empty if there are none. Never rejects. */
export type SecretsOf = (provider: string) => Promise<readonly Buffer[]>;

const MAX_FILES = 64;
const MAX_SECRET_BYTES = 4096;

type Reading = ReadonlyMap<string, readonly Buffer[]>;

export function createWebhookSecrets({ dir, clock, log, rereadMs }: SecretFolder): SecretsOf {
  let reading: Promise<Reading> = Promise.resolve(new Map());
  let readMs = -Infinity;
  const warned = new Set<string>();
  /** Logs each warning once, although the folder is read repeatedly. */
  const warn: Warn = (message, file) => {
    const isNew = !warned.has(`${message} ${file}`) && warned.size < MAX_FILES;
    warned.add(`${message} ${file}`);
    if (isNew) log.warn(message, { dir, file });
  };
  return async (provider) => {
    if (dir === '') return [];
    const nowMs = clock.monotonicMs();
    if (nowMs - readMs >= rereadMs) {
      readMs = nowMs;
      reading = readFolder(dir, warn);
    }
    return (await reading).get(provider) ?? [];
  };
}

type Warn = (message: string, file?: string) => void;

async function readFolder(dir: string, warn: Warn): Promise<Reading> {
  const secrets = new Map<string, Buffer[]>();
  let names: string[];
  try {
    // Kubernetes uses names with a leading dot for the links by which it replaces all files at once (`..data`).
    names = (await readdir(dir)).filter((name) => !name.startsWith('.')).sort();
  } catch {
    warn('the folder of webhook secrets cannot be read');
    return secrets;
  }
  if (names.length > MAX_FILES) warn('the folder of webhook secrets holds too many files; the others are not read');
  for (const name of names.slice(0, MAX_FILES)) {
    const secret = await readSecret(join(dir, name), (message) => warn(message, name));
    if (!secret) continue;
    const provider = name.split('.', 1)[0] ?? '';
    secrets.set(provider, [...(secrets.get(provider) ?? []), secret]);
  }
  return secrets;
}

async function readSecret(file: string, warn: (message: string) => void): Promise<Buffer | undefined> {
  const refuse = (message: string): undefined => {
    warn(message);
    return undefined;
  };
  try {
    const found = await stat(file);
    // Reading a named pipe would not end.
    if (!found.isFile()) return refuse('a webhook secret is not a file and is ignored');
    if (found.size > MAX_SECRET_BYTES) return refuse('a webhook secret is too long and is ignored');
    // latin1 preserves every byte. Editors and `echo` write a line break at the end of a file.
    const text = (await readFile(file, 'latin1')).replace(/\r?\n$/, '');
    return text.trim() === '' ? refuse('a webhook secret is empty and is ignored') : Buffer.from(text, 'latin1');
  } catch {
    return refuse('a webhook secret cannot be read');
  }
}
