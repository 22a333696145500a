/**
 * The secrets of webhooks, from a folder as a Secret is mounted: a file for each key, whose name up to the first dot is
 * the provider (`github`, `github.next`).
 *
 * Invariant: what cannot be read is no secret; nothing of a secret is ever said.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../telemetry/ports.ts';

export interface SecretFolder {
  /** Empty: none is set. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** No sooner is the folder read again. */
  readonly rereadMs: number;
}

/** The secrets of a provider, newest reading; empty where there are none. Never rejects. */
export type SecretsOf = (provider: string) => Promise<readonly Buffer[]>;

const MAX_FILES = 64;
const MAX_SECRET_BYTES = 4096;

type Reading = ReadonlyMap<string, readonly Buffer[]>;

export function createWebhookSecrets({ dir, clock, log, rereadMs }: SecretFolder): SecretsOf {
  let reading: Promise<Reading> = Promise.resolve(new Map());
  let readMs = -Infinity;
  const said = new Set<string>();
  /** Once: the folder is read again and again. */
  const say = (message: string, file?: string): void => {
    const isNews = !said.has(`${message} ${file}`) && said.size < MAX_FILES;
    said.add(`${message} ${file}`);
    if (isNews) log.warn(message, { dir, file });
  };
  return async (provider) => {
    if (dir === '') return [];
    const nowMs = clock.monotonicMs();
    if (nowMs - readMs >= rereadMs) {
      readMs = nowMs;
      reading = readFolder(dir, say);
    }
    return (await reading).get(provider) ?? [];
  };
}

type Say = (message: string, file?: string) => void;

async function readFolder(dir: string, say: Say): Promise<Reading> {
  const secrets = new Map<string, Buffer[]>();
  let names: string[];
  try {
    // Names with a dot in front are Kubernetes' own: the links behind an update (..data).
    names = (await readdir(dir)).filter((name) => !name.startsWith('.')).sort();
  } catch {
    say('the folder of webhook secrets cannot be read');
    return secrets;
  }
  if (names.length > MAX_FILES) say('the folder of webhook secrets holds too many files: the rest is not read');
  for (const name of names.slice(0, MAX_FILES)) {
    const secret = await readSecret(join(dir, name), (message) => say(message, name));
    if (!secret) continue;
    const provider = name.split('.', 1)[0] ?? '';
    secrets.set(provider, [...(secrets.get(provider) ?? []), secret]);
  }
  return secrets;
}

async function readSecret(file: string, say: (message: string) => void): Promise<Buffer | undefined> {
  const refuse = (message: string): undefined => {
    say(message);
    return undefined;
  };
  try {
    const found = await stat(file);
    // A pipe would never end.
    if (!found.isFile()) return refuse('a webhook secret is no file and is not used');
    if (found.size > MAX_SECRET_BYTES) return refuse('a webhook secret is too long and is not used');
    // latin1 keeps every byte; editors and `echo` end a file with a line break.
    const text = (await readFile(file, 'latin1')).replace(/\r?\n$/, '');
    return text.trim() === '' ? refuse('a webhook secret is empty and is not used') : Buffer.from(text, 'latin1');
  } catch {
    return refuse('a webhook secret cannot be read');
  }
}
