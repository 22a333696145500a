/** Keys of age, and files that the real sops seals for them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { SealedFormat } from '../../src/render/sealed/sealed-file.ts';
import { encodeBech32 } from '../../src/sops/bech32.ts';
import { sopsBinary } from '../control-plane/binaries.ts';

export interface AgeKeyPair {
  /** `AGE-SECRET-KEY-1…` */
  readonly private: string;
  /** `age1…` */
  readonly public: string;
}

export function ageKey(): AgeKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const [secret, open] = [
    privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32),
    publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
  ];
  return { private: encodeBech32('age-secret-key-', secret).toUpperCase(), public: encodeBech32('age', open) };
}

export interface SealOptions {
  readonly recipients: readonly AgeKeyPair[];
  /** Default: yaml. */
  readonly format?: SealedFormat;
  /** Further arguments of `sops encrypt`, such as `--encrypted-regex`. */
  readonly args?: readonly string[];
}

/** Seals only the values of a Secret, as Flux recommends it. */
export const VALUES_ONLY = ['--encrypted-regex', '^(data|stringData)$'];

export async function seal(plain: string | Uint8Array, options: SealOptions): Promise<string> {
  const { recipients, format = 'yaml', args = [] } = options;
  const age = recipients.map((key) => key.public).join(',');
  const types = ['--input-type', format, '--output-type', format === 'binary' ? 'json' : format];
  const child = spawn(await sopsBinary(), ['encrypt', ...types, '--age', age, ...args, '--filename-override', 'file'], {
    env: { HOME: '/nonexistent', SOPS_DISABLE_VERSION_CHECK: '1' },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(plain);
  const ended = new Promise((resolve) => child.on('close', resolve));
  const [stdout, stderr, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  assert.equal(code, 0, stderr.toString());
  return stdout.toString();
}
