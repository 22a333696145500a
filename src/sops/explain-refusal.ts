/**
 * Says why a sealed file cannot be opened.
 *
 * Invariant: nothing that sops prints is shown: for a wrong MAC it prints a digest of the plain values. The exit code
 * and the metadata of the file tell enough.
 */
import type { Answer } from '../render/needs.ts';
import type { Recipient } from '../render/sealed/sealed-file.ts';

export type SopsRefusal = Extract<Answer, { readonly type: 'refused' }>;

const NAMES: Readonly<Record<string, string>> = {
  age: 'age',
  pgp: 'PGP',
  kms: 'AWS KMS',
  gcp_kms: 'Google Cloud KMS',
  azure_kv: 'Azure Key Vault',
  hc_vault: 'HashiCorp Vault',
  hckms: 'Huawei Cloud KMS',
};

/** Kinds for which sops asks no server. */
const LOCAL_KINDS: ReadonlySet<string> = new Set(['age', 'pgp']);
/** Recipients that a message names. */
const MAX_NAMED = 4;

/**
 * Refuses a file with a recipient for which sops would ask a server: a tenant chooses the address, and the agent's own
 * access must not be used for it. undefined: the file has none, and a recipient of age.
 */
export function refuseRecipients(recipients: readonly Recipient[]): SopsRefusal | undefined {
  const remote = recipients.filter(({ kind }) => !LOCAL_KINDS.has(kind));
  if (remote.length > 0) {
    return refusal(`the file is sealed for ${listOf(remote)}, which is not supported`, SEAL_FOR_AGE);
  }
  if (recipients.some(({ kind }) => kind === 'age')) return undefined;
  return refusal(`the file is sealed for ${listOf(recipients)} only, and keys of PGP are not supported`, SEAL_FOR_AGE);
}

const SEAL_FOR_AGE = 'Seal it with sops updatekeys for a key of age, whose private key is in the Secret.';

export interface Keys {
  /** `namespace/name` of the Secret. undefined: the keys are those of the person who runs the command. */
  readonly secret: string | undefined;
  /** Public keys. */
  readonly recipients: readonly string[];
}

/** `exitCode`: that of sops. */
export function explainExit(exitCode: number, recipients: readonly Recipient[], keys: Keys): SopsRefusal {
  if (CHANGED.has(exitCode)) {
    return refusal(
      'the file was changed after it was sealed: its message authentication code (MAC) is wrong',
      'Edit it with sops edit only, and commit the result as it is.',
    );
  }
  if (exitCode === NO_KEY) return noKey(recipients, keys);
  return refusal(
    `sops cannot read the file (exit code ${exitCode})`,
    'Run sops decrypt with the file to see the reason.',
  );
}

const NO_KEY = 128;
/** A value, the MAC itself, or the comparison of the MAC fails. */
const CHANGED: ReadonlySet<number> = new Set([24, 25, 51, 52]);

function noKey(recipients: readonly Recipient[], { secret, recipients: own }: Keys): SopsRefusal {
  const wanted = listOf(recipients);
  if (secret === undefined) return refusal(`none of your keys opens the file; it is sealed for ${wanted}`, ASK);
  const present = own.length === 0 ? '' : `; its keys are those of ${cut(own)}`;
  const matches = recipients.some(({ name }) => own.includes(name));
  if (matches) {
    return refusal(
      `the keys of the Secret ${secret} do not open the file, although it names one of them: it is sealed for ` +
        `${wanted}${present}`,
      'Seal it again with sops updatekeys, or give the keys of every key group.',
    );
  }
  return refusal(
    `no key of the Secret ${secret} opens the file; it is sealed for ${wanted}${present}`,
    'Add the private key to the Secret, or seal the file with sops updatekeys for one of its keys.',
  );
}

const ASK = 'Ask for the private key, or have the file sealed with sops updatekeys for one of your keys.';

function listOf(recipients: readonly Recipient[]): string {
  const named = recipients.map(
    ({ kind, name }) => `${Object.hasOwn(NAMES, kind) ? NAMES[kind] : kind} (${name || '?'})`,
  );
  return cut(named);
}

function cut(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return `${names.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function refusal(message: string, hint: string): SopsRefusal {
  return { type: 'refused', problem: { code: 'DecryptionFailed', message, hint } };
}
