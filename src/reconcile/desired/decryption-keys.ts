/**
 * The keys that open the sealed files of an Application, read with its rights, and the files that they have opened.
 *
 * Invariants: keys are kept for one render, and opened bytes only as long as the keys are the same ones. A change of
 * the Secret changes the digest of the keys, and with it the inputs of the render.
 */
import type { DataRef } from '../../cluster/ports.ts';
import { describeIdentity } from '../../cluster/identity.ts';
import { digestText } from '../../object/digest.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Answer, SealedNeed } from '../../render/needs.ts';
import { readAgeKeys, type AgeKeys } from '../../sops/age-keys.ts';
import type { Reading } from '../pass.ts';
import type { Brought } from './brought.ts';
import type { OpenedFiles } from './memory.ts';

export interface DecryptionKeys {
  /** Digest of the data of the Secret; empty if the spec names none. */
  readonly digest: string;
  /** The keys, or why the Secret holds none. Reads the Secret unless this render has read it already. */
  read(): Promise<SecretKeys>;
}

type SecretKeys =
  | { readonly ok: true; readonly secret: string; readonly keys: AgeKeys }
  | { readonly ok: false; readonly problem: string };

interface ReadSecret {
  readonly digest: string;
  readonly keys: SecretKeys;
}

/** Asks for the Secret only if it may have changed. Throws StageError DataForbidden or DataUnreadable. */
export async function refreshKeys(reading: Reading): Promise<DecryptionKeys> {
  const { context, memory } = reading;
  const ref = keysRef(reading);
  if (ref === undefined) {
    memory.desired.keys = undefined;
    memory.desired.opened = undefined;
    return { digest: '', read: () => Promise.reject(new Error('the spec names no keys')) };
  }
  let secret: Promise<ReadSecret> | undefined;
  const read = (): Promise<ReadSecret> => (secret ??= readKeys(reading, ref));
  const known = memory.desired.keys;
  if (known?.secret === ref.name && !isDue(reading, ref, known.readMs)) {
    return { digest: known.digest, read: async () => (await read()).keys };
  }
  const readMs = context.clock.monotonicMs();
  const { digest } = await read();
  memory.desired.keys = { secret: ref.name, digest, readMs };
  if (memory.desired.opened?.keysDigest !== digest) memory.desired.opened = undefined;
  return { digest, read: async () => (await read()).keys };
}

/** The Secret with the keys. undefined: the spec names none. */
export function keysRef({ application }: Pick<Reading, 'application'>): DataRef | undefined {
  const { metadata, spec } = application;
  const name = spec.render.decryption?.secretRef.name;
  return name === undefined ? undefined : { kind: 'Secret', namespace: metadata.namespace, name };
}

/** As for other data of a render: after a change that its watch tells of; without a watch, after each poll. */
function isDue({ context, identity, memory, signals }: Reading, ref: DataRef, readMs: number): boolean {
  if (signals.dataChangedMs >= readMs) return true;
  if (context.hub.data.isWatched(identity, ref)) return false;
  return (memory.desired.source?.polledMs ?? -Infinity) > readMs;
}

async function readKeys({ context, identity }: Reading, { namespace, name }: DataRef): Promise<ReadSecret> {
  const secret = `${namespace}/${name}`;
  const answer = await context.hub.as(identity).readSecret(namespace, name);
  if (!answer.ok) {
    const { code, message, retry } = answer.refusal;
    const isForbidden = code === 'Forbidden';
    throw new StageError({
      stage: 'render',
      code: isForbidden ? 'DataForbidden' : 'DataUnreadable',
      retry: isForbidden ? 'backoff' : retry,
      message: isForbidden
        ? `The Secret ${secret} of spec.render.decryption may not be read by ${describeIdentity(identity)}. ` +
          'Allow it the verb get on this Secret.'
        : `The Secret ${secret} of spec.render.decryption could not be read: ${message}.`,
    });
  }
  if (!answer.data) {
    return { digest: 'absent', keys: { ok: false, problem: `the Secret ${secret} with the keys does not exist` } };
  }
  const digest = digestText(
    JSON.stringify(Array.from(answer.data, ([key, value]) => [key, value.toString('base64')]).sort()),
  );
  const found = readAgeKeys(answer.data);
  const keys: SecretKeys = found.ok
    ? { ok: true, secret, keys: found.keys }
    : { ok: false, problem: `the Secret ${secret} ${found.problem}` };
  return { digest, keys };
}

/** The bytes of a sealed file. Throws StageError: of the Secret, or of sops. */
export async function bringSealed(
  { application, context, signal }: Reading,
  need: SealedNeed,
  keys: DecryptionKeys,
): Promise<Pick<Brought, 'answer' | 'digest'>> {
  const found = await keys.read();
  if (!found.ok) return { answer: noKeys(found.problem), digest: keys.digest };
  const { secret, keys: own } = found;
  const tenant = application.metadata.namespace;
  const answer = await context.sops.open({ sealed: need, keys: { type: 'secret', secret, ...own }, tenant, signal });
  return { answer, digest: keys.digest };
}

function noKeys(why: string): Answer {
  return {
    type: 'refused',
    problem: {
      code: 'Sealed',
      message: `the file is sealed by SOPS, and ${why}`,
      hint: 'Store the private key of age in the Secret that spec.render.decryption names, under keys.agekey.',
    },
  };
}

/** Opened bytes that an Application keeps from one render to the next. */
const MAX_KEPT_BYTES = 256 * 1024;

/** The answers to the sealed needs of the last render, which stand as long as the keys do. */
export function openedBefore({ memory }: Pick<Reading, 'memory'>, { digest }: DecryptionKeys): [string, Brought][] {
  const { opened } = memory.desired;
  if (opened?.keysDigest !== digest) return [];
  return Array.from(opened.files, ([key, { need, bytes, broughtMs }]) => [
    key,
    { need, answer: { type: 'opened', bytes }, digest, broughtMs },
  ]);
}

/** Files beyond the bound are opened again by the next render that reads them. */
export function keepOpened(answers: Iterable<Brought>, { digest }: DecryptionKeys): OpenedFiles | undefined {
  const files: Map<string, { need: Brought['need']; bytes: Uint8Array; broughtMs: number }> = new Map();
  let size = 0;
  for (const { need, answer, broughtMs } of answers) {
    if (answer.type !== 'opened') continue;
    size += answer.bytes.length;
    if (size > MAX_KEPT_BYTES) break;
    files.set(need.key, { need: withoutContent(need), bytes: answer.bytes, broughtMs });
  }
  return files.size === 0 ? undefined : { keysDigest: digest, files };
}

/** A need that is kept, without texts that are large or secret; it is never asked again. */
export function withoutContent(need: Brought['need']): Brought['need'] {
  if (need.type === 'sealed') return { ...need, content: '' };
  if (need.type !== 'helm') return need;
  return { ...need, run: { ...need.run, values: need.run.values.filter(({ type }) => type === 'file') } };
}
