/**
 * Makes certificates of a private authority with the openssl command, for servers and clients of tests.
 *
 * Invariant: each call makes a new authority that no machine trusts.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** PEM. */
  readonly ca: string;
  /** For 127.0.0.1 and git.example.invalid. */
  readonly server: KeyPair;
  readonly client: KeyPair;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** Throws an Error with a clear message when openssl is not installed. */
export async function makeAuthority(): Promise<Authority> {
  const dir = await mkdtemp(join(tmpdir(), 'tautline-certificates-'));
  const file = (name: string): string => join(dir, name);
  const make = async (name: string, extensions: readonly string[], signedBy?: string): Promise<KeyPair> => {
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), '-subj', `/CN=tautline test ${name}`];
    const signer = signedBy ? ['-CA', file(`${signedBy}.pem`), '-CAkey', file(`${signedBy}.key`)] : [];
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    await run(['req', '-x509', ...NEW_KEY, ...out, ...signer, ...added]);
    return {
      certificate: await readFile(file(`${name}.pem`), 'utf8'),
      key: await readFile(file(`${name}.key`), 'utf8'),
    };
  };
  try {
    const { certificate: ca } = await make('ca', ['basicConstraints=critical,CA:true']);
    const server = await make(
      'server',
      ['basicConstraints=critical,CA:false', 'subjectAltName=IP:127.0.0.1,DNS:git.example.invalid'],
      'ca',
    );
    const client = await make('client', ['basicConstraints=critical,CA:false'], 'ca');
    return { ca, server, client };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function run(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', args);
  } catch (error) {
    throw new Error(`openssl ${args[0]} failed; install OpenSSL 3. ${String(error)}`, { cause: error });
  }
}
