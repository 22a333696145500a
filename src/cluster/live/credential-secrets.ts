/**
 * The Secrets of a namespace with the credentials of repositories, found by label with the rights of an identity.
 *
 * Invariants: of a Secret only its name, its address and the names of its keys are kept; its values are read by name
 * when they are needed. An answer for one identity and namespace is not used for another. An answer counts for ten
 * minutes, or until it is doubted, so that polls that find what they need ask for no list.
 */
import { CREDENTIAL_LABELS, CREDENTIAL_TYPES, type LabelledSecret } from '../../application/credential-secret.ts';
import { mapAt, stringAt, type Value } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { identityKey, type Identity } from '../identity.ts';
import { DATA_KINDS } from '../kinds.ts';
import type { CredentialSecrets, LabelledAnswer } from '../ports.ts';
import { listAll, type ListTarget } from '../watches/watch-list.ts';

export interface CredentialSecretsOptions extends Pick<ListTarget, 'transport' | 'limits' | 'log'> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface Known {
  readonly answer: Promise<LabelledAnswer>;
  /** Monotonic; when it was asked for. */
  readonly atMs: number;
}

const KEPT_MS = 600_000;
/** Answers that are kept; the oldest is dropped first. */
const MAX_KEPT = 10_000;
/** Secrets of one namespace and label. */
const MAX_SECRETS = 500;

export function createCredentialSecrets(options: CredentialSecretsOptions): CredentialSecrets {
  const { clock } = options;
  /** By identity and namespace, the oldest first. */
  const kept = new Map<string, Known>();

  function ask(key: string, identity: Identity, namespace: string): Promise<LabelledAnswer> {
    const known: Known = { answer: listLabelled(options, identity, namespace), atMs: clock.monotonicMs() };
    kept.delete(key);
    kept.set(key, known);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    const forget = (): void => {
      if (kept.get(key) === known) kept.delete(key);
    };
    // A refusal by the server's rules stays for a while; any other may pass at once.
    known.answer.then((answer) => {
      if (!answer.ok && answer.refusal.code !== 'Forbidden') forget();
    }, forget);
    return known.answer;
  }

  return {
    list(identity, namespace) {
      const key = keyOf(identity, namespace);
      const known = kept.get(key);
      if (known && clock.monotonicMs() - known.atMs < KEPT_MS) return known.answer;
      return ask(key, identity, namespace);
    },
    doubt: (identity, namespace) => void kept.delete(keyOf(identity, namespace)),
  };
}

function keyOf(identity: Identity, namespace: string): string {
  return [identityKey(identity), namespace].join('\n');
}

async function listLabelled(
  { transport, limits, log }: CredentialSecretsOptions,
  identity: Identity,
  namespace: string,
): Promise<LabelledAnswer> {
  const target = { transport, limits, log, identity, kind: DATA_KINDS.Secret, namespace };
  const secrets = new Map<string, LabelledSecret>();
  for (const label of CREDENTIAL_LABELS) {
    let count = 0;
    const labelSelector = `${label} in (${CREDENTIAL_TYPES.join(',')})`;
    const end = await listAll({ ...target, labelSelector }, (item) => {
      const secret = readLabelled(item, label);
      if (!secret || (!secrets.has(secret.name) && ++count > MAX_SECRETS)) return;
      // The label of Tautline, which is listed first, counts for a Secret with both labels.
      if (secrets.get(secret.name)?.label !== CREDENTIAL_LABELS[0]) secrets.set(secret.name, secret);
    });
    if (!end.ok) return end;
    if (count > MAX_SECRETS)
      log.warn('too many Secrets with credentials; the others are not used', { namespace, label });
  }
  return { ok: true, secrets: [...secrets.values()] };
}

const MAX_URL_CHARS = 2_048;
const MAX_KEYS = 64;

function readLabelled(item: Value, label: LabelledSecret['label']): LabelledSecret | undefined {
  const name = stringAt(item, 'metadata', 'name');
  const type = CREDENTIAL_TYPES.find((known) => known === stringAt(item, 'metadata', 'labels', label));
  if (name === undefined || type === undefined) return undefined;
  const data = mapAt(item, 'data');
  const url = Buffer.from(stringAt(data, 'url') ?? '', 'base64').toString('utf8');
  const keys = Object.entries(data).flatMap(([key, value]) => (value === '' ? [] : [key]));
  return { name, label, type, url: url.length > MAX_URL_CHARS ? '' : url.trim(), keys: keys.slice(0, MAX_KEYS) };
}
